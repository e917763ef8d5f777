from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime


class Agent(Identified, Base):
    """An enrolled agent and its public keys. `handset_id`: the phone that it runs on, for `self` agents alone.

    `version`, `spooled`, `targets`, `adb_server` are its own words at `last_checkin_at`.
    """

    __tablename__ = "agent"
    __table_args__ = (
        CheckConstraint("kind IN ('gateway', 'self')", name="kind"),
        CheckConstraint("(kind = 'self') = (handset_id IS NOT NULL)", name="self_has_a_phone"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(10))
    handset_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("handset.id"), index=True)
    ed25519: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    x25519: Mapped[bytes] = mapped_column(LargeBinary(32))
    enrolled_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    version: Mapped[str] = mapped_column(String(40))
    last_checkin_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    spooled: Mapped[int | None]
    targets: Mapped[int | None]
    adb_server: Mapped[bool | None]
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    revoked_by: Mapped[str | None] = mapped_column(String(200))
    revoke_reason: Mapped[str | None] = mapped_column(Text)


class EnrolmentToken(Identified, Base):
    """A code that was given out. Only the token's hash is kept; with `handset_id` it admits a `self` agent alone."""

    __tablename__ = "enrolment_token"

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"), index=True)
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    name: Mapped[str | None] = mapped_column(String(100))
    handset_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("handset.id"))
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime(), index=True)
    used_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    agent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("agent.id"))


class AgentNonce(Base):
    """Nonces of accepted requests, for as long as a signature with one of them would still be in time."""

    __tablename__ = "agent_nonce"

    agent_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("agent.id"), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(64), primary_key=True)
    seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime(), index=True)


class AgentRequest(Base):
    """Batches and adoptions by the id that their agent gave them, with what was answered."""

    __tablename__ = "agent_request"
    __table_args__ = (Index("ix_agent_request_at", "at"),)

    agent_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("agent.id"), primary_key=True)
    request_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    answer: Mapped[str | None] = mapped_column(Text)
