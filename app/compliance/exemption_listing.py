"""Exemptions as lists show them: sorted, paged, with names, and what the reader may do."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.compliance import exemption_store as store
from app.compliance.exemption_model import ComplianceExemption
from app.compliance.exemption_rules import last_day
from app.compliance.exemption_service import acts_of
from app.compliance.exemption_states import WORDS, State
from app.compliance.finding_words import title_of
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal
from app.people import names_of

_Row = ComplianceExemption
_BADGES = {State.REQUESTED: "busy", State.APPROVED: "good", State.DECLINED: "bad"}
SORTS: Mapping[str, tuple[SortKey, ...]] = {
    "asked": (SortKey("requested_at", _Row.requested_at), SortKey("id", _Row.id)),
    "-asked": (
        SortKey("requested_at", _Row.requested_at, descending=True),
        SortKey("id", _Row.id, descending=True),
    ),
    "ends": (SortKey("valid_to", _Row.valid_to), SortKey("id", _Row.id)),
    "-ends": (SortKey("valid_to", _Row.valid_to, descending=True), SortKey("id", _Row.id, descending=True)),
}
LATEST = "-asked"


@dataclass(frozen=True)
class ExemptionLine:
    """`last`: the last day that it covers, in Shanghai. `acts`: what the one who looks may do now."""

    row: ComplianceExemption
    tag: str
    centre: str
    title: str
    asked_by: str
    decided_by: str
    ended_by: str
    badge: str
    word: str
    last: dt.date
    acts: tuple[str, ...]


def exemptions(
    session: Session,
    principal: Principal,
    *,
    wanted: Sequence[str] = (),
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    code: str | None = None,
    words: str = "",
    sort: str = LATEST,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[ComplianceExemption]:
    """The latest request first, or by a name of `SORTS`."""
    query = store.listed(
        principal, wanted=wanted, centre_id=centre_id, handset_id=handset_id, code=code, words=words
    )
    return paginate(session, query, SORTS.get(sort, SORTS[LATEST]), cursor=cursor, limit=limit)


def one(session: Session, principal: Principal, exemption_id: uuid.UUID) -> ComplianceExemption:
    """Raise `NotFound`, also for a foreign centre's."""
    return store.find(session, principal, exemption_id)


def lines(
    session: Session, principal: Principal, rows: Sequence[ComplianceExemption], now: dt.datetime
) -> list[ExemptionLine]:
    tags = store.tags(session, {row.handset_id for row in rows if row.handset_id is not None})
    centres = store.centre_names(session, {row.centre_id for row in rows})
    actors = {a for row in rows for a in (row.requested_by, row.decided_by, row.ended_by) if a}
    names = names_of(session, actors)
    return [
        ExemptionLine(
            row=row,
            tag=tags[row.handset_id] if row.handset_id else "",
            centre=centres[row.centre_id],
            title=title_of(row.code),
            asked_by=names.get(row.requested_by, ""),
            decided_by=names.get(row.decided_by or "", ""),
            ended_by=names.get(row.ended_by or "", ""),
            badge=_BADGES.get(State(row.state), "quiet"),
            word=WORDS[State(row.state)],
            last=last_day(row.valid_to),
            acts=acts_of(principal, row, now),
        )
        for row in rows
    ]
