"""Give the order, take it back, and hear that nothing is heard."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.commands import FINAL, enqueue
from app.commands import cancel as cancel_command
from app.commands import get as get_command
from app.kernel.errors import Conflict
from app.kernel.tenancy import SYSTEM, Principal
from app.kernel.texts import required
from app.registry import Handset
from app.transfer import store
from app.transfer.copy_rules import new_salt
from app.transfer.ends import expected_ends, order_key
from app.transfer.model import Transfer
from app.transfer.noting import ask, done, write_step
from app.transfer.opening import hindrances, refuse
from app.transfer.settling import end
from app.transfer.states import STARTABLE, STOPPABLE, Event, State
from app.transfer.stopping import FORGOTTEN, SILENT, hear_no_stop
from app.transfer.tools import DOERS, Tools, policy_of

_SWEEP = 500


def start(
    session: Session, principal: Principal, tools: Tools, transfer_id: uuid.UUID, now: dt.datetime
) -> Transfer:
    """Ask the gateway: the first time for all, then for what is not yet proved (what the copy holds is not read again).

    Raise `NotFound`, `Forbidden`, `Conflict` when it is under way or over, or when something forbids it by now.
    """
    row = store.find(session, principal, transfer_id)
    principal.require_role(row.centre_id, *DOERS)
    if row.new_id is None:
        raise Conflict("没有新手机，不能迁移，只能申请免迁移 / it has no successor", code="no_successor")
    old, new = session.get_one(Handset, row.old_id), session.get_one(Handset, row.new_id)
    refuse(hindrances(session, old, new, now), row.reason or "-")
    if row.state not in STARTABLE:
        raise Conflict("正在迁移或已结束，请刷新 / it cannot be started now", code="transfer_state")
    policy = policy_of(session, tools.policies, row.centre_id)
    body = policy.body
    expected_old, expected_new = expected_ends(session, row, new.id)
    args = {
        "transfer": str(row.id),
        "new": {"serial": new.serial, "imei": [i.imei for i in new.imeis], "expect": expected_new},
        "expect": expected_old,
        "parts": row.parts,
        "folders": list(body["folders"]) if "files" in row.parts else [],
        "exclude": list(body["exclude"]),
        "limits": dict(body["limits"]),
        "keep_days": body["keep_days"],
    }
    command, created = enqueue(
        session, principal, old.id, "transfer_data", args, dedup_key=order_key(row), now=now
    )
    if not created:
        raise Conflict(
            "上一次的命令还没有结束，请稍候再试 / the last order is not over", code="command_waits"
        )
    store.move(
        session, row, Event.START, runs=row.runs + 1, run_by=principal.user, started_at=now, command_id=command.id,
        old_serial=old.serial, new_serial=new.serial, policy_version=policy.version, policy_sha256=policy.sha256,
        progress=None, progress_at=None, note=None, result=None, result_at=None, verdict=None,
        salt=row.salt or new_salt(), discard_id=None, waive_reason=None, waive_asked_by=None, waive_asked_at=None,
        manifest_command=None, manifest_sha256=None, manifest_entries=None,
        manifest_at=None, **FORGOTTEN,
    )  # fmt: skip
    words = "开始" if row.runs == 1 else f"第 {row.runs} 次，只做没有核验的"
    write_step(
        session, row, "start", words, principal.user, now, command=str(command.id), policy=policy.sha256
    )
    done(session, row, principal.user, "已重新开始", now)
    return row


def cancel(
    session: Session, principal: Principal, transfer_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> Transfer:
    """Stop it for good; what is on the new phone stays there. Raise `Conflict` while a gateway works on it."""
    row = store.find(session, principal, transfer_id)
    principal.require_role(row.centre_id, *DOERS)
    words = required(reason, "reason", "请写明原因 / say why")
    command, waits = row.command_id, row.state in STOPPABLE
    if row.state == State.RUNNING or (row.state == State.STOPPING and row.note != SILENT):
        raise Conflict(
            "网关正在迁移，不能取消：请先停止 / a gateway works on it: stop it first", code="transfer_running"
        )
    # The order first, as a gateway's word and a lease take the two: the other way round two could wait for each other.
    if waits and command is not None and get_command(session, SYSTEM, command).state not in FINAL:
        cancel_command(session, principal, command, reason=words, now=now)
    end(session, row, Event.CANCEL, principal.user, now, words)
    return row


def hear_silence(session: Session, tools: Tools, now: dt.datetime) -> int:
    """A gateway that says nothing any more: the transfer is interrupted, whatever it may be doing; how many.

    Of one that was asked to stop nothing follows from its silence: people are told, and may cancel.
    """
    found = 0
    for row in store.running(session, _SWEEP):
        body = policy_of(session, tools.policies, row.centre_id).body
        silent = dt.timedelta(minutes=body["silent_minutes"])
        if row.state == State.STOPPING:
            found += hear_no_stop(session, row, silent, now)
            continue
        if (row.progress_at or row.started_at or row.opened_at) + silent > now:
            continue
        store.move(session, row, Event.SILENCE, note="silence")
        write_step(
            session,
            row,
            "silence",
            "网关没有回音，按中断处理；恢复后自动继续",
            SYSTEM.user,
            now,
            audited=False,
        )
        ask(
            session,
            row,
            "go_on",
            now,
            body="检查网关是否开机联网、两台手机是否都插着。恢复后自动继续，不会从头开始。",
        )
        found += 1
    return found


def remind(session: Session, tools: Tools, now: dt.datetime) -> int:
    """Transfers that lie about: the old phone waits for them with all its data."""
    asked = 0
    for row in store.opened_before(session, now - dt.timedelta(days=1), _SWEEP):
        body = policy_of(session, tools.policies, row.centre_id).body
        if row.opened_at + dt.timedelta(days=body["open_days"]) <= now:
            asked += ask(session, row, "open", now, body="已建立多日还没有完成。请继续、申请免迁移或取消。")
    return asked
