"""What a change of the policy does to one phone's findings. Plain values only."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

ORDER = ("pass", "grace", "unknown", "fail")
"""From the best to the worst; an exempted finding counts as passed in a verdict."""
STATUS_WORDS = {"pass": "合规", "grace": "宽限期内", "unknown": "未知", "fail": "不合规", "exempt": "例外"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A finding that is not a pass: its identity, how it stands, and its sentence."""

    code: str
    subject: str
    status: str
    zh: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.code, self.subject, self.status


@dataclass(frozen=True, slots=True)
class PhoneChange:
    """`never_read`: nothing is known of this phone, so nothing can be foreseen."""

    handset_id: uuid.UUID
    centre_id: uuid.UUID
    before: str
    after: str
    appears: tuple[Seen, ...] = ()
    vanishes: tuple[Seen, ...] = ()
    never_read: bool = False

    @property
    def changed(self) -> bool:
        return self.before != self.after or bool(self.appears or self.vanishes)

    @property
    def worse(self) -> bool:
        return ORDER.index(self.after) > ORDER.index(self.before)


def differing(before: Sequence[Seen], after: Sequence[Seen]) -> tuple[tuple[Seen, ...], tuple[Seen, ...]]:
    """What appears and what vanishes; a finding that only changes its status does both."""
    olds, news = {seen.key for seen in before}, {seen.key for seen in after}
    return tuple(s for s in after if s.key not in olds), tuple(s for s in before if s.key not in news)


@dataclass
class Tally:
    """Phones added up, whatever their number. `moves`: (before, after) → phones."""

    phones: int = 0
    never_read: int = 0
    worse: int = 0
    better: int = 0
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    words: dict[tuple[str, str, str, str], str] = field(default_factory=dict)

    def add(self, changes: Iterable[PhoneChange]) -> None:
        for change in changes:
            self.phones += 1
            self.never_read += change.never_read
            self.moves[change.before, change.after] += 1
            self.worse += change.worse
            self.better += ORDER.index(change.after) < ORDER.index(change.before)
            for way, seen in (("appears", change.appears), ("vanishes", change.vanishes)):
                for one in seen:
                    self.findings[way, *one.key] += 1
                    self.words.setdefault((way, *one.key), one.zh)

    def after(self) -> Counter[str]:
        return summed(self.moves, 1)

    def before(self) -> Counter[str]:
        return summed(self.moves, 0)


def summed(moves: Mapping[tuple[str, str], int], side: int) -> Counter[str]:
    """Phones by their verdict before (`side` 0) or after (1)."""
    found: Counter[str] = Counter()
    for move, phones in moves.items():
        found[move[side]] += phones
    return found
