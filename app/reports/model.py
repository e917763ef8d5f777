from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime
from app.reports.states import State


class ReportCode(Identified, Base):
    """The code in a post's QR picture. It names a post and opens nothing, so it is kept as it is, to print it again."""

    __tablename__ = "report_code"
    __table_args__ = (
        Index(
            "uq_report_code_post",
            "post_id",
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
            sqlite_where=text("retired_at IS NULL"),
        ),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"), index=True)
    post_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("post.id"))
    code: Mapped[str] = mapped_column(String(40), unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    created_by: Mapped[str] = mapped_column(String(200))
    retired_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class ReportHour(Base):
    """How many forms came with one code in one hour; all codes that there are not share one bucket."""

    __tablename__ = "report_hour"

    bucket: Mapped[str] = mapped_column(String(40), primary_key=True)
    hour: Mapped[dt.datetime] = mapped_column(UtcDateTime(), primary_key=True)
    number: Mapped[int]


class ReportIntake(Identified, Base):
    """A form as it came, from whomever. Written alike for codes that there are and are not (`code_id` null), so that
    the answer's time tells nothing; a job takes it further.
    """

    __tablename__ = "report_intake"
    __table_args__ = (Index("ix_report_intake_taken", "taken_at", "received_at"),)

    form_key: Mapped[str] = mapped_column(String(100), unique=True)
    code_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("report_code.id"))
    room: Mapped[str] = mapped_column(String(60))
    said: Mapped[str] = mapped_column(String(200))
    when_said: Mapped[str] = mapped_column(String(10))
    received_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    taken_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class CustomerReport(Identified, Base):
    """Somebody says through a post's code that he could not reach its phone.

    `handset_id`: the post's phone then; once confirmed, the one of `called_at`, when the household says it called.
    `matched` and `household_id`: what the typed room led to, or what staff chose. `quiet_hours`: policy's household
    hours when it was confirmed.
    """

    __tablename__ = "customer_report"
    __table_args__ = (
        Index("ix_customer_report_list", "centre_id", "state", "received_at"),
        Index("ix_customer_report_handset", "handset_id", "state"),
        Index("ix_customer_report_post", "post_id", "probed_at"),
        CheckConstraint("state IN (" + ", ".join(f"'{s}'" for s in State) + ")", name="state"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    post_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("post.id"))
    grid_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("grid.id"))
    room: Mapped[str] = mapped_column(String(60))
    said: Mapped[str] = mapped_column(String(200))
    when_said: Mapped[str] = mapped_column(String(10))
    received_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    matched: Mapped[str] = mapped_column(String(10))
    household_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("household.id"))
    handset_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("handset.id"))
    probed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    state: Mapped[str] = mapped_column(String(10))
    called_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    quiet_hours: Mapped[int | None]
    judged_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    judged_by: Mapped[str | None] = mapped_column(String(200))
    reason: Mapped[str | None] = mapped_column(String(500))


class ReportChange(Identified, Base):
    """One judgement of a report, or its undoing; never changed."""

    __tablename__ = "report_change"

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    report_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customer_report.id"), index=True)
    event: Mapped[str] = mapped_column(String(10))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    by: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(500))
    household_id: Mapped[uuid.UUID | None]
    handset_id: Mapped[uuid.UUID | None]
    called_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
