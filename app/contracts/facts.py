"""What the system knows of a phone that is assessed: texts for its form. What was not read is said to be unknown."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.contracts.rules import SHANGHAI, local_day
from app.hardware import life_events as hardware_events
from app.hardware import service_life
from app.incidents import incidents_of
from app.kernel.tenancy import Principal
from app.kernel.timeline import Subject
from app.policy import PolicyFiles
from app.readings import PhoneNow, latest_sections, phone_states
from app.registry import Handset, find_handset
from app.uptime import proved_shares

Fact = tuple[str, str]
UNKNOWN = "未知"
_SHARE_DAYS = 90
_MOST = 200
_GB = 10**9


def known_of(
    session: Session, principal: Principal, handset_id: uuid.UUID, *, policies: PolicyFiles, now: dt.datetime
) -> list[Fact]:
    """(label, value) of each; `now` is when the form was filled."""
    handset = find_handset(session, principal, handset_id)
    state = phone_states(session, principal, [handset_id]).get(handset_id)
    sections = latest_sections(session, [handset_id], ["identity", "storage"]).get(handset_id, {})
    return [
        *_registered(session, handset, policies),
        *_read(state, sections, now),
        *_past(session, principal, handset_id, now),
    ]


def _registered(session: Session, handset: Handset, policies: PolicyFiles) -> list[Fact]:
    life = service_life(session, handset.id, policies=policies)
    words = UNKNOWN
    if life.begins is not None:
        words = f"自 {life.begins} 起算，满 {life.ends}（R05）"
    bought = str(handset.purchased_on) if handset.purchased_on else UNKNOWN
    specification = "；".join(f"{name} {value}" for name, value in handset.specification.items())
    return [
        ("手机", f"{handset.asset_tag}　{handset.brand} {handset.model}"),
        ("序列号", handset.serial),
        ("登记规格", specification or UNKNOWN),
        ("购买日期", bought),
        ("服役年限", words),
    ]


def _read(state: PhoneNow | None, sections: Mapping[str, Any], now: dt.datetime) -> list[Fact]:
    """What the agent's newest reading told."""
    identity, storage = sections.get("identity") or {}, sections.get("storage") or {}
    release, patch = identity.get("android_release"), identity.get("security_patch")
    percent = state.power.battery_percent if state is not None else None
    at = state.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if state is not None and state.at else None
    return [
        ("最近一次读取", f"{at} 北京时间" if at else "从未读到，以下读取项均未知"),
        ("系统版本", f"Android {release}" if release else UNKNOWN),
        ("安全补丁", f"{patch}{_age(patch, now)}" if patch else UNKNOWN),
        ("存储空间", _storage(storage)),
        ("读取时电量", f"{percent}%（是电量，不是电池健康度）" if percent is not None else UNKNOWN),
        ("电池健康度", "未知（读取不到，由评估人按实际续航判断）"),
    ]


def _age(patch: str, now: dt.datetime) -> str:
    try:
        day = dt.date.fromisoformat(patch)
    except ValueError:
        return ""
    today = local_day(now)
    months = (today.year - day.year) * 12 + today.month - day.month
    return f"（{months} 个月前）" if months > 0 else ""


def _storage(storage: Mapping[str, Any]) -> str:
    total, free = storage.get("data_total_bytes"), storage.get("data_free_bytes")
    if not isinstance(total, int) or not isinstance(free, int) or total <= 0:
        return UNKNOWN
    return f"共 {total / _GB:.1f} GB，剩余 {free / _GB:.1f} GB（{free * 100 // total}%）"


def _past(session: Session, principal: Principal, handset_id: uuid.UUID, now: dt.datetime) -> list[Fact]:
    since = now - dt.timedelta(days=_SHARE_DAYS)
    share = proved_shares(session, principal, [handset_id], since, now)[handset_id]
    page = incidents_of(session, principal, handset_id=handset_id, statuses=["confirmed"], limit=_MOST)
    count = f"{len(page.items)}{' 起以上' if page.next_cursor else ' 起'}"
    return [
        ("开关机证据", f"近 {_SHARE_DAYS} 天有证据的时间占 {share * 100:.0f}%，其余未知"),
        ("成立的关机事件", count),
        ("损坏、遗失、维修", _damage(session, principal, handset_id)),
    ]


def _damage(session: Session, principal: Principal, handset_id: uuid.UUID) -> str:
    events = hardware_events(session, principal, Subject("handset", handset_id))
    told = [f"{local_day(e.at)} {e.title}{f'（{e.detail}）' if e.detail else ''}" for e in events]
    return "；".join(told) or "系统里没有记录"
