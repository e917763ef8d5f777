"""Reports as staff see them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal
from app.people import names_of
from app.policy import PolicyFiles
from app.reports import code_store, service, store
from app.reports.model import CustomerReport, ReportChange


@dataclass(frozen=True)
class ReportLine:
    """A report with the words around it. `household`: the room as registered, of what matched or was chosen."""

    report: CustomerReport
    post: str
    grid: str
    household: str
    judged_by: str


@dataclass(frozen=True)
class ReportView:
    """One report with all that its judge needs. `merged`: forms of the same code that were only counted that day."""

    line: ReportLine
    households: Sequence[tuple[uuid.UUID, str]]
    history: Sequence[tuple[ReportChange, str]]
    others: Sequence[CustomerReport]
    merged: int
    may_judge: bool


def report_lines(
    session: Session,
    principal: Principal,
    *,
    state: str | None = None,
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    words: str = "",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[ReportLine]:
    """The latest first."""
    page = list_reports(
        session, principal, state=state, centre_id=centre_id, handset_id=handset_id, words=words, cursor=cursor,
        limit=limit,
    )  # fmt: skip
    return Page(_lines(session, page.items), page.next_cursor)


def list_reports(
    session: Session,
    principal: Principal,
    *,
    state: str | None = None,
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    words: str = "",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[CustomerReport]:
    """The latest first, as they are stored."""
    query = store.query(principal, state=state, centre_id=centre_id, handset_id=handset_id, words=words)
    keys = [
        SortKey("received_at", CustomerReport.received_at, descending=True),
        SortKey("id", CustomerReport.id, descending=True),
    ]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def report_view(
    session: Session, principal: Principal, report_id: uuid.UUID, policies: PolicyFiles
) -> ReportView:
    """Raise `NotFound`, also for a foreign centre's."""
    report = service.get(session, principal, report_id)
    changes = store.changes(session, report.id)
    names = names_of(session, {change.by for change in changes})
    code = code_store.of_post(session, report.post_id)
    since = report.received_at - dt.timedelta(days=1)
    limit = policies.latest("reports").body["per_code_hour"]
    merged = store.merged(session, [str(code.id)], since, limit) if code else {}
    others = store.others_of_household(session, report, since)
    return ReportView(
        line=_lines(session, [report])[0],
        households=list(store.rooms(session, report.grid_id).items()),
        history=[(change, names.get(change.by, change.by)) for change in changes],
        others=others,
        merged=sum(merged.values()),
        may_judge=service.may_judge(session, principal, report),
    )


def counts(session: Session, principal: Principal) -> dict[str, int]:
    return store.counts(session, principal)


def _lines(session: Session, reports: Sequence[CustomerReport]) -> list[ReportLine]:
    places = store.places(session, {r.post_id for r in reports})
    rooms = store.room_names(session, {r.household_id for r in reports if r.household_id})
    names = names_of(session, {r.judged_by for r in reports if r.judged_by})
    return [
        ReportLine(
            report=r,
            post=places[r.post_id][0],
            grid=places[r.post_id][1],
            household=rooms.get(r.household_id, "") if r.household_id else "",
            judged_by=names.get(r.judged_by, r.judged_by) if r.judged_by else "",
        )
        for r in reports
    ]
