"""What is known of each phone now: its newest reading, the latest content of each section, who could not reach it.

Tags, unread parts and contents are JSON texts written and read by this room alone: the database's own JSON types would
be parsed by slower code twice for every reading.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, UtcDateTime

MAX_SERIAL = 64
MAX_TARGET = 200
MAX_SIM = 100


class PhoneState(Base):
    """One row a phone. `at` is when the newest dated reading was taken (server's time less its age).

    `tags` maps a section to `[tag, microseconds at which that content was last confirmed]`; `unread` is a list of
    `[part, reason]`; `refused_identity` is the tag of an identity that contradicts the registry.
    """

    __tablename__ = "phone_state"
    # Half-empty pages let an update stay in its page, so that no index changes with every reading.
    __table_args__ = (Index("ix_phone_state_agent", "agent_id"), {"postgresql_with": {"fillfactor": 50}})

    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"), primary_key=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    received_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    agent_id: Mapped[uuid.UUID | None]
    target: Mapped[str | None] = mapped_column(String(MAX_TARGET))
    grade: Mapped[str | None] = mapped_column(String(10))
    boot_id: Mapped[str | None] = mapped_column(String(36))
    boot_count: Mapped[int | None]
    uptime_us: Mapped[int | None] = mapped_column(BigInteger)
    battery_percent: Mapped[int | None]
    charging: Mapped[bool | None]
    airplane_mode: Mapped[bool | None]
    screen_on: Mapped[bool | None]
    tags: Mapped[str] = mapped_column(Text, default="{}")
    unread: Mapped[str] = mapped_column(Text, default="[]")
    refused_identity: Mapped[str | None] = mapped_column(String(32))


class PhoneSection(Base):
    """The latest content of one section of one phone; `at` is the reading that brought it."""

    __tablename__ = "phone_section"

    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    tag: Mapped[str] = mapped_column(String(32))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    data: Mapped[str] = mapped_column(Text)


class SectionChange(Base):
    """A content of a watched section that came in, until whoever follows the changes has taken it.

    `at`: the reading that brought it; `before_at`: the last that confirmed the content before, null for the first.
    `unread`: `[part, reason]` of that reading. `data` null: it is still the one in `phone_section`.
    """

    __tablename__ = "section_change"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"), index=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    name: Mapped[str] = mapped_column(String(20))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    before_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    unread: Mapped[str] = mapped_column(Text)
    data: Mapped[str | None] = mapped_column(Text)


class PhoneKnown(Base):
    """Since when gateways have read this `android_id`, and no other, by the phone's serial. A reset begins it anew, and
    so does another phone that answers by the same serial; `replaced`: before it they read another one.
    """

    __tablename__ = "phone_known"

    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"), primary_key=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    android_id: Mapped[str] = mapped_column(String(MAX_SERIAL))
    since: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    replaced: Mapped[bool]


class PhoneJournal(Base):
    """The newest journal of each boot of a phone as people read it; the proof itself is in `phone_boot`."""

    __tablename__ = "phone_journal"
    __table_args__ = (
        CheckConstraint("grade IN ('gateway', 'self')", name="grade"),
        CheckConstraint("journal_end IN ('shutdown', 'open')", name="journal_end"),
    )

    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"), primary_key=True)
    boot_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    boot_count: Mapped[int | None]
    first_uptime_us: Mapped[int] = mapped_column(BigInteger)
    last_uptime_us: Mapped[int] = mapped_column(BigInteger)
    lines: Mapped[int]
    # "end" alone is a reserved word.
    journal_end: Mapped[str] = mapped_column(String(10))
    grade: Mapped[str] = mapped_column(String(10))
    battery_percent: Mapped[int | None]
    charging: Mapped[bool | None]
    airplane_mode: Mapped[bool | None]
    sim: Mapped[str | None] = mapped_column(String(MAX_SIM))
    collected_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    received_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    agent_id: Mapped[uuid.UUID]


class Sighting(Base):
    """A phone that an agent read and nobody registered; `identity` as the phone told it, if it did."""

    __tablename__ = "sighting"

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"), primary_key=True)
    serial: Mapped[str] = mapped_column(String(MAX_SERIAL), primary_key=True)
    agent_id: Mapped[uuid.UUID]
    target: Mapped[str] = mapped_column(String(MAX_TARGET))
    first_seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    last_seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime(), index=True)
    times: Mapped[int] = mapped_column(default=1)
    identity: Mapped[str | None] = mapped_column(Text)


class ContactFailure(Base):
    """A target that an agent does not reach at present, why, since and until when; gone once it is read."""

    __tablename__ = "contact_failure"

    agent_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    target: Mapped[str] = mapped_column(String(MAX_TARGET), primary_key=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    handset_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("handset.id"), index=True)
    serial: Mapped[str | None] = mapped_column(String(MAX_SERIAL))
    reason: Mapped[str] = mapped_column(String(20))
    first_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    last_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    times: Mapped[int] = mapped_column(default=1)
