from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.duty import states
from app.kernel.db import Base, Identified, UtcDateTime


def _in(values: type[states.Delegation] | type[states.Excuse]) -> str:
    return "state IN (" + ", ".join(f"'{value}'" for value in values) + ")"


class Delegation(Identified, Base):
    """A phone entrusted to another post (N01). `starts_at`, `ends_at`: as agreed; `force_from`, `force_to`: as it
    holds, half-open, from acceptance on, empty where both are alike. `delegate_id` is frozen at acceptance.
    """

    __tablename__ = "delegation"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="span"),
        CheckConstraint("force_to >= force_from", name="force"),
        CheckConstraint(_in(states.Delegation), name="state"),
        Index("ix_delegation_handset", "handset_id", "starts_at"),
        Index("ix_delegation_list", "centre_id", "created_at"),
        Index("ix_delegation_open", "state", "ends_at"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    from_post_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("post.id"))
    giver_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("employee.id"), index=True)
    to_post_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("post.id"), index=True)
    delegate_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("employee.id"), index=True)
    starts_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    ends_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    force_from: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    force_to: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    state: Mapped[str] = mapped_column(String(12))
    note: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    answered_by: Mapped[str | None] = mapped_column(String(200))
    answered_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    answer: Mapped[str | None] = mapped_column(String(500))
    ended_by: Mapped[str | None] = mapped_column(String(200))
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    end_reason: Mapped[str | None] = mapped_column(String(500))


class Excuse(Identified, Base):
    """Maintenance or repair: within `[starts_at, ends_at)` the phone need not be on. Open only for a repair, of which
    somebody was `reminded` so many times.
    """

    __tablename__ = "excuse"
    __table_args__ = (
        CheckConstraint("ends_at IS NULL OR ends_at >= starts_at", name="span"),
        CheckConstraint("reason IN ('maintenance', 'repair')", name="reason"),
        CheckConstraint(_in(states.Excuse), name="state"),
        Index("ix_excuse_handset", "handset_id", "starts_at"),
        Index("ix_excuse_list", "centre_id", "filed_at"),
        Index("ix_excuse_open", "state", "ends_at"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    reason: Mapped[str] = mapped_column(String(12))
    starts_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    ends_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    state: Mapped[str] = mapped_column(String(12))
    note: Mapped[str] = mapped_column(Text)
    reminded: Mapped[int] = mapped_column(default=0)
    filed_by: Mapped[str] = mapped_column(String(200))
    filed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    decided_by: Mapped[str | None] = mapped_column(String(200))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    decision: Mapped[str | None] = mapped_column(String(500))
    ended_by: Mapped[str | None] = mapped_column(String(200))
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    end_reason: Mapped[str | None] = mapped_column(String(500))
