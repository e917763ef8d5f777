"""How a person proves who he is: password, second factor, sessions, tokens, and the brake on guessing.

Of every secret only what can check it is kept: Argon2id of a password, SHA-256 of what we drew at random ourselves.
The one that must be known to be checked, the second factor's, is sealed with a key that is no part of the database.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime


class Credential(Base):
    """`totp_sealed` is the second factor in force, None without one; `totp_next` waits to be confirmed in its place."""

    __tablename__ = "credential"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id"), primary_key=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    password_set_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    must_change: Mapped[bool] = mapped_column(default=True)
    totp_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_next: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_last_step: Mapped[int] = mapped_column(default=0)


class RecoveryCode(Identified, Base):
    __tablename__ = "recovery_code"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    used_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class UserSession(Identified, Base):
    """One browser that signed in. `user_id` null: by the installation's access token, whose digest stands beside."""

    __tablename__ = "user_session"
    __table_args__ = (Index("ix_user_session_user", "user_id", "ended_at"),)

    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token_digest: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime(), index=True)
    second_factor_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    ip: Mapped[str] = mapped_column(String(45))
    browser: Mapped[str] = mapped_column(String(200))


class ApiToken(Identified, Base):
    """A key for programs. It can do what its person can at that moment, `roles` at most; `read_only` only reads."""

    __tablename__ = "api_token"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    roles: Mapped[list[str]] = mapped_column(JSON)
    read_only: Mapped[bool]
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    used_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class SignInBrake(Base):
    """How often somebody guessed wrong, by what he is told apart by, and until when he waits."""

    __tablename__ = "sign_in_brake"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int]
    failed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime(), index=True)
    wait_until: Mapped[dt.datetime] = mapped_column(UtcDateTime())
