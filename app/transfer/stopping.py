"""A person wants a running transfer to end: the gateway is told, and what it says decides whether it did.

Two words end it: that of the order itself, and that of the order to stop, which comes when nothing of it is at work any
more and both phones were tidied up. Until then it may be at work, whatever was pressed here.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy.orm import Session

from app.commands import ACTIVE, AT_AGENT, Command, enqueue
from app.commands import State as CommandState
from app.commands import cancel as cancel_command
from app.commands import get as get_command
from app.kernel.errors import Conflict, NotFound
from app.kernel.tenancy import SYSTEM, Principal
from app.kernel.texts import one_line, required, wrong
from app.transfer import store
from app.transfer.copies import look_for_rest, successor
from app.transfer.model import Transfer
from app.transfer.noting import ask, done, write_step
from app.transfer.settling import end
from app.transfer.states import STOPPABLE, Event, State
from app.transfer.tools import DOERS

KEEP, DISCARD = "keep", "discard"
SILENT = "silence"
FORGOTTEN = dict.fromkeys(("stop_id", "stop_copy", "stop_by", "stop_at", "stop_reason"))
"""Nobody wants it to end."""
Tidied = Literal["clean", "left", "unknown"]


def stop(
    session: Session, principal: Principal, transfer_id: uuid.UUID, *, copy: str, reason: str = "",
    now: dt.datetime,
) -> Transfer:  # fmt: skip
    """End the order that is under way; `copy`: `keep` what the gateway has, to go on later, or `discard` it and cancel.

    Raise `NotFound`, `Forbidden`, `Invalid` without a reason to discard, `Conflict` when nothing is under way.
    """
    row = store.find(session, principal, transfer_id)
    principal.require_role(row.centre_id, *DOERS)
    if copy not in (KEEP, DISCARD):
        raise wrong("copy", "请选择暂停还是放弃 / keep or discard")
    words = (
        one_line(reason, 500) if copy == KEEP else required(reason, "reason", "请写明为什么放弃 / say why")
    )
    if row.state not in STOPPABLE or row.command_id is None:
        raise Conflict("没有在迁移，或已经要求停止，请刷新 / nothing is to be stopped", code="transfer_state")
    # The orders first, as a gateway's word and a lease take them: the other way round two could wait for each other.
    order = get_command(session, SYSTEM, row.command_id)
    gateway = order.agent_id
    _take_back(session, order, principal, words, now)
    told = None if gateway is None else _order(session, row, order, gateway, now)
    store.move(
        session, row, Event.STOP, stop_id=told, stop_copy=copy, stop_by=principal.user, stop_at=now, stop_reason=words,
    )  # fmt: skip
    asked = "暂停，保留副本" if copy == KEEP else "放弃，销毁副本"
    write_step(
        session, row, "stop", f"{asked}。{words}" if words else asked, principal.user, now, copy=copy,
        command=str(told or ""),
    )  # fmt: skip
    done(session, row, principal.user, "已要求停止", now)
    if told is None:
        _halt(session, row, principal.user, now, "网关还没有开始")
    return row


def _order(
    session: Session, row: Transfer, order: Command, gateway: uuid.UUID, now: dt.datetime
) -> uuid.UUID:
    args = {"transfer": str(row.id), "order": str(order.id), "new": successor(session, row)}
    command, _ = enqueue(
        session,
        SYSTEM,
        row.old_id,
        "stop_transfer",
        args,
        dedup_key=f"stop:{order.id}",
        agent_id=gateway,
        now=now,
    )
    return command.id


def conclude_stop(session: Session, row: Transfer, by: str, now: dt.datetime) -> None:
    """End the stopping once both words are there, or go on where the gateway cannot stop. Raise nothing but `Conflict`.

    An order that lies in the queue meanwhile never leaves it again.
    """
    if row.state != State.STOPPING:
        return
    order, told = _command(session, row.command_id), _command(session, row.stop_id)
    if order is not None:
        _take_back(session, order, SYSTEM, "stopped", now)
    if told is not None and told.state in ACTIVE:
        return
    heard = told is not None and told.state == CommandState.SUCCEEDED
    if order is None or order.state not in AT_AGENT:
        detail = (told.result or {}).get("detail", {}) if told is not None and heard else {}
        _halt(session, row, by, now, "" if heard else "停止的要求没有得到网关的确认", detail)
    elif not heard:
        store.move(session, row, Event.GO_ON, note="not_stopped", **FORGOTTEN)
        write_step(session, row, "not_stopped", _NOT_STOPPED, by, now)
        ask(session, row, "stopping", now, body=_NOT_STOPPED)


def unheard(session: Session, row: Transfer, why: str, by: str, now: dt.datetime) -> None:
    """The order ran out while its gateway was asked to stop and said nothing: whether it did is not known.

    Where it said that it did, the order's own last word alone was lost.
    """
    discard, wanted_by = row.stop_copy == DISCARD, row.stop_by or by
    told = _command(session, row.stop_id)
    if told is not None and told.state == CommandState.SUCCEEDED:
        conclude_stop(session, row, by, now)
        return
    if told is not None:
        _take_back(session, told, SYSTEM, "the order ran out", now)
    if discard:
        end(session, row, Event.CANCEL, wanted_by, now, row.stop_reason or "")
        return
    store.move(session, row, Event.DATA_FAILED, note=why)
    write_step(session, row, "end", _UNHEARD, by, now, why=why)
    done(session, row, by, _UNHEARD, now)
    ask(session, row, "failed", now, body=_UNHEARD)
    look_for_rest(session, row, None, now)


def over(session: Session, row: Transfer, now: dt.datetime) -> None:
    """The order came to its own end: whoever is still to be told to stop need not be."""
    told = _command(session, row.stop_id)
    if told is not None:
        _take_back(session, told, SYSTEM, "the order is over", now)


def hear_no_stop(session: Session, row: Transfer, silent: dt.timedelta, now: dt.datetime) -> bool:
    """For the job: whether a gateway that was asked to stop has said nothing for so long, and nobody was told yet."""
    conclude_stop(session, row, SYSTEM.user, now)
    if row.state != State.STOPPING or row.note == SILENT or row.stop_at is None:
        return False
    if max(row.stop_at, row.progress_at or row.stop_at) + silent > now:
        return False
    store.move(session, row, Event.SILENCE, note=SILENT)
    write_step(session, row, "silence", _SILENT, SYSTEM.user, now, audited=False)
    ask(session, row, "stopping", now, body=_SILENT)
    return True


def _halt(
    session: Session,
    row: Transfer,
    by: str,
    now: dt.datetime,
    why: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    tidied = "" if row.stop_id is None else _TIDIED[clean(detail or {})]
    words = "。".join(part for part in (why, tidied) if part)
    discard, wanted_by = row.stop_copy == DISCARD, row.stop_by or by
    if not discard:
        store.move(session, row, Event.HALT)
    write_step(session, row, "stopped", words, by, now, phones=_phones(detail or {}))
    if discard:
        end(session, row, Event.CANCEL, wanted_by, now, row.stop_reason or "")
        return
    done(session, row, by, "已停止", now)
    ask(session, row, "stopped", now, body=_STOPPED)
    if row.stop_id is not None:
        look_for_rest(session, row, (detail or {}).get("new_phone"), now)


def clean(detail: Mapping[str, Any]) -> Tidied:
    """What a gateway's word says of its traces on both phones."""
    told = _phones(detail).values()
    if all(word == "clean" for word in told):
        return "clean"
    return "left" if "left" in told else "unknown"


def _phones(detail: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(detail.get(name, "unknown"))[:40] for name in ("old_phone", "new_phone")}


def _take_back(session: Session, command: Command, principal: Principal, why: str, now: dt.datetime) -> None:
    """One that waits in the queue; what an agent holds stays with it."""
    if command.state in ACTIVE and command.state not in AT_AGENT:
        cancel_command(session, principal, command.id, reason=why or "stopped", now=now)


def _command(session: Session, command_id: uuid.UUID | None) -> Command | None:
    """None: there was none, or it is so long ago that the queue forgot it."""
    if command_id is None:
        return None
    try:
        return get_command(session, SYSTEM, command_id)
    except NotFound:
        return None


_TIDIED: Mapping[Tidied, str] = {
    "clean": "两台手机上的临时文件已清理",
    "left": "手机上还有没清理掉的临时文件",
    "unknown": "手机上的临时文件是否清理不清楚",
}
_STOPPED = "已核验和已写入的都保留。继续：接上两台手机，按“继续迁移”；不再迁移的，取消。"
_NOT_STOPPED = "网关没有停止，还在迁移：网关的版本可能太旧。要停下来先拔掉手机，等显示“已中断”以后再停止。"
_SILENT = "网关没有回音，不知道停了没有，可能还在迁移。检查网关是否开机联网；不等网关的，可以直接取消。"
_UNHEARD = "命令已过期，网关一直没有回音，不知道什么时候停的。"
