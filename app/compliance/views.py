"""What the pages and the API show of verdicts."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.orm import Session

from app.compliance import store
from app.compliance.finding_rules import CLAUSE, POWER, Finding, Status, section_of
from app.compliance.model import ComplianceChange, ComplianceVerdict
from app.compliance.texts import text_of
from app.kernel.db import from_us
from app.kernel.paging import Page, SortKey, paginate
from app.kernel.tenancy import SYSTEM, Principal
from app.readings import PhoneNow, phone_states
from app.registry import find_handset


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding in words. `first_seen`: since when it holds without a break; `last_seen`: the reading that last showed
    it. Both, and `severity`, may be None in verdicts that were given before they were kept.
    """

    code: str
    subject: str
    status: Status
    clause: str
    zh: str
    en: str
    evidence: Mapping[str, Any]
    first_seen: dt.datetime
    last_seen: dt.datetime | None = None
    severity: str | None = None
    grace_until: dt.datetime | None = None
    exempt_until: dt.datetime | None = None
    exemption_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A phone's present verdict, the worst findings first; a phone that was never judged is unknown, `at` None."""

    handset_id: uuid.UUID
    centre_id: uuid.UUID | None = None
    status: Status = Status.UNKNOWN
    findings: tuple[FindingView, ...] = ()
    policy_version: int | None = None
    policy_sha256: str | None = None
    at: dt.datetime | None = None
    changed_at: dt.datetime | None = None

    def count(self, status: Status) -> int:
        return sum(finding.status is status for finding in self.findings)


def verdicts(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, Verdict]:
    """A verdict for each phone asked for; those outside the caller's centres come out as never judged."""
    found = {handset_id: Verdict(handset_id) for handset_id in handset_ids}
    rows = store.verdicts(session, principal, found) if found else []
    return found | {verdict.handset_id: verdict for verdict in _present(session, rows)}


@dataclass(frozen=True, slots=True)
class Tally:
    """A verdict as lists of many phones show it: how many findings fail, how many are unknown."""

    status: Status = Status.UNKNOWN
    failed: int = 0
    unsure: int = 0


def tallies(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, Tally]:
    """As `verdicts`, without the words: those of a whole fleet cost more than all the rest of its page."""
    found = dict.fromkeys(handset_ids, Tally())
    for handset_id, status, findings in store.stored_findings(session, principal, found):
        counted = Counter(finding["status"] for finding in orjson.loads(findings))
        found[handset_id] = Tally(Status(status), counted[Status.FAIL], counted[Status.UNKNOWN])
    return found


def verdict_of(session: Session, principal: Principal, handset_id: uuid.UUID) -> Verdict:
    """Raise `NotFound` for a phone that the caller cannot see."""
    find_handset(session, principal, handset_id)
    return verdicts(session, principal, [handset_id])[handset_id]


def list_verdicts(
    session: Session,
    principal: Principal,
    *,
    status: str | None,
    centre_id: uuid.UUID | None,
    cursor: str | None,
    limit: int,
) -> Page[Verdict]:
    """Judged phones in service, the latest change first."""
    keys = [
        SortKey("changed_at", ComplianceVerdict.changed_at, descending=True),
        SortKey("handset_id", ComplianceVerdict.handset_id),
    ]
    query = store.verdicts_query(principal, status, centre_id)
    page = paginate(session, query, keys, cursor=cursor, limit=limit)
    return Page(_present(session, page.items), page.next_cursor)


def list_changes(
    session: Session, principal: Principal, handset_id: uuid.UUID, *, cursor: str | None, limit: int
) -> Page[Verdict]:
    """A phone's verdicts as they changed, the newest first. Raise `NotFound` for a phone that the caller cannot see."""
    find_handset(session, principal, handset_id)
    keys = [SortKey("id", ComplianceChange.id, descending=True)]
    page = paginate(session, store.changes_query(principal, handset_id), keys, cursor=cursor, limit=limit)
    return Page([_verdict(row) for row in page.items], page.next_cursor)


def _present(session: Session, rows: Sequence[ComplianceVerdict]) -> list[Verdict]:
    """Present verdicts. A reading that finds nothing new judges nothing and yet shows once more what was found."""
    states = phone_states(session, SYSTEM, [row.handset_id for row in rows]) if rows else {}
    return [_verdict(row, states.get(row.handset_id)) for row in rows]


def _verdict(row: ComplianceVerdict | ComplianceChange, state: PhoneNow | None = None) -> Verdict:
    judged_at, changed_at = (
        (row.at, row.at) if isinstance(row, ComplianceChange) else (row.judged_at, row.changed_at)
    )
    return Verdict(
        handset_id=row.handset_id,
        centre_id=row.centre_id,
        status=Status(row.status),
        findings=tuple(_finding(stored, state) for stored in orjson.loads(row.findings)),
        policy_version=row.policy_version,
        policy_sha256=row.policy_sha256,
        at=judged_at,
        changed_at=changed_at,
    )


def _finding(stored: Mapping[str, Any], state: PhoneNow | None) -> FindingView:
    finding = Finding(stored["code"], stored["subject"], Status(stored["status"]), stored["evidence"])
    chinese, english = text_of(finding)
    return FindingView(
        code=finding.code,
        subject=finding.subject,
        status=finding.status,
        clause=CLAUSE,
        zh=chinese,
        en=english,
        evidence=finding.evidence,
        first_seen=from_us(stored["first_seen"]),
        last_seen=_last_seen(stored, state),
        severity=stored.get("severity"),
        grace_until=_instant(stored, "grace_until"),
        exempt_until=_instant(stored, "exempt_until"),
        exemption_id=uuid.UUID(stored["exemption_id"]) if stored.get("exemption_id") else None,
    )


def _last_seen(stored: Mapping[str, Any], state: PhoneNow | None) -> dt.datetime | None:
    kept = _instant(stored, "last_seen")
    if state is None or stored["status"] == Status.UNKNOWN.value:
        return kept
    section = section_of(stored["code"])
    shown = state.at if section in (None, POWER) else state.confirmed.get(str(section))
    return max((at for at in (kept, shown) if at is not None), default=None)


def _instant(stored: Mapping[str, Any], name: str) -> dt.datetime | None:
    us = stored.get(name)
    return None if us is None else from_us(us)
