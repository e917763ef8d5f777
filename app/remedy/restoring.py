"""Bring back an app that was disabled or suspended. What was uninstalled is installed by a person."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.commands import enqueue
from app.kernel.errors import Conflict
from app.kernel.tenancy import Principal
from app.kernel.texts import required
from app.remedy import store
from app.remedy.identity import expect_of
from app.remedy.model import RemedyCase
from app.remedy.ordering import target_args
from app.remedy.rails import of_phone, refuse
from app.remedy.shifting import shift
from app.remedy.states import Event, State
from app.remedy.tools import MAX_REASON, ORDERERS, RESTORE, Tools, body_of, span_of

RESTORABLE = ("disabled", "suspended")


def restore(
    session: Session, principal: Principal, tools: Tools, case_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> RemedyCase:
    """Raise `NotFound`, `Forbidden`, `Invalid` without a reason, `Conflict` for what cannot be brought back so,
    or `blocked` while the phone is not to be touched.

    The list still decides: an app that it does not allow is a finding again, and begins a case of its own.
    """
    case = store.find(session, principal, case_id)
    principal.require_role(case.centre_id, *ORDERERS)
    words = required(reason, "reason", "请写明理由 / say why", MAX_REASON)
    if case.state != State.REMOVED or case.outcome not in RESTORABLE or not case.users:
        raise Conflict("只有已停用或暂停的应用能恢复 / it cannot be brought back so", code="remedy_state")
    body, phone = body_of(session, tools, case.centre_id), store.lock_phone(session, case.handset_id)
    refuse(list(of_phone(session, case, phone, body, now)), "恢复")
    shift(
        session, tools, case, Event.RESTORE, now, say=words, by=principal.user, place=0, agent_id=None,
        command_id=None, sent_at=None,
    )  # fmt: skip
    next_restore(session, principal, tools, case, expect_of(session, case.handset_id), now)
    return case


def next_restore(
    session: Session, principal: Principal, tools: Tools, case: RemedyCase, expect: Mapping[str, Any] | None,
    now: dt.datetime,
) -> None:  # fmt: skip
    """The command for the user whose turn it is. `expect` as in `ordering.queue`."""
    expires = span_of(body_of(session, tools, case.centre_id), "order_minutes")
    command, made = enqueue(
        session,
        principal,
        case.handset_id,
        RESTORE,
        target_args(case, expect),
        dedup_key=f"remedy:{case.id}",
        expires_in=expires,
        now=now,
    )
    if not made:
        raise Conflict("这个应用还有一条没办完的指令 / an order is not yet done", code="app_at_work")
    store.write(session, case, command_id=command.id, due_at=now + expires + dt.timedelta(minutes=5))
