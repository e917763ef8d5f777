"""Queries of the registry that a round needs: the kits of a centre, and what became of their parts since."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import AuditRow
from app.kernel.spans import holds_at, overlaps
from app.registry import Employee, Handset, KitAssignment, Number, Post, PostHolding, WeChatAccount

PARTS: dict[str, tuple[Any, Any, Any]] = {
    "handset": (Handset, KitAssignment.handset_id, Handset.asset_tag),
    "number": (Number, KitAssignment.number_id, Number.e164),
    "wechat": (WeChatAccount, KitAssignment.wechat_account_id, WeChatAccount.nickname),
}


@dataclass(frozen=True)
class Part:
    """One part of a post's kit; `wechat_id` and `number` are the account's own, for its profile."""

    post_id: uuid.UUID
    of: str
    id: uuid.UUID
    name: str
    wechat_id: str | None = None
    number: str | None = None


def parts_at(session: Session, centre_id: uuid.UUID, instant: dt.datetime) -> list[Part]:
    """What belongs to the posts of a centre at an instant: by the post's code, phones first; nothing retired."""
    found: list[Any] = []
    for of, (model, column, name) in PARTS.items():
        query = select(Post.code, Post.id.label("post_id"), model, name.label("name"))
        query = query.join(KitAssignment, KitAssignment.post_id == Post.id).join(model, model.id == column)
        query = query.where(
            KitAssignment.centre_id == centre_id,
            KitAssignment.voided_at.is_(None),
            holds_at(KitAssignment.valid_from, KitAssignment.valid_to, instant),
            Post.retired_at.is_(None),
            model.retired_at.is_(None),
        )
        rows = session.execute(query.order_by(KitAssignment.valid_from, KitAssignment.id))
        found += [(row.code, list(PARTS).index(of), of, row) for row in rows]
    numbers = _numbers(session, {row[2].number_id for *_, of, row in found if of == "wechat"})
    return [_part(of, row, numbers) for _, _, of, row in sorted(found, key=lambda one: one[:2])]


def _part(of: str, row: Any, numbers: dict[uuid.UUID, str]) -> Part:
    own = row[2]
    if of != "wechat":
        return Part(row.post_id, of, own.id, row.name)
    return Part(row.post_id, of, own.id, row.name, own.wechat_id, numbers.get(own.number_id))


def _numbers(session: Session, ids: Collection[uuid.UUID | None]) -> dict[uuid.UUID, str]:
    query = select(Number.id, Number.e164).where(Number.id.in_({i for i in ids if i is not None}))
    return {row.id: row.e164 for row in session.execute(query)}


def holders_of_posts(
    session: Session, post_ids: Collection[uuid.UUID], instant: dt.datetime
) -> dict[uuid.UUID, Employee]:
    query = (
        select(PostHolding.post_id, Employee)
        .join(Employee, Employee.id == PostHolding.employee_id)
        .where(
            PostHolding.post_id.in_(post_ids),
            PostHolding.voided_at.is_(None),
            holds_at(PostHolding.valid_from, PostHolding.valid_to, instant),
        )
    )
    return {row[0]: row[1] for row in session.execute(query)}


def holders_between(
    session: Session, post_id: uuid.UUID, start: dt.datetime, end: dt.datetime
) -> list[tuple[Employee, dt.datetime, dt.datetime | None]]:
    """Who held a post within `[start, end)`, from when until when, the earliest first."""
    query = (
        select(Employee, PostHolding.valid_from, PostHolding.valid_to)
        .join(PostHolding, PostHolding.employee_id == Employee.id)
        .where(
            PostHolding.post_id == post_id,
            PostHolding.voided_at.is_(None),
            overlaps(PostHolding.valid_from, PostHolding.valid_to, start, end),
        )
        .order_by(PostHolding.valid_from)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def gone(session: Session, of: str, ids: Collection[uuid.UUID], centre_id: uuid.UUID) -> set[uuid.UUID]:
    """Those of the parts that are retired, or are another centre's by now."""
    model = PARTS[of][0]
    rows = session.execute(select(model.id, model.centre_id, model.retired_at).where(model.id.in_(ids)))
    return {row.id for row in rows if row.retired_at is not None or row.centre_id != centre_id}


def posts(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Post]:
    return {post.id: post for post in session.scalars(select(Post).where(Post.id.in_(ids)))}


def employees(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Employee]:
    return {row.id: row for row in session.scalars(select(Employee).where(Employee.id.in_(ids)))}


def posts_now(
    session: Session, of: str, ids: Collection[uuid.UUID], now: dt.datetime
) -> dict[uuid.UUID, uuid.UUID]:
    """The post that each part belongs to now; those of none are absent."""
    column = PARTS[of][1]
    query = select(column.label("part"), KitAssignment.post_id).where(
        column.in_(ids),
        KitAssignment.voided_at.is_(None),
        holds_at(KitAssignment.valid_from, KitAssignment.valid_to, now),
    )
    return {row.part: row.post_id for row in session.execute(query)}


def who_checked(session: Session, secret_id: uuid.UUID, at: dt.datetime) -> str | None:
    """The actor of a blind check, by the audit trail; None when it has none of that instant."""
    query = select(AuditRow.actor).where(
        AuditRow.object == f"secret:{secret_id}",
        AuditRow.at == at,
        AuditRow.action == "escrow.check",
        AuditRow.outcome.in_(("ok", "mismatch")),
    )
    return session.scalar(query.order_by(AuditRow.seq.desc()).limit(1))
