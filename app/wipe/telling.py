"""Whom a step of a wipe concerns: notices, and the tasks that stand while somebody has to act."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.kernel.ids import parse_id
from app.notify import Recipients, tell
from app.tasks import close_task, open_task
from app.wipe.model import Wipe
from app.wipe.states import TO_DO, UNGUARDED, WORDS, State
from app.wipe.tools import APPROVERS, ASKERS, PERFORMERS, wipe_path

_S = State
TASKS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    _S.REQUESTED: ("批准或退回数据销毁", ("lead", "operations")),
    _S.ARMED: ("执行数据销毁", PERFORMERS),
    _S.ACKNOWLEDGED: ("检查手机是否已清除", ("lead", "it")),
    _S.SILENT: ("数据销毁结果不明，到手机旁检查", ("lead", "it")),
    _S.INSPECTED: ("确认数据销毁的检查结果", ("lead",)),
    _S.VERIFIED: ("出具数据销毁证明", ("lead", "it")),
    _S.FAILED: ("手机没有清除，决定怎么办", ("lead", "it")),
    _S.UNVERIFIED: ("数据销毁无法证实，补做检查", ("lead",)),
}
"""What stands to be done in a state, and for whom; one task of a wipe at a time."""
_TOLD: Mapping[str, str] = {
    "request": "有数据销毁等您批准",
    "arm": "数据销毁可以执行",
    "approve": "数据销毁已批准",
    "refuse": "数据销毁申请被退回",
    "stop": "数据销毁没有执行",
    "silence": "数据销毁结果不明",
    "fail": "手机没有清除",
    "give_up": "数据销毁无法证实",
    "contest": "数据销毁的检查结果有矛盾",
    "certify": "数据销毁证明已出具",
    "lapse": "数据销毁已过期",
    "late_word": "网关迟到的回报",
}
_URGENT = frozenset({"silence", "fail", "contest"})
_ROLES: Mapping[str, tuple[str, ...]] = {
    "request": APPROVERS, "arm": PERFORMERS, **dict.fromkeys(_URGENT, APPROVERS),
}  # fmt: skip
"""Who of the centre is told beside those who asked for it and released it."""


def task_key(wipe_id: uuid.UUID) -> str:
    return f"wipe:{wipe_id}"


def tell_step(session: Session, wipe: Wipe, step: str, words: str, by: str, now: dt.datetime) -> None:
    """After a step: the task that its state asks for, and a notice to those whom it concerns."""
    _task(session, wipe, by, now)
    title = _TOLD.get(step)
    people = {parse_id(user) for user in (wipe.requested_by, wipe.released_by) if user and user != by}
    users = tuple(user for user in people if user is not None)
    roles = _ROLES.get(step, ())
    if title is None or not (users or roles):
        return
    tell(
        session, key=f"wipe:{wipe.id}:{wipe.version}:{step}", kind="wipe", centre_id=wipe.centre_id,
        to=Recipients(users=users, roles=roles), title=f"{title}：{wipe.asset_tag}",
        body=f"{words}\n{WORDS[wipe.state]}。{TO_DO[wipe.state]}", link=wipe_path(wipe.id), urgent=step in _URGENT,
        now=now,
    )  # fmt: skip


def _task(session: Session, wipe: Wipe, by: str, now: dt.datetime) -> None:
    for state, (title, roles) in TASKS.items():
        key = f"{task_key(wipe.id)}:{state}"
        if state == wipe.state:
            open_task(
                session, key=key, kind="wipe", centre_id=wipe.centre_id, title=f"{title}：{wipe.asset_tag}",
                body=TO_DO[state], link=wipe_path(wipe.id), handset_id=wipe.handset_id, roles=roles, now=now,
            )  # fmt: skip
        else:
            close_task(session, key, how=WORDS[wipe.state], by=by, now=now)
    lock = f"{task_key(wipe.id)}:lock"
    if wipe.lock_cleared and wipe.state in UNGUARDED:
        # May be ticked off by hand: that the phone has a lock again nobody but who set it can tell.
        open_task(
            session, key=lock, kind="wipe_lock", centre_id=wipe.centre_id,
            title=f"锁屏密码已清掉而手机没有清除，看管好：{wipe.asset_tag}",
            body="网关为清除而去掉了锁屏密码，之后没有执行清除。手机现在没有锁：马上重新执行，或在手机上重新设密码并备案。",
            link=wipe_path(wipe.id), handset_id=wipe.handset_id, roles=ASKERS, now=now,
        )  # fmt: skip
    else:
        close_task(session, lock, how=WORDS[wipe.state], by=by, now=now)
