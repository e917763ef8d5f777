"""What people are told of delegations and excuses. The phone is named by its asset tag."""

from __future__ import annotations

import datetime as dt
import uuid
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.duty.model import Delegation, Excuse
from app.kernel.ids import parse_id
from app.notify import Recipients, tell
from app.registry import Handset

_SHANGHAI = ZoneInfo("Asia/Shanghai")
REASONS = {"maintenance": "保养", "repair": "维修"}
MINE = "/my/duty"
"""Everybody can open it, a butler nothing else of this."""


def minute(instant: dt.datetime | None) -> str:
    return "待定" if instant is None else instant.astimezone(_SHANGHAI).strftime("%m-%d %H:%M")


def span_text(start: dt.datetime, end: dt.datetime | None) -> str:
    return f"{minute(start)} 至 {minute(end)}"


def tag_of(session: Session, handset_id: uuid.UUID) -> str:
    return session.get_one(Handset, handset_id).asset_tag


def tell_delegation(
    session: Session,
    row: Delegation,
    step: str,
    title: str,
    body: str,
    to: tuple[uuid.UUID | None, ...],
    now: dt.datetime,
) -> None:
    """`step` is part of the key: each step of a delegation is told once."""
    people = tuple(dict.fromkeys(person for person in to if person is not None))
    tag = tag_of(session, row.handset_id)
    span = span_text(row.force_from or row.starts_at, row.force_to or row.ends_at)
    tell(
        session, key=f"delegation:{row.id}:{step}", kind="delegation", centre_id=row.centre_id,
        to=Recipients(employees=people), title=f"{title}：{tag}", body=f"{body}\n手机 {tag}，{span}。",
        link=MINE, now=now,
    )  # fmt: skip


def tell_excuse(
    session: Session, row: Excuse, step: str, title: str, body: str, to: Recipients, now: dt.datetime
) -> None:
    tag = tag_of(session, row.handset_id)
    what = f"{REASONS[row.reason]}时段：手机 {tag}，{span_text(row.starts_at, row.ends_at)}。"
    tell(
        session, key=f"excuse:{row.id}:{step}", kind="excuse", centre_id=row.centre_id, to=to,
        title=f"{title}：{tag}", body=f"{body}\n{what}", link=MINE, now=now,
    )  # fmt: skip


def user_recipients(
    actor: str, employee_id: uuid.UUID | None = None, roles: tuple[str, ...] = ()
) -> Recipients:
    """A person who acted, where he is a user, and an employee."""
    user_id = parse_id(actor)
    return Recipients(
        employees=() if employee_id is None else (employee_id,),
        users=() if user_id is None else (user_id,),
        roles=roles,
    )
