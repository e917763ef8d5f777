"""From proved data and WeChat's own migration to the end: decided by one function, whoever brought the last piece."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.transfer import store
from app.transfer.copies import drop_key, queue_discard
from app.transfer.marks import settled_mark
from app.transfer.model import Transfer
from app.transfer.noting import ask, done, write_step
from app.transfer.states import Event, State


def wechat_settled(session: Session, row: Transfer) -> bool:
    """Whether WeChat's part is over: all of it moved, or a lead took less."""
    rows = store.wechat_of(session, row.id)
    return bool(rows) and (rows[0].outcome == "yes" or row.wechat_accepted_at is not None)


def settle(session: Session, row: Transfer, by: str, now: dt.datetime) -> None:
    """End a transfer of which nothing is left to do; else ask for what is. Does nothing before the data are settled."""
    if row.state != State.MOVED:
        return
    if not wechat_settled(session, row):
        wechat = store.wechat_of(session, row.id)
        ask(session, row, "lead" if wechat else "wechat", now, body=_WECHAT_TASK if not wechat else "")
        return
    accepted = row.data_accepted_at is not None or row.wechat_accepted_at is not None
    end(session, row, Event.SETTLE_ACCEPTED if accepted else Event.SETTLE_VERIFIED, by, now)


def end(session: Session, row: Transfer, event: Event, by: str, now: dt.datetime, words: str = "") -> None:
    """Settle or cancel: the event holds a hash over the row, the copy's key goes, the gateway is told to destroy it."""
    step, told = _STEP[event]
    store.move(session, row, event, ended_at=now, ended_by=by, end_reason=words or None)
    if event is Event.CANCEL:
        write_step(session, row, step, words or told, by, now)
    else:
        write_step(session, row, step, words or told, by, now, mark=settled_mark(row))
    done(session, row, by, told, now, but="copy")
    drop_key(session, row, by, now)
    queue_discard(session, row, now)


_STEP = {
    Event.SETTLE_VERIFIED: ("verify", "资料和微信均已核验"),
    Event.SETTLE_ACCEPTED: ("accept", "差异已由主管接受，迁移完成"),
    Event.WAIVE: ("waive", "两人确认免迁移"),
    Event.CANCEL: ("cancel", "已取消"),
}
_WECHAT_TASK = "资料已迁移完。请按页面上的步骤用微信自带的功能迁移聊天记录，并登记结果和截图。"
