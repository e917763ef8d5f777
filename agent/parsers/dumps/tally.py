"""How many lines of a dump were read, were known noise, and were not understood."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LONGEST = 160
_ELLIPSIS = "…"
_PERSONAL = (
    (re.compile(r"(?<=Account \{name=).*(?=, type=)"), "<name>"),
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,63}"), "<mail>"),
    (re.compile(r"\b[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5,}"), "<address>"),
    (re.compile(r"(?=[A-Za-z+/]*[0-9])[A-Za-z0-9+/]{40,}=*"), "<key>"),
    (re.compile(r"[0-9]{7,}"), "<number>"),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a line is; `noise`: known, and of no meaning."""

    name: str
    noise: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that nobody understood: its number in the file, from 1, and its text, cut, without what looks personal."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Tally:
    """The lines of one dump of one `kind`; `read` and `noise` count them by rule.

    `lines == sum(read) + sum(noise) + len(unread)`, always.
    """

    kind: str
    lines: int
    read: Mapping[str, int]
    noise: Mapping[str, int]
    unread: tuple[Unread, ...]

    @property
    def understood(self) -> int:
        return sum(self.read.values())

    @property
    def skipped(self) -> int:
        return sum(self.noise.values())


def tally(kind: str, lines: Sequence[str], rules: Sequence[Rule | None], first: int = 1) -> Tally:
    """Count lines by the rule that each was understood by (None: by none). `first`: the number of the first line."""
    read = Counter(rule.name for rule in rules if rule is not None and not rule.noise)
    noise = Counter(rule.name for rule in rules if rule is not None and rule.noise)
    unread = tuple(
        Unread(number, shown(line))
        for number, (line, rule) in enumerate(zip(lines, rules, strict=True), first)
        if rule is None
    )
    return Tally(kind, len(lines), dict(read), dict(noise), unread)


def shown(line: str) -> str:
    """A line as it may be shown and sent on: cut, without control characters, mail addresses, keys and long numbers.

    What looks personal is taken out of twice the length that is shown, so that no half of it stays at the cut.
    """
    text = "".join(c if c.isprintable() else " " for c in line[: 4 * LONGEST]).rstrip()
    for pattern, word in _PERSONAL:
        text = pattern.sub(word, text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + _ELLIPSIS
