"""Queries of passwords, sessions, tokens and brakes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Delete, Update, delete, or_, select, update
from sqlalchemy.orm import Session

from app.kernel.db import insert_into
from app.people.key_model import ApiToken, Credential, RecoveryCode, SignInBrake, UserSession
from app.people.model import User


def live_token(session: Session, secret_hash: str, now: dt.datetime) -> ApiToken | None:
    return session.scalar(
        select(ApiToken).where(
            ApiToken.secret_hash == secret_hash, ApiToken.revoked_at.is_(None), ApiToken.expires_at > now
        )
    )


def touch_token(session: Session, token_id: uuid.UUID, now: dt.datetime, unless_since: dt.datetime) -> None:
    session.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id, or_(ApiToken.used_at.is_(None), ApiToken.used_at <= unless_since))
        .values(used_at=now)
    )


def tokens_of(session: Session, user_id: uuid.UUID, now: dt.datetime) -> Sequence[ApiToken]:
    query = select(ApiToken).where(
        ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None), ApiToken.expires_at > now
    )
    return session.scalars(query.order_by(ApiToken.created_at, ApiToken.id)).all()


def revoke_tokens(
    session: Session, user_id: uuid.UUID, now: dt.datetime, *, only: uuid.UUID | None = None
) -> int:
    change = update(ApiToken).where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
    if only is not None:
        change = change.where(ApiToken.id == only)
    return _count(session, change.values(revoked_at=now))


def credential(session: Session, user_id: uuid.UUID) -> Credential | None:
    return session.get(Credential, user_id)


def login_and_credential(session: Session, login: str) -> tuple[User, Credential] | None:
    """An active user with a password."""
    row = session.execute(
        select(User, Credential).join(Credential, Credential.user_id == User.id).where(
            User.login == login, User.active
        )
    ).first()  # fmt: skip
    return None if row is None else (row[0], row[1])


def take_step(session: Session, user_id: uuid.UUID, step: int) -> bool:
    """Use up a step of the second factor; False when another request did in this moment."""
    change = update(Credential).where(Credential.user_id == user_id, Credential.totp_last_step < step)
    return _count(session, change.values(totp_last_step=step)) == 1


def take_recovery_code(session: Session, user_id: uuid.UUID, code_hash: str, now: dt.datetime) -> bool:
    change = update(RecoveryCode).where(
        RecoveryCode.user_id == user_id, RecoveryCode.code_hash == code_hash, RecoveryCode.used_at.is_(None)
    )
    return _count(session, change.values(used_at=now)) == 1


def recovery_codes_left(session: Session, user_id: uuid.UUID) -> int:
    query = select(RecoveryCode.id).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return len(session.scalars(query).all())


def drop_recovery_codes(session: Session, user_id: uuid.UUID) -> None:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def live_session(
    session: Session, secret_hash: str, now: dt.datetime, seen_since: dt.datetime
) -> UserSession | None:
    return session.scalar(
        select(UserSession).where(UserSession.secret_hash == secret_hash, *_live(now, seen_since))
    )


def sessions_of(
    session: Session, user_id: uuid.UUID | None, now: dt.datetime, seen_since: dt.datetime
) -> Sequence[UserSession]:
    query = select(UserSession).where(UserSession.user_id == user_id, *_live(now, seen_since))
    return session.scalars(query.order_by(UserSession.seen_at.desc(), UserSession.id)).all()


def end_sessions(
    session: Session,
    user_id: uuid.UUID | None,
    now: dt.datetime,
    *,
    only: uuid.UUID | None = None,
    but: uuid.UUID | None = None,
) -> int:
    change = update(UserSession).where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
    if only is not None:
        change = change.where(UserSession.id == only)
    if but is not None:
        change = change.where(UserSession.id != but)
    return _count(session, change.values(ended_at=now))


def touch_session(session: Session, session_id: uuid.UUID, now: dt.datetime) -> None:
    session.execute(
        update(UserSession).where(UserSession.id == session_id, UserSession.seen_at < now).values(seen_at=now)
    )


def prune_sessions(session: Session, before: dt.datetime) -> int:
    return _count(session, delete(UserSession).where(UserSession.expires_at < before))


def prune_brakes(session: Session, before: dt.datetime) -> int:
    return _count(session, delete(SignInBrake).where(SignInBrake.failed_at < before))


def locked_brake(session: Session, key: str, now: dt.datetime) -> SignInBrake:
    """The row of this key, made when there is none, locked until the commit."""
    new = insert_into(session, SignInBrake).values(key=key, failures=0, failed_at=now, wait_until=now)
    session.execute(new.on_conflict_do_nothing())
    query = select(SignInBrake).where(SignInBrake.key == key).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def forget_brakes(session: Session, keys: Sequence[str]) -> None:
    session.execute(delete(SignInBrake).where(SignInBrake.key.in_(keys)))


def forgive_brake(session: Session, key: str) -> None:
    """Take one failure back that was counted before its try turned out to be right."""
    session.execute(
        update(SignInBrake)
        .where(SignInBrake.key == key, SignInBrake.failures > 0)
        .values(failures=SignInBrake.failures - 1, wait_until=SignInBrake.failed_at)
    )


def _live(now: dt.datetime, seen_since: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        UserSession.ended_at.is_(None),
        UserSession.expires_at > now,
        UserSession.seen_at > seen_since,
    )


def _count(session: Session, statement: Update | Delete) -> int:
    return cast(CursorResult[Any], session.execute(statement)).rowcount
