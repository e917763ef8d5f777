"""What the pages and the API show of cases."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.compliance import subject_words
from app.duty import answerable
from app.fleet import actor_names
from app.guides import family_of, guide_path
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import SYSTEM, Principal
from app.labels import labels_for, name_of
from app.registry import Handset, held_by, holders_of, live_centres
from app.remedy import store
from app.remedy.instructions import FOR_IT, steps_for
from app.remedy.model import RemedyCase, RemedyStep
from app.remedy.rails import Look, blockers
from app.remedy.restoring import RESTORABLE
from app.remedy.rules import Blocker, step_at, target_of
from app.remedy.states import LADDER, ORDERABLE, State
from app.remedy.tools import DISMISSERS, ORDERERS, Tools, body_of

SORTS: Mapping[str, Sequence[SortKey]] = {
    "-opened": (SortKey("opened_at", RemedyCase.opened_at, descending=True),),
    "opened": (SortKey("opened_at", RemedyCase.opened_at),),
    "state": (SortKey("state", RemedyCase.state),),
    "-state": (SortKey("state", RemedyCase.state, descending=True),),
    "code": (SortKey("code", RemedyCase.code),),
    "-code": (SortKey("code", RemedyCase.code, descending=True),),
}


@dataclass(frozen=True)
class Line:
    """A case in a list. `holder`: who has the phone now, empty: nobody. `app`: its name for people, empty: no app;
    `about`: what the case is about in words, the app or anything else.
    """

    case: RemedyCase
    phone: Handset
    centre: str
    holder: str
    app: str
    about: str


def page_of(
    session: Session,
    principal: Principal,
    *,
    states: Collection[str] = (),
    code: str | None = None,
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    words: str = "",
    sort: str = "",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[RemedyCase]:
    query = store.query(
        principal, states=states, code=code, centre_id=centre_id, handset_id=handset_id, words=words
    )
    keys = [*SORTS.get(sort, SORTS["-opened"]), SortKey("id", RemedyCase.id, descending=True)]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def lines(
    session: Session, principal: Principal, tools: Tools, cases: Sequence[RemedyCase], now: dt.datetime
) -> list[Line]:
    """Of cases that the caller may see."""
    phones = store.phones(session, {case.handset_id for case in cases})
    held = holders_of(session, SYSTEM, list(phones), now)
    centres = dict(live_centres(session, principal))
    labels = {c: labels_for(session, tools.policies, c) for c in {case.centre_id for case in cases}}
    return [
        Line(
            case,
            phones[case.handset_id],
            centres.get(case.centre_id, ""),
            (held[case.handset_id].employee_name or "") if case.handset_id in held else "",
            name_of(case.package, labels[case.centre_id]) if case.package else "",
            _about(case, labels[case.centre_id]),
        )
        for case in cases
    ]


def _about(case: RemedyCase, labels: Mapping[str, str]) -> str:
    if case.package and case.subject == case.package:
        return name_of(case.package, labels)
    return subject_words(case.subject, "", labels) if case.subject else ""


@dataclass(frozen=True)
class CaseView:
    """One case with all that its page shows. `blocked`: why it cannot be ordered now; `removable`: it ever can."""

    line: Line
    steps: Sequence[RemedyStep]
    names: Mapping[str, str]
    acts: frozenset[str]
    removable: bool
    blocked: Sequence[Blocker]
    todo: Sequence[str]
    next_at: dt.datetime | None
    guide: str
    loss: Sequence[str] = field(default_factory=tuple)


def case_view(
    session: Session, principal: Principal, tools: Tools, case_id: uuid.UUID, now: dt.datetime
) -> CaseView:
    """Raise `NotFound` for what the caller cannot see."""
    case = store.find(session, principal, case_id)
    line = lines(session, principal, tools, [case], now)[0]
    steps = store.steps_of(session, case.id)
    body = body_of(session, tools, case.centre_id)
    removable = case.code in body["removable"] and target_of(case.subject, case.evidence) is not None
    asks = removable and case.state in ORDERABLE
    return CaseView(
        line=line,
        steps=steps,
        names=actor_names(
            session, {step.by for step in steps} | ({case.ordered_by} if case.ordered_by else set())
        ),
        acts=_acts(session, principal, case, removable, now),
        removable=removable,
        blocked=blockers(session, tools, case, Look.SHOW, now) if asks else (),
        todo=steps_for(case.code, line.phone.brand),
        next_at=_next(case, body),
        guide=guide_path(family_of(line.phone.brand)),
        loss=tuple(body["acts"]) if asks else (),
    )


def _acts(
    session: Session, principal: Principal, case: RemedyCase, removable: bool, now: dt.datetime
) -> frozenset[str]:
    found = set()
    orders, lets_rest = principal.may(case.centre_id, *ORDERERS), principal.may(case.centre_id, *DISMISSERS)
    if orders and removable and case.state in ORDERABLE:
        found.add("order")
    if orders and case.state == State.ORDERED:
        found.add("cancel")
    if orders and case.state == State.REMOVED and case.outcome in RESTORABLE:
        found.add("restore")
    own = principal.employee is not None and principal.employee in answerable(session, case.handset_id, now)
    if lets_rest and not own and case.state in LADDER:
        found.add("dismiss")
    return frozenset(found)


def _next(case: RemedyCase, body: Mapping[str, Any]) -> dt.datetime | None:
    """When the ladder goes on by itself."""
    if case.failing_since is None or case.state not in (State.TOLD_BUTLER, State.TOLD_LEAD):
        return None
    step = "lead" if case.state == State.TOLD_BUTLER else "act"
    return step_at(body, case.severity, case.failing_since, step)


@dataclass(frozen=True)
class OwnCase:
    """A case of a phone that one has oneself. `todo` empty: nothing that he should do, IT does it."""

    line: Line
    todo: Sequence[str]
    until: dt.datetime | None


def own_cases(session: Session, principal: Principal, tools: Tools, now: dt.datetime) -> list[OwnCase]:
    """Open cases of the phones that the caller has."""
    if principal.employee is None:
        return []
    cases = store.own(session, _mine(session, principal.employee, now))
    return [
        OwnCase(
            line,
            () if line.case.code in FOR_IT else steps_for(line.case.code, line.phone.brand),
            _next(line.case, body_of(session, tools, line.case.centre_id)),
        )
        for line in lines(session, SYSTEM, tools, cases, now)
    ]


def _mine(session: Session, employee_id: uuid.UUID, now: dt.datetime) -> set[uuid.UUID]:
    """By custody, or because it is entrusted to him."""
    held = {one.handset_id for one in held_by(session, SYSTEM, employee_id, now)}
    return held | store.entrusted(session, employee_id, now)
