"""What the registry tells: registered, changed, tied to posts, held by people."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from app.history import store
from app.history.tools import Tools
from app.kernel.tenancy import Principal
from app.kernel.timeline import LifeEvent, Subject
from app.people import names_of
from app.registry import RESOURCES, history_of

_ROOM = "registry"
_VERBS = {
    "create": "登记",
    "change": "修改登记",
    "retire": "停用",
    "reinstate": "恢复使用",
    "hold": "锁定：办理期间不能改配",
    "release": "解除锁定",
}
_HOLDS = ("registry.hold", "registry.release")
_TABLES = {"wechat": "wechat_account"}
_LABELS = {
    f"{resource.subject}.{field.name}": field.label
    for resource in RESOURCES.values()
    for field in resource.fields
}


def changes(session: Session, principal: Principal, subject: Subject, _: Tools) -> list[LifeEvent]:
    """From the audit trail: what was written of it."""
    table = _TABLES.get(subject.kind, subject.kind)
    rows = store.trail(session, principal, {f"{name}:{subject.id}" for name in (table, subject.kind)})
    known = [row for row in rows if row.action.removeprefix("registry.") in _VERBS]
    people = names_of(session, [row.actor for row in known])
    return [
        LifeEvent(
            row.at,
            _VERBS[row.action.removeprefix("registry.")],
            "；".join(part for part in (_told(table, row), people[row.actor]) if part),
            link=_cause_path(row) if row.action in _HOLDS else None,
            room=_ROOM,
        )
        for row in known
    ]


def _cause_path(row: Any) -> str | None:
    """The page of what holds it."""
    cause, _, found = str(row.reason).partition(":")
    return f"/handovers/{found}" if cause == "handover" and found else None


def _told(table: str, row: Any) -> str:
    """Of a change its fields with old and new value; of a hold nothing, its reason is a key; else the reason."""
    if row.action in _HOLDS:
        return ""
    if row.action != "registry.change" or row.details is None:
        return str(row.reason)
    fields = json.loads(row.details).items()
    return "；".join(
        f"{_LABELS.get(f'{table}.{name}', name)}：{value[0] or '（空）'} → {value[1] or '（空）'}"
        for name, value in fields
        if isinstance(value, list) and len(value) == 2
    )


def ties(session: Session, principal: Principal, subject: Subject, _: Tools) -> list[LifeEvent]:
    """Which post it belonged to; of a post, what belonged to it; of a post and a person, who held it."""
    found: list[LifeEvent] = []
    if subject.kind != "employee":
        found += _kit(session, store.kit_ties(session, principal, subject), of_post=subject.kind == "post")
    if subject.kind in ("post", "employee"):
        found += _holdings(
            session, store.holdings(session, principal, subject), of_post=subject.kind == "post"
        )
    return found


def _kit(session: Session, rows: Iterable[Any], *, of_post: bool) -> list[LifeEvent]:
    rows = list(rows)
    posts = store.names(session, "post", [row.post_id for row in rows])
    parts = {
        kind: store.names(session, kind, [getattr(row, column) for row in rows])
        for kind, column in (
            ("handset", "handset_id"),
            ("number", "number_id"),
            ("wechat", "wechat_account_id"),
        )
    }
    found = []
    for row in rows:
        kind, part = _part(row)
        name = (
            f"{_WORDS[kind]} {parts[kind].get(part, '')}" if of_post else f"岗位 {posts.get(row.post_id, '')}"
        )
        link = _path(kind, part) if of_post else f"/history/post/{row.post_id}"
        found += _span("配给岗位", "从岗位收回", name, link, row)
    return found


_WORDS = {"handset": "手机", "number": "号码", "wechat": "微信号"}


def _part(row: Any) -> tuple[str, Any]:
    if row.handset_id is not None:
        return "handset", row.handset_id
    return ("number", row.number_id) if row.number_id is not None else ("wechat", row.wechat_account_id)


def _path(kind: str, part: Any) -> str:
    return f"/history/{kind}/{part}"


def _holdings(session: Session, rows: Iterable[Any], *, of_post: bool) -> list[LifeEvent]:
    rows = list(rows)
    posts = store.names(session, "post", [row.post_id for row in rows])
    people = store.names(session, "employee", [row.employee_id for row in rows])
    found = []
    for row in rows:
        other = people.get(row.employee_id, "") if of_post else f"岗位 {posts.get(row.post_id, '')}"
        link = _path("employee", row.employee_id) if of_post else _path("post", row.post_id)
        found += _span("开始任职", "任职结束", other, link, row)
    return found


def _span(begin: str, end: str, name: str, link: str, row: Any) -> list[LifeEvent]:
    """Its beginning, and its end as an event of its own."""
    if row.voided_at is not None:
        return [
            LifeEvent(row.valid_from, begin, f"{name}；登记有误，已作废，不算数", link, _ROOM, row.valid_to)
        ]
    events = [LifeEvent(row.valid_from, begin, name, link, _ROOM, row.valid_to)]
    return events if row.valid_to is None else [*events, LifeEvent(row.valid_to, end, name, link, _ROOM)]


def custody(session: Session, principal: Principal, subject: Subject, _: Tools) -> list[LifeEvent]:
    """Who answered for a phone, stretch by stretch (R01)."""
    if subject.kind != "handset":
        return []
    return [
        LifeEvent(
            c.since,
            "由其保管" if c.employee_id else "无人保管",
            f"{c.employee_name}（{c.employee_number}），岗位 {c.post_name}"
            if c.employee_id
            else f"岗位 {c.post_name}",
            _path("employee", c.employee_id) if c.employee_id else _path("post", c.post_id),
            "custody",
            c.until,
        )
        for c in history_of(session, principal, subject.id)
    ]
