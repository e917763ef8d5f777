"""A person lets a finding rest for some days. It stays a finding: only an exemption makes it none."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.duty import answerable
from app.kernel.errors import Conflict, Forbidden
from app.kernel.tenancy import Principal
from app.kernel.texts import required
from app.remedy import store
from app.remedy.model import RemedyCase
from app.remedy.shifting import shift
from app.remedy.states import LADDER, Event
from app.remedy.tools import DISMISSERS, MAX_REASON, Tools, body_of, span_of


def dismiss(
    session: Session, principal: Principal, tools: Tools, case_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> RemedyCase:
    """Raise `NotFound`, `Forbidden` (`own_phone` for who has the phone himself), `Invalid`, `Conflict`."""
    case = store.find(session, principal, case_id)
    principal.require_role(case.centre_id, *DISMISSERS)
    words = required(reason, "reason", "请写明理由 / say why", MAX_REASON)
    if principal.employee is not None and principal.employee in answerable(session, case.handset_id, now):
        raise Forbidden("自己保管的手机由别人决定 / not of the phone that you have", code="own_phone")
    if case.state not in LADDER:
        raise Conflict("现在的状态不能搁置，请刷新 / it cannot be dismissed now", code="remedy_state")
    until = now + span_of(body_of(session, tools, case.centre_id), "dismiss_days")
    shift(session, tools, case, Event.DISMISS, now, say=words, by=principal.user, rest_until=until)
    return case
