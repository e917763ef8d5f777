"""Gateways that stay down: somebody is asked to mend them, for meanwhile nothing of their phones can be proved."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.kernel.tenancy import SYSTEM
from app.observers import store
from app.observers.rules import limits_of
from app.observers.service import server_up_since
from app.observers.watch import SUBJECT
from app.observers.words import reason as reason_word
from app.policy import PolicyFiles, effective_many
from app.tasks import close_task, open_task

_SHANGHAI = dt.timezone(dt.timedelta(hours=8))
_WHY = "恢复之前，经它联系的手机开着还是关着都无从证明，也不会被怀疑。自检再次通过后，这件待办自动结束。"


def watch_gateways(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Open a task for each gateway that was not up for policy's hours, close those of the others; how many are down.

    While the server has only just come back nobody is called down: what a gateway has to say is still on its way.
    """
    found = effective_many(session, policies, SUBJECT, store.centre_ids(session))
    server = server_up_since(session, now)
    down = 0
    for centre_id, policy in sorted(found.items()):
        limits, most = limits_of(policy.body), dt.timedelta(hours=policy.body["gateway_hours"])
        for gateway in store.gateways(session, centre_id):
            up = store.last_up(session, store.agent_name(gateway.id))
            last = up.end if up else None
            if gateway.revoked_at is not None:
                _close(session, gateway, "网关已吊销", now)
            elif last is not None and now - last <= limits.lease:
                _close(session, gateway, "自检又通过了", now)
            elif server is None or server > now - limits.recover:
                continue
            elif now - (last or gateway.enrolled_at) >= most:
                _ask(session, centre_id, gateway, last, now)
                down += 1
    return down


def _ask(
    session: Session, centre_id: uuid.UUID, gateway: store.Gateway, last: dt.datetime | None, now: dt.datetime
) -> None:
    observer = store.agent_name(gateway.id)
    downs = store.downs_of(session, [observer], last or gateway.enrolled_at, now)
    reason = reason_word(downs[-1].reason if downs and downs[-1].reason else "silent")
    at = last.astimezone(_SHANGHAI).strftime("%Y-%m-%d %H:%M") if last else ""
    since = f"最近一次自检通过是 {at}（北京时间）" if at else "登记以来自检从未通过"
    open_task(
        session, key=_key(gateway), kind="gateway", centre_id=centre_id, title=f"网关“{gateway.name}”一直中断",
        body=f"{since}，原因：{reason}。{_WHY}", link=f"/observers?centre={centre_id}", roles=("it",), now=now,
    )  # fmt: skip


def _close(session: Session, gateway: store.Gateway, how: str, now: dt.datetime) -> None:
    close_task(session, _key(gateway), how=how, by=SYSTEM.user, now=now)


def _key(gateway: store.Gateway) -> str:
    return f"gateway:{gateway.id}"
