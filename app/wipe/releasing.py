"""Somebody at the phone sends the order. It is signed when a gateway takes it, and every rail looked at again."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session

from app.audit import MARK
from app.commands import cancel as cancel_command
from app.commands import enqueue
from app.kernel.errors import Conflict, Forbidden
from app.kernel.tenancy import Principal
from app.kernel.texts import required, wrong
from app.registry import normal_imei
from app.wipe import store
from app.wipe.asking import typed_wrong
from app.wipe.identity import Reading, reading_of
from app.wipe.marks import release_mark
from app.wipe.model import Wipe
from app.wipe.noting import write_step
from app.wipe.rails import Look, blockers, refuse
from app.wipe.rules import BY_AGENT, over, typed_right
from app.wipe.states import Event, State
from app.wipe.tools import APPROVERS, PERFORMERS, Tools, policy_of, span_of

KIND = "wipe_phone"


def release(
    session: Session,
    principal: Principal,
    tools: Tools,
    wipe_id: uuid.UUID,
    *,
    typed_tag: str,
    typed_imei6: str,
    imei_typed: str | None,
    now: dt.datetime,
) -> Wipe:
    """Queue the order for the gateway that has the phone. `imei_typed`: what `*#06#` shows, asked for where the phone
    hides its IMEI. By who performs, never by who approved.

    Raise `Invalid` (`typed_wrong`, `imei_needed`), `Forbidden`, `Conflict`: `blocked`, `not_at_hand` without a fresh
    reading by a gateway, `by_hand` for a strategy that is not the gateway's, or of the state.
    """
    row = at_phone(session, principal, wipe_id, typed_tag, typed_imei6)
    if row.strategy != "test_harness":
        raise Conflict("这次清除由人在手机上进行，请用“开始手工重置” / done by hand", code="by_hand")
    store.lock_centre(session, row.centre_id)
    policy = policy_of(session, tools, row.centre_id)
    read = fresh(session, row, now, span_of(policy.body, "reading_minutes"))
    typed = _imei(row, imei_typed, needed=not read.imeis)
    if read.android_id is None:
        raise Conflict(
            "读不到手机的 Android ID，网关认不准它：请改用手工恢复出厂 / its android_id is not known",
            code="not_at_hand",
        )
    refuse(blockers(session, tools, row, Look.RELEASE, now, by=principal.user))
    expires = span_of(policy.body, "release_minutes")
    if typed is not None:
        expires = min(expires, span_of(policy.body, "typed_minutes"))
    args = order_args(row, read.expect, typed)
    command, made = enqueue(
        session, principal, row.handset_id, KIND, args, dedup_key="wipe", expires_in=expires, now=now
    )
    if not made:
        raise Conflict("这台手机还有一条没办完的清除指令 / an order is not yet done", code="wipe_busy")
    store.move(
        session, row, Event.RELEASE, now, tries=row.tries + 1, done_by=BY_AGENT, released_by=principal.user,
        released_at=now, imei_typed=typed, expect=read.expect, command_id=command.id, why=None,
        lock_cleared=still_open(row, read), agent_id=None, proof_photo=None,
    )  # fmt: skip
    bind(session, row, principal.user, now, "release", command=str(command.id))
    return row


def still_open(row: Wipe, read: Reading | None) -> bool:
    """Whether a lock that was cleared at an earlier try may still be off: it is, until it is read as set again."""
    return row.lock_cleared and (read is None or read.lock != "set")


def order_args(row: Wipe, expect: dict[str, Any], imei_typed: str | None) -> dict[str, Any]:
    """The arguments of the command; the queue's row must still say the same when it leaves."""
    return {"wipe": str(row.id), "strategy": row.strategy, "expect": expect, "imei_typed": imei_typed}


def bind(session: Session, row: Wipe, user: str, now: dt.datetime, step: str, **details: Any) -> None:
    """Note a release so that its row cannot be altered unseen."""
    mark = release_mark(row)
    store.write(session, row, now, release_mark=mark)
    write_step(session, row, step, "", user, now, **{MARK: mark, "try": row.tries, **details})


def at_phone(
    session: Session, principal: Principal, wipe_id: uuid.UUID, typed_tag: str, typed_imei6: str
) -> Wipe:
    """The wipe, for whoever stands before its phone and may erase it. Raise `Forbidden`, `Invalid` `typed_wrong`."""
    row = store.find(session, principal, wipe_id)
    principal.require_role(row.centre_id, *PERFORMERS)
    principal.require_person()
    if principal.user in (row.approved_by, row.second_by):
        raise Forbidden(
            "批准的人不执行，请另一位 IT 执行 / who approved does not perform", code="own_approval"
        )
    if not typed_right(row.asset_tag, row.imeis, typed_tag, typed_imei6):
        raise typed_wrong()
    return row


def fresh(session: Session, row: Wipe, now: dt.datetime, span: dt.timedelta) -> Reading:
    """The reading of some minutes ago, by a gateway, of this very phone. Raise `Conflict` `not_at_hand`."""
    read = reading_of(session, row.handset_id)
    if read is None or over(read.at, now, span):
        minutes = int(span.total_seconds() // 60)
        raise Conflict(
            f"网关在最近 {minutes} 分钟内没有读到这台手机：接好线、点“立即读取”再来 / no fresh reading",
            code="not_at_hand",
        )
    return read


def _imei(row: Wipe, typed: str | None, *, needed: bool) -> str | None:
    if not typed or not typed.strip():
        if needed:
            raise wrong(
                "imei_typed", "手机不告诉 IMEI：拨 *#06#，输入完整的 15 位 / dial *#06#", "imei_needed"
            )
        return None
    try:
        imei = normal_imei(typed)
    except ValueError as exc:
        raise wrong("imei_typed", str(exc)) from exc
    if imei not in row.imeis:
        raise typed_wrong()
    return imei


def typed_imei(row: Wipe, typed: str) -> str:
    """A whole IMEI that a person reads off the phone's own screen. Raise `Invalid`."""
    found = _imei(row, typed, needed=True)
    assert found is not None
    return found


def recall(
    session: Session, principal: Principal, wipe_id: uuid.UUID, *, reason: str = "", now: dt.datetime
) -> Wipe:
    """Take an order back that no gateway has; it may be released anew. Raise `Conflict` `command_at_agent`."""
    row = store.find(session, principal, wipe_id)
    principal.require_role(row.centre_id, *PERFORMERS, *APPROVERS)
    if row.state != State.QUEUED or row.command_id is None:
        raise Conflict("没有等在服务器上的指令可以收回，请刷新 / no order waits here", code="wipe_state")
    cancel_command(session, principal, row.command_id, reason="recalled", now=now)
    store.move(session, row, Event.STOP, now, why="recalled")
    write_step(session, row, "recall", reason, principal.user, now)
    return row


def retry(
    session: Session, principal: Principal, wipe_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> Wipe:
    """A lead lets it be released again under the same approval, where inspection showed that nothing was erased.

    Raise `Conflict` `wipe_lapsed` when the approval is over, `wipe_open` when another wipe was opened since.
    """
    row = store.find(session, principal, wipe_id)
    principal.require_role(row.centre_id, *APPROVERS)
    principal.require_person()
    words = required(reason, "reason", "请写明原因 / say why")
    if row.lapses_at <= now:
        raise Conflict("批准已过期，请重新申请 / the approval is over: ask again", code="wipe_lapsed")
    store.move(session, row, Event.RETRY, now, grade=None, inspected_at=None, ordered_at=None, why=None)
    write_step(session, row, "retry", words, principal.user, now)
    return row
