"""What keeps an app from being removed. Looked at when it is ordered, and again as the order leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from app.escrow import lock_order_runs
from app.hardware import is_lost
from app.kernel.errors import Conflict, FieldError
from app.readings import confirmed_at, latest_sections, refused_phones
from app.registry import Handset, holds_on
from app.remedy import store
from app.remedy.following import standing_of
from app.remedy.identity import PACKAGES, of_identity
from app.remedy.model import RemedyCase
from app.remedy.rules import Blocker, Standing, Target, protected, system_refused, target_of
from app.remedy.standing import by_present_policy, exempted, judged, never_removed, prescribed
from app.remedy.tools import Tools, body_of, span_of
from app.transfer import transfer_state
from app.wipe import open_wipe_of


class Look(StrEnum):
    """`SHOW` only looks, for a page; the others lock, for something follows from them."""

    SHOW = "show"
    ORDER = "order"
    LEASE = "lease"


def blockers(session: Session, tools: Tools, case: RemedyCase, look: Look, now: dt.datetime) -> list[Blocker]:
    """Everything that stands in the way now. Internal: the caller may see the case.

    The phone is locked: a hold or a wipe that is just being written is waited for.
    """
    locked = look is not Look.SHOW
    phone = (store.lock_phone if locked else store.phone)(session, case.handset_id)
    body = body_of(session, tools, case.centre_id)
    found = [*of_phone(session, case, phone, body, now), *_finding(session, tools, case, phone, body, now)]
    target = target_of(case.subject, case.evidence)
    if target is None or case.code not in body["removable"]:
        found.append(Blocker("not_removable", "这一项不能由系统移除：按说明由人处理"))
    else:
        found += _app(session, tools, case, phone, body, target)
    return [*found, *_pace(session, case, body, look, now)]


def refuse(found: list[Blocker], what: str = "移除") -> None:
    """Raise `Conflict` `blocked` that names them all; nothing when there is none."""
    if found:
        raise Conflict(
            f"现在不能{what}：" + "；".join(one.words for one in found),
            code="blocked",
            fields=[FieldError(one.code, "blocked", one.words) for one in found],
        )


def of_phone(
    session: Session, case: RemedyCase, phone: Handset, body: Mapping[str, Any], now: dt.datetime
) -> Iterator[Blocker]:
    """Nobody's matter is disturbed, and it is that phone."""
    link = f"/phones/{phone.id}"
    if phone.retired_at is not None or phone.centre_id != case.centre_id:
        yield Blocker("left", "手机已停用，或已转到别的服务中心", link)
    if refused_phones(session, [phone.id]):
        yield Blocker("identity_contradicted", "以这个序列号应答的是另一台手机，先弄清是哪一台", link)
    yield from of_identity(session, phone, body, now)
    for hold in holds_on(session, [("handset", phone.id)]):
        yield Blocker("held", f"手机被锁定：{hold.reason}", hold.link)
    moved = transfer_state(session, phone.id)
    if moved.code == "running":
        yield Blocker("transfer_open", "数据正在迁移：移除应用会丢资料", moved.link)
    wipe = open_wipe_of(session, phone.id)
    if wipe is not None:
        yield Blocker("wipe_open", "手机正在办理数据销毁", f"/wipes/{wipe.id}")
    if is_lost(session, phone.id):
        yield Blocker("lost", "手机报了遗失，还没有登记找回", link)
    if lock_order_runs(session, phone.id):
        yield Blocker("lock_order", "网关正在处理它的锁屏密码，等结果", "/escrow")


def _finding(
    session: Session, tools: Tools, case: RemedyCase, phone: Handset, body: Mapping[str, Any], now: dt.datetime
) -> Iterator[Blocker]:  # fmt: skip
    """It is a breach still, by what was read last and by the list that holds now."""
    one = judged(session, [phone.id])[phone.id]
    status, link = standing_of(one, case), f"/compliance/phones/{phone.id}"
    if status is not Standing.FAIL:
        yield Blocker("not_failing", _NOT_FAILING[status], link)
    if not by_present_policy(session, tools, one, phone.centre_id):
        yield Blocker("stale_verdict", "应用名单刚改过，正在重新判定：一分钟后再来", link)
    if exempted(session, case, now):
        yield Blocker("exempt", "已批准例外", "/compliance/exemptions")
    read = confirmed_at(session, [phone.id], PACKAGES).get(phone.id)
    if read is None or now - read > span_of(body, "fresh_hours"):
        words = f"最近 {body['fresh_hours']} 小时没有读到应用列表：点“立即读取”再来"
        yield Blocker("stale_reading", words, f"/phones/{phone.id}")


_NOT_FAILING: Mapping[Standing, str] = {
    Standing.GRACE: "还在宽限期内", Standing.EXEMPT: "已批准例外", Standing.ABSENT: "最近一次读取已没有这一条",
    Standing.UNKNOWN: "现在读不到，不知道是否还不合规",
}  # fmt: skip


def _app(
    session: Session, tools: Tools, case: RemedyCase, phone: Handset, body: Mapping[str, Any], target: Target
) -> Iterator[Blocker]:  # fmt: skip
    why = protected(target.package, never_removed(tools, body), prescribed(session, tools, phone))
    if why is not None:
        yield Blocker("protected_by_policy", why)
    rows = latest_sections(session, [phone.id], [PACKAGES]).get(phone.id, {}).get(PACKAGES) or []
    if system_refused(rows, target, body):
        yield Blocker("system_app", "它是系统应用，或读不到是不是系统应用：制度没有写明可以移除")
    other = store.at_work_of(session, phone.id, target.package)
    if other is not None and other.id != case.id:
        yield Blocker("app_at_work", "同一个应用已有一条整改正在办理", f"/remedies/{other.id}")


def _pace(
    session: Session, case: RemedyCase, body: Mapping[str, Any], look: Look, now: dt.datetime
) -> Iterator[Blocker]:
    """The caps, on what is ordered and on what leaves. Call with the centre locked."""
    if look is Look.LEASE and case.sent_at is not None:
        return  # this one was counted when it left first; the gateway put it off, or it was lost on its way
    step = "send" if look is Look.LEASE else "order"
    day = store.count_steps(session, step, now - dt.timedelta(days=1), centre_id=case.centre_id)
    if day >= body["centre_day"]:
        yield Blocker("rate_centre", f"本中心 24 小时内最多移除 {body['centre_day']} 次，过一会儿再来")
    hour = store.count_steps(session, step, now - dt.timedelta(hours=1), handset_id=case.handset_id)
    if hour >= body["phone_hour"]:
        yield Blocker("rate_phone", f"一台手机一小时内最多移除 {body['phone_hour']} 次，过一会儿再来")
