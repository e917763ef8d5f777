"""Lines of the first page: counting, searching, sorting, paging. Plain values only."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

POWER_NOW = ("on", "unknown")
"""A phone that is off cannot say so: a present "off" would be a guess, and a count of them always nought."""
_WORST_FIRST = ("unknown", "on")
VERDICTS = ("fail", "unknown", "grace", "pass")
PAGE_SIZE = 50
_EVER = dt.datetime.min.replace(tzinfo=dt.UTC)
_LAST = "\uffff"


@dataclass(frozen=True)
class PhoneLine:
    """What the first page tells of one phone. `power` and `verdict` have three values each and are never left out."""

    id: uuid.UUID
    centre_id: uuid.UUID
    centre_name: str
    asset_tag: str
    serial: str
    model: str
    post: str | None
    employee: str | None
    power: str
    power_since: dt.datetime | None
    last_proof_at: dt.datetime | None
    verdict: str
    failed: int
    unsure: int
    battery_percent: int | None
    charging: bool | None
    contact_at: dt.datetime | None
    gateway: str | None
    unreached: str | None
    waiting: int


@dataclass(frozen=True)
class Wanted:
    """What the reader asked to see; None: everything."""

    text: str = ""
    centre_id: uuid.UUID | None = None
    power: str | None = None
    verdict: str | None = None
    sort: str = "tag"
    page: int = 1


@dataclass(frozen=True)
class Shown:
    """One page of lines, how many fit the filters in all, and the counts before any filter but the centre's."""

    lines: Sequence[PhoneLine]
    found: int
    page: int
    pages: int
    total: int
    power: Mapping[str, int]
    verdicts: Mapping[str, int]
    waiting: int


_SORTS: Mapping[str, Callable[[PhoneLine], tuple[object, ...]]] = {
    "tag": lambda line: (line.asset_tag,),
    "post": lambda line: (line.post or _LAST, line.asset_tag),
    "power": lambda line: (_WORST_FIRST.index(line.power), line.asset_tag),
    "verdict": lambda line: (VERDICTS.index(line.verdict), -line.failed, line.asset_tag),
    "battery": lambda line: (101 if line.battery_percent is None else line.battery_percent, line.asset_tag),
    "contact": lambda line: (line.contact_at or _EVER, line.asset_tag),
    "waiting": lambda line: (-line.waiting, line.asset_tag),
}
SORTS = tuple(_SORTS)


def show(lines: Sequence[PhoneLine], wanted: Wanted) -> Shown:
    """Filter, sort and cut. A page beyond the end gives the last one; an unknown sort name the order by asset tag."""
    mine = [line for line in lines if wanted.centre_id in (None, line.centre_id)]
    found = [line for line in mine if _fits(line, wanted)]
    name = wanted.sort.removeprefix("-")
    found.sort(key=_SORTS.get(name, _SORTS["tag"]), reverse=wanted.sort.startswith("-"))
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(max(1, wanted.page), pages)
    return Shown(
        lines=found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
        found=len(found),
        page=page,
        pages=pages,
        total=len(mine),
        power=_counts((line.power for line in mine), POWER_NOW),
        verdicts=_counts((line.verdict for line in mine), VERDICTS),
        waiting=sum(1 for line in mine if line.waiting),
    )


def _fits(line: PhoneLine, wanted: Wanted) -> bool:
    if wanted.power and line.power != wanted.power:
        return False
    if wanted.verdict and line.verdict != wanted.verdict:
        return False
    words = wanted.text.casefold().split()
    if not words:
        return True
    texts = (line.asset_tag, line.serial, line.model, line.post, line.employee, line.centre_name)
    hay = " ".join(text for text in texts if text).casefold()
    return all(word in hay for word in words)


def _counts(values: Iterable[str], names: Sequence[str]) -> dict[str, int]:
    counter = Counter(values)
    return {name: counter[name] for name in names}


@dataclass(frozen=True)
class Unread:
    """A part of the newest reading that could not be read; `older`: what is shown of it is from an earlier reading."""

    part: str
    reason: str
    older: bool


def unread_of(unread: Iterable[tuple[str, str]], sections: Mapping[str, Any]) -> list[Unread]:
    return [Unread(part, reason, part in sections) for part, reason in unread]


APPS_SHOWN = 300


@dataclass(frozen=True)
class AppList:
    """Apps of a phone that fit a search. `known` is False when the list was never read: that is not an empty one."""

    known: bool
    rows: Sequence[Mapping[str, Any]] = ()
    total: int = 0
    hidden: int = 0
    more: bool = False
    text: str = ""
    system: bool = False


def list_apps(
    packages: Sequence[Mapping[str, Any]] | None, text: str, *, system: bool, labels: Mapping[str, str]
) -> AppList:
    """Search by label, package name or installer; the system's own apps only where asked for, unless it is not known.
    Those that have a name come first.
    """
    if packages is None:
        return AppList(known=False, text=text, system=system)
    shown = [p for p in packages if system or not p.get("system")]
    word = text.strip().casefold()
    fitting = [
        p
        for p in shown
        if word in f"{p['name']}\0{labels.get(p['name'], '')}\0{p.get('installer') or ''}".casefold()
    ]
    fitting.sort(key=lambda p: (p["name"] not in labels, p["name"], p["user"]))
    return AppList(
        known=True,
        rows=fitting[:APPS_SHOWN],
        total=len(shown),
        hidden=len(packages) - len(shown),
        more=len(fitting) > APPS_SHOWN,
        text=text,
        system=system,
    )
