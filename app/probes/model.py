from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime
from app.probes.states import State

IS_SENT = "state = 'sent'"
IS_ASKED = "cause <> 'scheduled' AND state IN ('planned', 'sent')"


class Probe(Identified, Base):
    """One test of reach, registered before it runs.

    `planned_at`: when it is due, told to nobody before; `day`, `number`: which of the day's tests (scheduled ones
    alone). `numbers`: what of policy `probing` governs it, from when it was sent, with the policy's version and
    sha256. `tries` of a test that did not reach: `{"at", "checked_at", "up_for", "reason"}`, microseconds. `settle_at`:
    when it is to be weighed whether it counts; None once that is done.
    """

    __tablename__ = "probe"
    __table_args__ = (
        CheckConstraint("state IN (" + ", ".join(f"'{s}'" for s in State) + ")", name="state"),
        CheckConstraint("cause IN ('scheduled', 'report', 'person')", name="cause"),
        UniqueConstraint("handset_id", "day", "number"),
        Index("uq_probe_sent", "handset_id", unique=True, postgresql_where=text(IS_SENT), sqlite_where=text(IS_SENT)),
        Index(
            "uq_probe_asked", "handset_id", unique=True, postgresql_where=text(IS_ASKED), sqlite_where=text(IS_ASKED)
        ),
        Index("ix_probe_due", "state", "planned_at"),
        Index("ix_probe_handset", "handset_id", "state", "planned_at"),
        Index("ix_probe_centre", "centre_id", "planned_at"),
        Index("ix_probe_command", "command_id"),
        Index("ix_probe_settle", "settle_at"),
    )  # fmt: skip

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    cause: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(12))
    day: Mapped[str | None] = mapped_column(String(10))
    number: Mapped[int | None]
    planned_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    created_by: Mapped[str] = mapped_column(String(200))
    sent_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    command_id: Mapped[uuid.UUID | None]
    agent_id: Mapped[uuid.UUID | None]
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    reason: Mapped[str | None] = mapped_column(String(40))
    numbers: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    policy_version: Mapped[int | None]
    policy_sha256: Mapped[str | None] = mapped_column(String(64))
    tries: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    settle_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class OutOfReach(Base):
    """A phone that was not heard for long, for as long as that lasts: which tasks stand for it."""

    __tablename__ = "out_of_reach"

    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"), primary_key=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    heard_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    plug_in_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    look_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
