"""One phone's verdict for its page: with advice, exemptions, what it was judged by, and how it came about."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.compliance import board_store, exemption_listing, exemption_store
from app.compliance.advice import Advice, advice_for
from app.compliance.change_rules import Changes, changes_between
from app.compliance.exemption_listing import ExemptionLine
from app.compliance.exemption_rules import EXEMPTABLE
from app.compliance.exemption_service import ASKERS
from app.compliance.exemption_states import State
from app.compliance.finding_words import title_of
from app.compliance.rules import Status
from app.compliance.service import SUBJECT
from app.compliance.views import FindingView, Verdict, list_changes, verdicts
from app.kernel.tenancy import Principal
from app.policy import PolicyFiles, effective
from app.registry import Custody, Handset, find_handset, holder_of

_EXEMPTIONS_SHOWN = 20
_HISTORY = 10


@dataclass(frozen=True)
class FindingLine:
    """`exemption`: the one that covers it; `asked`: the request that waits; `may_ask`: whether the caller may ask."""

    view: FindingView
    title: str
    advice: Advice | None
    exemption: ExemptionLine | None
    asked: ExemptionLine | None
    may_ask: bool


@dataclass(frozen=True)
class Step:
    """A verdict that differed from the one before; `first`: there is none before. `new_policy`: judged by another."""

    verdict: Verdict
    changes: Changes[FindingView]
    first: bool
    new_policy: bool


@dataclass(frozen=True)
class PhonePage:
    """`wanted_version` and `stale`: the policy that holds now, and whether the verdict was made by another. `waits`: it
    will be judged again at the next run, for that or because something else changed.
    """

    phone: Handset
    custody: Custody | None
    verdict: Verdict
    open: Sequence[FindingLine]
    passed: Sequence[FindingLine]
    wanted_version: int
    stale: bool
    waits: bool
    exemptions: Sequence[ExemptionLine]
    history: Sequence[Step]
    next_cursor: str | None


def phone_page(
    session: Session,
    principal: Principal,
    handset_id: uuid.UUID,
    *,
    policies: PolicyFiles,
    cursor: str | None,
    now: dt.datetime,
) -> PhonePage:
    """Raise `NotFound` for a phone that the caller cannot see."""
    phone = find_handset(session, principal, handset_id)
    verdict = verdicts(session, principal, [phone.id])[phone.id]
    policy = effective(session, policies, SUBJECT, phone.centre_id)
    rows = exemption_store.of_phone(session, principal, phone.id, _EXEMPTIONS_SHOWN)
    own = exemption_listing.lines(session, principal, rows, now)
    covering = _covering(session, principal, verdict, now)
    may_ask = phone.retired_at is None and principal.may(phone.centre_id, *ASKERS)
    lines = [_line(view, covering, own, may_ask) for view in verdict.findings]
    stale = verdict.at is not None and verdict.policy_sha256 != policy.sha256
    due_at = board_store.due_at(session, phone.id)
    history, next_cursor = _history(session, principal, phone.id, cursor)
    return PhonePage(
        phone=phone,
        custody=holder_of(session, principal, phone.id, now),
        verdict=verdict,
        open=[line for line in lines if line.view.status is not Status.PASS],
        passed=[line for line in lines if line.view.status is Status.PASS],
        wanted_version=policy.version,
        stale=stale,
        waits=stale or (due_at is not None and due_at <= now),
        exemptions=own,
        history=history,
        next_cursor=next_cursor,
    )


def _covering(
    session: Session, principal: Principal, verdict: Verdict, now: dt.datetime
) -> Mapping[uuid.UUID, ExemptionLine]:
    ids = {f.exemption_id for f in verdict.findings if f.exemption_id is not None}
    if not ids:
        return {}
    rows = exemption_store.by_ids(session, principal, ids)
    return {
        line.row.id: line for line in exemption_listing.lines(session, principal, list(rows.values()), now)
    }


def _line(
    view: FindingView,
    covering: Mapping[uuid.UUID, ExemptionLine],
    own: Sequence[ExemptionLine],
    may_ask: bool,
) -> FindingLine:
    asked = next(
        (
            line
            for line in own
            if line.row.state == State.REQUESTED
            and (line.row.code, line.row.subject) == (view.code, view.subject)
        ),
        None,
    )
    breach = view.status in (Status.FAIL, Status.GRACE, Status.EXEMPT)
    return FindingLine(
        view=view,
        title=title_of(view.code),
        advice=advice_for(view.code, view.status),
        exemption=covering.get(view.exemption_id) if view.exemption_id else None,
        asked=asked,
        may_ask=may_ask and breach and asked is None and view.code in EXEMPTABLE,
    )


def _history(
    session: Session, principal: Principal, handset_id: uuid.UUID, cursor: str | None
) -> tuple[list[Step], str | None]:
    """A page of verdicts with what each changed; one more is read, for the last of them differs from one too."""
    page = list_changes(session, principal, handset_id, cursor=cursor, limit=_HISTORY)
    told = list(page.items)
    older = (
        list_changes(session, principal, handset_id, cursor=page.next_cursor, limit=1).items
        if page.next_cursor
        else ()
    )
    steps = []
    for verdict, before in zip(told, [*told[1:], *older, None], strict=False):
        steps.append(
            Step(
                verdict=verdict,
                changes=changes_between(before.findings if before else (), verdict.findings),
                first=before is None,
                new_policy=before is not None and before.policy_sha256 != verdict.policy_sha256,
            )
        )
    return steps, page.next_cursor
