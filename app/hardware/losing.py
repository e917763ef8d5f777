"""What a lost phone asks for at once, and what ends with it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.escrow import kit_secrets, mark_lost
from app.hardware import store
from app.hardware.model import HardwareCase
from app.hardware.noting import ask, done
from app.hardware.tools import SUBJECT, Tools
from app.kernel.tenancy import SYSTEM
from app.policy import effective
from app.registry import Number, WeChatAccount, kit_of

TASKS = {
    "lost_lock": "锁定遗失的手机",
    "lost_number": "到运营商停机（遗失手机的号码）",
    "lost_wechat": "从另一台设备冻结或下线微信",
    "lost_passwords": "更换遗失手机的全部密码",
    "lost_police": "报警并登记回执号（可不报警）",
}


def begin(session: Session, tools: Tools, case: HardwareCase, now: dt.datetime) -> None:
    """Open the tasks, each with whom or what it is about; the passwords that the phone could give away fall due."""
    kit = kit_of(session, case.post_id, case.happened_at) if case.post_id else None
    numbers = store.rows_of(session, Number, kit.number_ids if kit else ()).values()
    accounts = store.rows_of(session, WeChatAccount, kit.wechat_ids if kit else ()).values()
    bodies = {
        "lost_lock": "手机不在手上：用厂商的“查找手机”网页锁定并显示联系电话；手机还能被网关读到时，不要清除数据。",
        "lost_number": "号码：" + ("、".join(n.e164 for n in numbers) or "岗位上没有登记号码"),
        "lost_wechat": "微信：" + ("、".join(a.nickname for a in accounts) or "岗位上没有登记微信"),
        "lost_passwords": "号码服务密码、微信密码；补卡后设新的 SIM PIN，新手机设新的锁屏密码。在密码托管里备案。",
        "lost_police": "盗抢应当报警；单纯遗失可以不报，直接完成这件待办。",
    }
    hours = effective(session, tools.policies, SUBJECT, case.centre_id).body["lost_hours"]
    due_at = now + dt.timedelta(hours=hours)
    for what, title in TASKS.items():
        roles = ("operations", "lead", "it") if what == "lost_lock" else ("operations", "lead")
        ask(session, case, what, title, now, roles=roles, body=bodies[what], due_at=due_at, kind="lost_phone")
    if kit is None:
        return
    filed = kit_secrets(
        session, SYSTEM, tools.policies, number_ids=kit.number_ids, wechat_ids=kit.wechat_ids, now=now
    )
    ids = [secret.id for secret in filed if secret.id is not None]
    mark_lost(session, tools.policies, ids, now, due_at=due_at)


def end(session: Session, case: HardwareCase, how: str, by: str, now: dt.datetime) -> None:
    """Close what is still open of it. Passwords that fell due stay so: who found the phone may know them."""
    for what in TASKS:
        done(session, case, what, how, by, now)
