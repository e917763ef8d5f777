"""What becomes of a breach with time: grace, exemption, and how long it is remembered. Plain values only.

A breach that is seen for the first time has a grace by its severity, counted from then. It goes on for as long as it
may still be there: what could not be read in between does not begin it anew, and neither does an app that is removed
and put back within the policy's `returns_days`; single findings, which a person has good reason to cause now and then,
have their own (`returns_days_of`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from app.compliance.finding_rules import BREACHED, BREACHES, ORDER, Finding, Status, hidden, section_of

SEVERITIES = ("critical", "high", "medium", "low")
RANK: Mapping[str, int] = MappingProxyType({name: rank for rank, name in enumerate(SEVERITIES)})
NO_RANK = 9
MOST_REMEMBERED = 500
"""A phone that is given other apps each day must not fill the database."""
_HOUR_US, _DAY_US = 3_600_000_000, 86_400_000_000
_BREACHED = frozenset(status.value for status in BREACHED)

Stored = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Grading:
    """`grace_us` by code, in microseconds; `returns_of` for codes that go otherwise than `returns_us`."""

    severity: Mapping[str, str]
    grace_us: Mapping[str, int]
    returns_us: int
    returns_of: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Cover:
    """What exempts a breach, until when (microseconds)."""

    exemption_id: str
    until_us: int


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is judged, when each section was last read as it is, and the newest reading; microseconds."""

    now_us: int
    read_us: int | None
    confirmed: Mapping[str, int]

    def seen(self, code: str) -> int | None:
        section = section_of(code)
        return self.read_us if section is None else self.confirmed.get(section, self.read_us)


@dataclass(frozen=True, slots=True)
class Graded:
    """Findings and memory as they are stored; `due_us`: the next end of a grace or an exemption."""

    findings: list[Stored]
    memory: list[Stored]
    due_us: int | None

    @property
    def statuses(self) -> set[Status]:
        return {Status(status) for status in {finding["status"] for finding in self.findings}}


def grading_of(body: Mapping[str, Any]) -> Grading:
    """From the policy's effective body (its schema was checked)."""
    hours, severity = body["grace_hours"], body["severity"]
    grace = {code: round(hours[grave] * _HOUR_US) for code, grave in severity.items()}
    # Bodies of before, by which rulings are replayed, have no values of single findings.
    returns_of = {code: days * _DAY_US for code, days in body.get("returns_days_of", {}).items()}
    return Grading(severity, grace, body["returns_days"] * _DAY_US, returns_of)


def grade(
    findings: Iterable[Finding],
    grading: Grading,
    moment: Moment,
    before: Sequence[Mapping[str, Any]],
    memory: Sequence[Mapping[str, Any]],
    cover: Callable[[str, str], Cover | None],
) -> Graded:
    """Findings as they are kept, the worst first, equals in the order in which they come. `before` and `memory`: what
    was kept the last time.
    """
    known = {(old["code"], old["subject"]): old for old in (*_alive(memory, grading, moment.now_us), *before)}
    stored: list[Stored] = []
    for finding in findings:
        row: Stored = {
            "code": finding.code,
            "subject": finding.subject,
            "status": str(finding.status),
            "severity": grading.severity.get(finding.code),
            "evidence": finding.evidence,
            "first_seen": moment.now_us,
            "last_seen": moment.seen(finding.code),
        }
        old = known.get((finding.code, finding.subject))
        if old is not None:
            row["first_seen"] = old["first_seen"]
        if finding.status is Status.FAIL:
            _temper(row, grading, moment.now_us, cover)
        stored.append(row)
    stored.sort(key=_order)
    kept = _remembered(stored, known.values(), moment.now_us)
    ends = [row[name] for row in stored for name in ("grace_until", "exempt_until") if name in row]
    return Graded(stored, kept, min(ends, default=None))


def _temper(row: Stored, grading: Grading, now_us: int, cover: Callable[[str, str], Cover | None]) -> None:
    """Whether a breach fails already."""
    exempted = cover(row["code"], row["subject"])
    grace_until = row["first_seen"] + grading.grace_us[row["code"]]
    if exempted is not None:
        row["status"] = Status.EXEMPT.value
        row["exemption_id"], row["exempt_until"] = exempted.exemption_id, exempted.until_us
    elif now_us < grace_until:
        row["status"], row["grace_until"] = Status.GRACE.value, grace_until


def _order(row: Stored) -> tuple[int, int]:
    return ORDER[row["status"]], RANK.get(row["severity"], NO_RANK)


def _alive(memory: Sequence[Mapping[str, Any]], grading: Grading, now_us: int) -> list[Mapping[str, Any]]:
    return [
        old
        for old in memory
        if old["gone_at"] is None
        or now_us - old["gone_at"] <= grading.returns_of.get(old["code"], grading.returns_us)
    ]


def _remembered(stored: Sequence[Stored], known: Collection[Mapping[str, Any]], now_us: int) -> list[Stored]:
    """Breaches that are no longer shown. The days run from when it is proved that they are gone."""
    shown = {(row["code"], row["subject"]) for row in stored}
    missing = [
        old
        for old in known
        if old["code"] in BREACHES
        and ("gone_at" in old or old["status"] in _BREACHED)
        and (old["code"], old["subject"]) not in shown
    ]
    if not missing:
        return []
    unknowns = {(row["code"], row["subject"]) for row in stored if row["status"] == Status.UNKNOWN}
    kept: list[Stored] = []
    for old in missing:
        gone = "gone_at" in old
        users = old.get("users") if gone else _users(old["evidence"])
        may_be_there = hidden(old["code"], old["subject"], users, unknowns)
        since = old.get("gone_at") if old.get("gone_at") is not None else now_us
        kept.append(
            {
                "code": old["code"],
                "subject": old["subject"],
                "first_seen": old["first_seen"],
                "last_seen": old.get("last_seen"),
                "users": users,
                "gone_at": None if may_be_there else since,
            }
        )
    kept.sort(
        key=lambda old: (old["gone_at"] is not None, -(old["gone_at"] or 0), old["code"], old["subject"])
    )
    return kept[:MOST_REMEMBERED]


def _users(evidence: Mapping[str, Any]) -> list[int] | None:
    if "users" in evidence:
        return list(evidence["users"])
    return [evidence["user"]] if "user" in evidence else None


def counts(stored: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The columns of a verdict that lists sort and filter by."""
    found = Counter((row["status"], row["severity"]) for row in stored)
    statuses: Counter[str] = Counter()
    for (status, _), number in found.items():
        statuses[status] += number
    grave = [RANK[severity] for status, severity in found if status in (Status.FAIL, Status.GRACE)]
    return {
        "failed": statuses[Status.FAIL],
        "unsure": statuses[Status.UNKNOWN],
        "grace": statuses[Status.GRACE],
        "exempt": statuses[Status.EXEMPT],
        "worst_severity": min(grave, default=NO_RANK),
    }
