from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.compliance.exemption_states import State
from app.kernel.db import Base, Identified, UtcDateTime

_STATES = ", ".join(f"'{state}'" for state in State)


class ComplianceExemption(Identified, Base):
    """An exception from one finding (R03), asked for by one person and approved by another; never rewritten.

    `handset_id` null: for every phone of the centre. It holds within `[valid_from, valid_to)` while approved;
    `valid_from` is the approval, `ended_at` where it stopped before its end. `subject` as in the finding, or empty.
    """

    __tablename__ = "compliance_exemption"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint("valid_to > valid_from", name="span"),
        CheckConstraint("state <> 'approved' OR valid_from IS NOT NULL", name="approved"),
        CheckConstraint("decided_by <> requested_by", name="two_persons"),
        Index("ix_compliance_exemption_list", "centre_id", "requested_at"),
        Index("ix_compliance_exemption_open", "state", "valid_to"),
        Index("ix_compliance_exemption_handset", "handset_id"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    handset_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("handset.id"))
    code: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(600))
    reason: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    valid_from: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    valid_to: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    requested_by: Mapped[str] = mapped_column(String(200))
    requested_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    decided_by: Mapped[str | None] = mapped_column(String(200))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    decision: Mapped[str | None] = mapped_column(String(500))
    ended_by: Mapped[str | None] = mapped_column(String(200))
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    end_reason: Mapped[str | None] = mapped_column(String(500))
    version: Mapped[int] = mapped_column(default=1)
