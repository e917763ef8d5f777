"""Passwords: Argon2id, with the parameters of the library's present version."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from app.kernel.errors import FieldError, Forbidden, Invalid
from app.people import key_store
from app.people.key_model import Credential
from app.people.key_rules import MAX_PASSWORD_CHARS, one_time_password, password_fault
from app.people.limits_rules import Limits
from app.people.model import User


@dataclass(frozen=True)
class Checked:
    """A user whose password was right. `old_hash`: it was made with other parameters than today's."""

    user_id: uuid.UUID
    old_hash: bool


def check_password(session: Session, login: str, password: str) -> Checked | None:
    """None for a wrong password and for no such user, which take the same time."""
    found = key_store.login_and_credential(session, login)
    if not _matches(found[1].password_hash if found else _of_nobody(), password) or found is None:
        return None
    return Checked(found[0].id, PasswordHasher().check_needs_rehash(found[1].password_hash))


def prove(session: Session, user_id: uuid.UUID, password: str) -> None:
    """Before a dangerous act: raise `Forbidden` unless this is the password of a user who is signed in already."""
    row = key_store.credential(session, user_id)
    if row is None or not _matches(row.password_hash, password):
        raise Forbidden("当前密码不正确 / the present password is not right", code="bad_password")


def has_own_password(session: Session, user_id: uuid.UUID) -> bool:
    """False while he has none, or one that somebody handed to him and therefore knows."""
    row = key_store.credential(session, user_id)
    return row is not None and not row.must_change


def renew_hash(session: Session, user_id: uuid.UUID, password: str) -> None:
    row = key_store.credential(session, user_id)
    if row is not None:
        row.password_hash = _hash(password)


def set_password(
    session: Session, user: User, password: str, limits: Limits, *, must_change: bool, now: dt.datetime
) -> None:
    """Raise `Invalid` for one that is easily guessed."""
    row = key_store.credential(session, user.id)
    check_new(password, (user.login, user.name), limits)
    if row is not None and _matches(row.password_hash, password):
        raise _bad("不能和原来的密码相同")
    _keep(session, user.id, row, password, must_change=must_change, now=now)


def give_one_time(session: Session, user: User, now: dt.datetime) -> str:
    """A password for one sign-in, at which it must be changed; to be shown once to who hands it over."""
    password = one_time_password()
    _keep(session, user.id, key_store.credential(session, user.id), password, must_change=True, now=now)
    return password


def set_known_password(session: Session, user: User, password: str, now: dt.datetime) -> None:
    """For demo users: one that may be kept and that everybody knows."""
    _keep(session, user.id, key_store.credential(session, user.id), password, must_change=False, now=now)


def check_new(password: str, about: Collection[str], limits: Limits) -> None:
    fault = password_fault(password, about, limits)
    if fault:
        raise _bad(fault)


def _keep(
    session: Session, user_id: uuid.UUID, row: Credential | None, password: str, *, must_change: bool,
    now: dt.datetime,
) -> None:  # fmt: skip
    if row is None:
        row = Credential(user_id=user_id)
        session.add(row)
    row.password_hash, row.password_set_at, row.must_change = _hash(password), now, must_change
    session.flush()


def _hash(password: str) -> str:
    return PasswordHasher().hash(password.encode(errors="replace"))


def _matches(kept: str, password: str) -> bool:
    # One that is longer than any that we took is none; hashing megabytes would only cost us.
    typed = password[: MAX_PASSWORD_CHARS + 1].encode(errors="replace")
    try:
        return PasswordHasher().verify(kept, typed)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _of_nobody() -> str:
    """The hash of a password that nobody has: a wrong name is then as slow as a wrong password."""
    return _hash(secrets.token_urlsafe())


def _bad(fault: str) -> Invalid:
    return Invalid(
        f"密码不合要求：{fault}", code="weak_password", fields=[FieldError("password", "weak", fault)]
    )
