"""When gateways, sites and the server itself were up: a row a stretch, not a row a beat."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime

MAX_OBSERVER = 50


class ObserverSpan(Identified, Base):
    """A stretch of one observer: `agent:ID`, `site:CENTRE`, `intake`, `server`. The last two belong to no centre.

    `up`: proved over `[start_at, end_at]`. `down` of an agent: the first and the last beat that said so; of a site or
    the intake: an incident, `end_at` None while it lasts.
    """

    __tablename__ = "observer_span"
    __table_args__ = (
        CheckConstraint("state IN ('up', 'down')", name="state"),
        CheckConstraint("end_at IS NULL OR end_at >= start_at", name="forward"),
        Index("ix_observer_span_observer", "observer", "state", "end_at"),
        Index("ix_observer_span_centre", "centre_id", "end_at"),
    )

    centre_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("service_centre.id"))
    observer: Mapped[str] = mapped_column(String(MAX_OBSERVER))
    state: Mapped[str] = mapped_column(String(4))
    start_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    end_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    reason: Mapped[str | None] = mapped_column(String(20))


class IntakeSample(Base):
    """How many phones of the whole company were heard in the minutes before `at`: what "usual" is measured by."""

    __tablename__ = "intake_sample"

    at: Mapped[dt.datetime] = mapped_column(UtcDateTime(), primary_key=True)
    heard: Mapped[int]


class WatchedBy(Base):
    """The numbers of policy `probing` by which the server and each site are watched now.

    Without a row nobody watches, so nobody can be suspected.
    """

    __tablename__ = "watched_by"

    observer: Mapped[str] = mapped_column(String(MAX_OBSERVER), primary_key=True)
    centre_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("service_centre.id"))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
