"""Sessions of browsers: begun after a password, open after the second factor, ended by whom they belong to."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.kernel.tenancy import Principal
from app.people import key_store, store
from app.people.key_model import UserSession
from app.people.key_rules import Stage, kept, new_secret, stage_of
from app.people.limits_rules import Limits
from app.people.service import make_principal, rights_of

_MAX_BROWSER = 200


@dataclass(frozen=True)
class SignedIn:
    """Whom a session's cookie speaks for. `principal` is None until `stage` is open.

    `user_id` None: the installation's access token began it; then `token_digest` says which token that was.
    """

    session_id: uuid.UUID
    user_id: uuid.UUID | None
    stage: Stage
    principal: Principal | None
    name: str
    token_digest: str | None
    seen_at: dt.datetime


def begin_session(
    session: Session,
    user_id: uuid.UUID | None,
    *,
    ip: str,
    browser: str,
    limits: Limits,
    now: dt.datetime,
    token_digest: str | None = None,
) -> tuple[UserSession, str]:
    """The row, and the secret for the cookie. Of a user it is short until `let_in`, of the access token full."""
    secret = new_secret()
    row = UserSession(
        user_id=user_id, secret_hash=kept(secret), token_digest=token_digest, created_at=now, seen_at=now,
        expires_at=now + (limits.half if token_digest is None else limits.session), ip=ip,
        browser=browser[:_MAX_BROWSER],
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row, secret


def let_in(
    session: Session, session_id: uuid.UUID, limits: Limits, now: dt.datetime, *, by_factor: bool
) -> Stage:
    """After each step of signing in: what stands now between this session and being let in."""
    row = session.get_one(UserSession, session_id)
    if by_factor:
        row.second_factor_at = now
    if row.user_id is None:
        return Stage.OPEN
    stage = _stage(session, row, limits, now)
    if stage is Stage.OPEN:
        row.expires_at = row.created_at + limits.session
    session.flush()
    return stage


def find_session(session: Session, secret: str, limits: Limits, now: dt.datetime) -> SignedIn | None:
    """None for a session that ended, is too old, or was idle for too long, and for a user who is none any more."""
    row = key_store.live_session(session, kept(secret), now, now - limits.idle)
    if row is None:
        return None
    if row.user_id is None:
        return SignedIn(row.id, None, Stage.OPEN, None, "应急令牌", row.token_digest, row.seen_at)
    user = store.find_user(session, row.user_id)
    if user is None or not user.active:
        return None
    stage = _stage(session, row, limits, now)
    rights = rights_of(session, user.id, now)
    principal = make_principal(user.id, user.employee_id, rights) if stage is Stage.OPEN else None
    return SignedIn(row.id, user.id, stage, principal, user.name, None, row.seen_at)


def _stage(session: Session, row: UserSession, limits: Limits, now: dt.datetime) -> Stage:
    assert row.user_id is not None
    credential = key_store.credential(session, row.user_id)
    roles = {right.role for right in rights_of(session, row.user_id, now)}
    return stage_of(
        has_factor=credential is not None and credential.totp_sealed is not None,
        factor_proved=row.second_factor_at is not None,
        must_change=credential is None or credential.must_change,
        needs_factor=not roles.isdisjoint(limits.factor_roles),
    )


def end_session(
    session: Session,
    user_id: uuid.UUID | None,
    now: dt.datetime,
    *,
    only: uuid.UUID | None = None,
    but: uuid.UUID | None = None,
) -> int:
    """End one session of his, all, or all but one; how many were not ended yet."""
    return key_store.end_sessions(session, user_id, now, only=only, but=but)
