"""A centre's group robots. Their addresses are secrets: sealed with a key that is no part of the database."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.kernel.errors import FieldError, Invalid, NotFound, Stale, Unavailable
from app.kernel.ids import new_id
from app.kernel.keys import KeyStore
from app.kernel.tenancy import Principal, within
from app.kernel.texts import one_line
from app.notify.model import Robot
from app.notify.robot_kinds import hint_of, normal_url

_NONCE = 12


def normal_address(text: str, signing: str = "") -> tuple[str, str]:
    """A robot's address as an apprise URL, and its hint: kind and last characters. Raise `Invalid` for any other.

    `text` is an apprise URL, or the webhook that the maker's page shows; `signing`: DingTalk's signing key where used.
    """
    url = normal_url(text, signing)
    if url is None:
        raise _invalid(
            "不是企业微信、钉钉、飞书机器人的地址 / not the address of a WeCom, DingTalk, Feishu or Lark robot"
        )
    return url, hint_of(url)


def _invalid(text: str) -> Invalid:
    return Invalid(
        "机器人地址不正确 / the robot's address is not right", fields=[FieldError("url", "invalid", text)]
    )


def add_robot(
    session: Session,
    principal: Principal,
    keys: KeyStore,
    *,
    centre_id: uuid.UUID,
    name: str,
    url: str,
    signing: str = "",
    now: dt.datetime,
) -> Robot:
    """Raise `Invalid`, or `Forbidden` for who is no administrator of that centre."""
    principal.require_role(centre_id)
    address, hint = normal_address(url, signing)
    label = one_line(name, 100)
    if not label:
        raise Invalid("请写名称 / name it", fields=[FieldError("name", "required", "请写名称")])
    robot_id = new_id()
    row = Robot(
        id=robot_id, centre_id=centre_id, name=label, hint=hint, sealed=_seal(keys, robot_id, address),
        created_by=principal.user, created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _note(session, principal, row, "add", now)
    return row


def retire_robot(
    session: Session, principal: Principal, robot_id: uuid.UUID, *, expected_version: int, now: dt.datetime
) -> Robot:
    """It says no more, and its address is forgotten. Raise `NotFound`, `Forbidden`, `Stale`."""
    query = select(Robot).where(
        Robot.id == robot_id, Robot.retired_at.is_(None), within(principal, Robot.centre_id)
    )
    row = session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if row is None:
        raise NotFound("没有这个机器人 / no such robot")
    principal.require_role(row.centre_id)
    if row.version != expected_version:
        raise Stale("已被他人修改，请刷新 / changed meanwhile")
    row.retired_at = row.updated_at = now
    row.version += 1
    row.sealed = b""
    session.flush()
    _note(session, principal, row, "retire", now)
    return row


def robots(session: Session, principal: Principal) -> Sequence[Robot]:
    query = select(Robot).where(Robot.retired_at.is_(None), within(principal, Robot.centre_id))
    return session.scalars(query.order_by(Robot.centre_id, Robot.name, Robot.id)).all()


def find_robot(session: Session, principal: Principal, robot_id: uuid.UUID) -> Robot:
    query = select(Robot).where(Robot.id == robot_id, within(principal, Robot.centre_id))
    row = session.scalar(query)
    if row is None or row.retired_at is not None:
        raise NotFound("没有这个机器人 / no such robot")
    return row


def opened(keys: KeyStore, robot: Robot) -> str:
    """The address, for the sender alone. Raise `Unavailable` where the key is not the one that sealed it."""
    try:
        plain = AESGCM(keys.secret("notify")).decrypt(
            robot.sealed[:_NONCE], robot.sealed[_NONCE:], _bound(robot.id)
        )
    except (InvalidTag, ValueError):
        raise Unavailable(
            "notify.key 不是加密它的那一把 / notify.key is not the key that sealed it"
        ) from None
    return plain.decode()


def _seal(keys: KeyStore, robot_id: uuid.UUID, address: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(keys.secret("notify")).encrypt(nonce, address.encode(), _bound(robot_id))


def _bound(robot_id: uuid.UUID) -> bytes:
    """A sealed address opens in its own row only."""
    return b"butler-robot\0" + robot_id.bytes


def _note(session: Session, principal: Principal, row: Robot, verb: str, now: dt.datetime) -> None:
    entry = AuditEvent(
        at=now, actor=principal.user, action=f"robot.{verb}", object=f"robot:{row.id}",
        centre_id=row.centre_id, details={"name": row.name, "hint": row.hint},
    )  # fmt: skip
    record(session, entry)
