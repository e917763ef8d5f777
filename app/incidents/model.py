"""What is kept of R02's incidents: the verdict as it stands, how it came about, who spoke, who appealed."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.incidents.states import State
from app.kernel.db import Base, Identified, UtcDateTime

_STATES = ", ".join(f"'{state}'" for state in State)


class Incident(Identified, Base):
    """One episode of one phone. `[start_at, end_at)` for kind a; for kind b the first and last accusation, both in.

    `status` is the engine's verdict, `state` how far people are with it. `answers`: `str(employee_id)`, or
    `holder:<handset>` where nobody had custody. `hits` and `off` are `rules.Verdict`'s, instants in microseconds.
    `gone_at`: later evidence left nothing of it, or joined it to `gone_to`; such a row is history and costs nothing.
    """

    __tablename__ = "incident"
    __table_args__ = (
        CheckConstraint("kind IN ('a', 'b')", name="kind"),
        CheckConstraint(
            "status IN ('refuted', 'confirmed', 'excused', 'suspected', 'undecided')", name="status"
        ),
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        Index("ix_incident_handset", "handset_id", "start_at"),
        Index("ix_incident_list", "centre_id", "start_at"),
        Index("ix_incident_month", "centre_id", "month", "status"),
        Index("ix_incident_employee", "employee_id", "month"),
        Index("ix_incident_changed", "changed_at"),
    )

    version: Mapped[int] = mapped_column(default=1)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    kind: Mapped[str] = mapped_column(String(1))
    status: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    start_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    end_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    employee_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("employee.id"))
    answers: Mapped[str] = mapped_column(String(80))
    month: Mapped[str] = mapped_column(String(7))
    hits: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    off: Mapped[list[list[int]]] = mapped_column(JSON)
    strikes: Mapped[int]
    inputs_sha256: Mapped[str] = mapped_column(String(64))
    policy_version: Mapped[int]
    policy_sha256: Mapped[str] = mapped_column(String(64))
    policy_body: Mapped[dict[str, Any]] = mapped_column(JSON)
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    changed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    appeal_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    gone_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    gone_to: Mapped[uuid.UUID | None]


class IncidentStrike(Identified, Base):
    """A strike that counts now. What counted before stands in the changes of its incident."""

    __tablename__ = "incident_strike"
    __table_args__ = (
        Index("ix_incident_strike_incident", "incident_id"),
        Index("ix_incident_strike_month", "centre_id", "month"),
        Index("ix_incident_strike_employee", "employee_id", "month"),
    )

    incident_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("incident.id"))
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    employee_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("employee.id"))
    answers: Mapped[str] = mapped_column(String(80))
    month: Mapped[str] = mapped_column(String(7))


class IncidentChange(Identified, Base):
    """How a verdict changed. `before` and `after` are `rules.Verdict.told()`; null: there was none, or none is left.

    `causes`: which of the inputs differ from those of the ruling before (`rules.CAUSES`), `why` the same in words.
    """

    __tablename__ = "incident_change"
    __table_args__ = (Index("ix_incident_change_incident", "incident_id", "at"),)

    incident_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("incident.id"))
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    causes: Mapped[list[str]] = mapped_column(JSON)
    why: Mapped[str] = mapped_column(Text)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    inputs_sha256: Mapped[str] = mapped_column(String(64))
    policy_version: Mapped[int]
    policy_sha256: Mapped[str] = mapped_column(String(64))


class IncidentDecision(Identified, Base):
    """A person's word on `[start_at, end_at)` of a phone: the latest that overlaps an incident holds for it.

    `stage`: `first` by the lead, `appeal` by a second person. Never changed, never deleted.
    """

    __tablename__ = "incident_decision"
    __table_args__ = (
        CheckConstraint("status IN ('confirmed', 'refuted')", name="status"),
        CheckConstraint("stage IN ('first', 'appeal')", name="stage"),
        Index("ix_incident_decision_handset", "handset_id", "at"),
        Index("ix_incident_decision_incident", "incident_id", "at"),
    )

    incident_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("incident.id"))
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    start_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    end_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    status: Mapped[str] = mapped_column(String(10))
    stage: Mapped[str] = mapped_column(String(10))
    actor: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(Text)


class IncidentAppeal(Identified, Base):
    """A butler's one appeal against an incident that he answers for; `decided_at` with the decision on it."""

    __tablename__ = "incident_appeal"
    __table_args__ = (UniqueConstraint("incident_id", "employee_id", name="uq_incident_appeal_once"),)

    incident_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("incident.id"))
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    employee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("employee.id"))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    actor: Mapped[str] = mapped_column(String(200))
    statement: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class RuledPhone(Base):
    """When a phone was ruled last, and from what: the sha256 of each kind of input, by `rules.CAUSES`.

    `shares`: employee and month of its custody, for the closing of months.
    """

    __tablename__ = "phone_ruling"
    __table_args__ = (Index("ix_phone_ruling_centre", "centre_id"),)

    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"), primary_key=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    settled_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    inputs: Mapped[dict[str, str]] = mapped_column(JSON)
    inputs_sha256: Mapped[str] = mapped_column(String(64))
    policy_version: Mapped[int]
    policy_sha256: Mapped[str] = mapped_column(String(64))
    shares: Mapped[list[list[str]]] = mapped_column(JSON)
