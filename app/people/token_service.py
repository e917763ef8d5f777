"""Keys for programs, made by and for one person."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from app.kernel.errors import FieldError, Invalid, NotFound
from app.kernel.tenancy import Principal
from app.people import key_store
from app.people.key_model import ApiToken
from app.people.key_rules import kept, new_token
from app.people.service import principal_of

_MAX_NAME = 100


@dataclass(frozen=True)
class TokenCaller:
    """Whom a token speaks for. `used_at` is when it was last noted to have been used."""

    token_id: uuid.UUID
    principal: Principal
    read_only: bool
    used_at: dt.datetime | None


def make_token(
    session: Session,
    user_id: uuid.UUID,
    *,
    name: str,
    roles: Collection[str],
    read_only: bool,
    expires_at: dt.datetime,
    now: dt.datetime,
) -> tuple[ApiToken, str]:
    """The row, and the token itself, which is shown once and kept nowhere. Raise `Invalid`."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= _MAX_NAME or not name.isprintable():
        raise _invalid("name", f"请给令牌起个名字，最多 {_MAX_NAME} 个字")
    if not roles:
        raise _invalid("roles", "至少选一个角色")
    if expires_at <= now:
        raise _invalid("expires_at", "有效期必须在将来")
    token = new_token()
    row = ApiToken(
        user_id=user_id, name=name, secret_hash=kept(token), roles=sorted(set(roles)), read_only=read_only,
        created_at=now, expires_at=expires_at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row, token


def revoke_token(session: Session, user_id: uuid.UUID, token_id: uuid.UUID, now: dt.datetime) -> None:
    """Raise `NotFound` for one that is not his, or ended before."""
    if not key_store.revoke_tokens(session, user_id, now, only=token_id):
        raise NotFound("没有这个令牌，或已停用 / no such token, or revoked")


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(message, fields=[FieldError(field, "invalid", message)])


def caller_of_token(session: Session, token: str, now: dt.datetime) -> TokenCaller | None:
    """None for a token that is unknown, expired, revoked, or of a person who is no user any more."""
    row = key_store.live_token(session, kept(token), now)
    if row is None:
        return None
    try:
        person = principal_of(session, row.user_id, now)
    except NotFound:
        return None
    rights = frozenset((role, centre) for role, centre in person.rights if role in row.roles)
    centres = {centre for _, centre in rights}
    principal = replace(
        person,
        roles=frozenset(role for role, _ in rights),
        centres=None if None in centres else frozenset(c for c in centres if c is not None),
        rights=rights,
    )
    return TokenCaller(row.id, principal, row.read_only, row.used_at)
