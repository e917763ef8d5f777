"""The board of all phones' verdicts, by phone and by finding: counting, filtering, sorting, cutting. Plain values."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")
STATUSES = ("fail", "unknown", "grace", "pass")
"""A phone's verdict, the worst first."""
SEVERITIES = ("critical", "high", "medium", "low")
NO_SEVERITY = 9
EXEMPT = "exempt"
"""As a filter: phones with a breach that an exemption covers, whatever their verdict."""
OPEN = ("fail", "grace", "unknown", EXEMPT)
PAGE_SIZE = 50
_EVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LAST = "\uffff"


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One phone in service; `at` None: never judged, which is unknown. The counts are of its findings.

    `worst`: the place in `SEVERITIES` of its gravest breach, `NO_SEVERITY` without any. `waits`: it is to be judged
    again, by a newer policy or because something that counts has changed.
    """

    id: uuid.UUID
    centre_id: uuid.UUID
    centre: str
    tag: str
    serial: str
    model: str
    status: str
    failed: int
    unsure: int
    grace: int
    exempt: int
    worst: int
    at: dt.datetime | None
    changed_at: dt.datetime | None
    waits: bool
    post: str = ""
    person: str = ""

    @property
    def severity(self) -> str | None:
        return SEVERITIES[self.worst] if self.worst < len(SEVERITIES) else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader asked to see; None or empty: everything. `subject` only together with `code`."""

    text: str = ""
    centre_id: uuid.UUID | None = None
    status: str | None = None
    severity: str | None = None
    code: str | None = None
    subject: str | None = None
    sort: str = "worst"
    page: int = 1


@dataclass(frozen=True, slots=True)
class Cut(Generic[T]):
    """One page of rows, and how many there are."""

    rows: Sequence[T]
    found: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the phones of the centre asked for, before any other filter. `severities`: by their gravest breach."""

    total: int
    statuses: Mapping[str, int]
    severities: Mapping[str, int]
    exempt: int
    waiting: int


@dataclass(slots=True)
class FoundLine:
    """One finding, on how many phones it stands by status. `since`: when the first of them showed it, in µs."""

    code: str
    subject: str
    rank: int
    label: str
    since: int
    phones: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.phones.total()

    @property
    def severity(self) -> str | None:
        return SEVERITIES[self.rank] if self.rank < len(SEVERITIES) else None


def rank_of(severity: object) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else NO_SEVERITY


_SORTS: Mapping[str, Callable[[BoardLine], tuple[Any, ...]]] = {
    "worst": lambda line: (
        STATUSES.index(line.status), line.worst, -line.failed, -line.unsure, line.at is None, line.tag,
    ),
    "tag": lambda line: (line.tag,),
    "post": lambda line: (line.post or _LAST, line.tag),
    "changed": lambda line: (-(line.changed_at or _EVER).timestamp(), line.tag),
}  # fmt: skip
_FOUND_SORTS: Mapping[str, Callable[[FoundLine], tuple[Any, ...]]] = {
    "worst": lambda row: (row.rank, -row.phones["fail"], -row.total, row.code, row.subject),
    "phones": lambda row: (-row.total, row.code, row.subject),
    "since": lambda row: (row.since, row.code, row.subject),
}


def figures(lines: Sequence[BoardLine]) -> Figures:
    statuses = Counter(line.status for line in lines)
    severities = Counter(line.severity for line in lines)
    return Figures(
        total=len(lines),
        statuses={status: statuses[status] for status in STATUSES},
        severities={severity: severities[severity] for severity in SEVERITIES},
        exempt=sum(1 for line in lines if line.exempt),
        waiting=sum(1 for line in lines if line.waits),
    )


def filtered(
    lines: Iterable[BoardLine], wanted: Wanted, having: Collection[uuid.UUID] | None
) -> list[BoardLine]:
    """What fits, in the order asked for; an unknown sort name gives the worst first.

    `having`: the phones that show the finding asked for; None: none was asked for.
    """
    words = wanted.text.casefold().split()
    found = [
        line
        for line in lines
        if (having is None or line.id in having)
        and (not wanted.status or _has_status(line, wanted.status))
        and (not wanted.severity or line.severity == wanted.severity)
        and _has_words((line.tag, line.serial, line.model, line.centre, line.post, line.person), words)
    ]
    key = _SORTS.get(wanted.sort.removeprefix("-"), _SORTS["worst"])
    found.sort(key=key, reverse=wanted.sort.startswith("-"))
    return found


def cut(rows: Sequence[T], page: int) -> Cut[T]:
    """A page beyond the end gives the last one."""
    pages = max(1, -(-len(rows) // PAGE_SIZE))
    number = min(max(1, page), pages)
    return Cut(rows[(number - 1) * PAGE_SIZE : number * PAGE_SIZE], len(rows), number, pages)


def shows(findings: Iterable[Mapping[str, Any]], code: str, subject: str | None) -> bool:
    """Whether one of these stored findings is the one asked for, and no pass."""
    return any(
        f["code"] == code and f["status"] in OPEN and subject in (None, f["subject"]) for f in findings
    )


def by_finding(
    stored: Iterable[Sequence[Mapping[str, Any]]], wanted: Wanted, title_of: Callable[[str], str]
) -> list[FoundLine]:
    """The findings of many phones, each once, in the order asked for; of `wanted` what concerns findings counts."""
    words = wanted.text.casefold().split()
    kept: dict[tuple[str, str], FoundLine] = {}
    for findings in stored:
        for finding in findings:
            if finding["status"] not in OPEN or (wanted.status and finding["status"] != wanted.status):
                continue
            rank = rank_of(finding.get("severity"))
            if wanted.severity and rank != rank_of(wanted.severity):
                continue
            if wanted.code and finding["code"] != wanted.code:
                continue
            _count(kept, finding, rank)
    rows = [
        row
        for row in kept.values()
        if _has_words((title_of(row.code), row.code, row.subject, row.label), words)
    ]
    key = _FOUND_SORTS.get(wanted.sort.removeprefix("-"), _FOUND_SORTS["worst"])
    rows.sort(key=key, reverse=wanted.sort.startswith("-"))
    return rows


def _count(kept: dict[tuple[str, str], FoundLine], finding: Mapping[str, Any], rank: int) -> None:
    key = (finding["code"], finding["subject"])
    since = finding["first_seen"]
    row = kept.get(key)
    if row is None:
        label = finding["evidence"].get("label")
        row = kept[key] = FoundLine(*key, rank, label if isinstance(label, str) else "", since)
    row.phones[finding["status"]] += 1
    row.since = min(row.since, since)
    row.rank = min(row.rank, rank)


def _has_status(line: BoardLine, status: str) -> bool:
    return line.exempt > 0 if status == EXEMPT else line.status == status


def _has_words(texts: Iterable[str], words: Sequence[str]) -> bool:
    if not words:
        return True
    hay = " ".join(texts).casefold()
    return all(word in hay for word in words)
