from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.allowance.rules import LineState
from app.allowance.states import COUNTS, State
from app.kernel.db import Base, Identified, UtcDateTime, Versioned

HOLDS = "replaced_at IS NULL"
IS_USED = "state IN (" + ", ".join(f"'{s}'" for s in COUNTS) + ")"


class AllowanceMonth(Identified, Base):
    """A month that was closed in one centre. What it was closed by stays with it: the policy's whole body too.

    `lines_sha256`: what the person who closed it had before his eyes; `checked_at`: compared with the evidence last.
    """

    __tablename__ = "allowance_month"
    __table_args__ = (
        # The database itself holds it against two who close at once.
        UniqueConstraint("centre_id", "month"),
        Index("ix_allowance_month_checked", "month", "checked_at"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    month: Mapped[str] = mapped_column(String(7))
    policy_version: Mapped[int]
    policy_sha256: Mapped[str] = mapped_column(String(64))
    policy_body: Mapped[dict[str, Any]] = mapped_column(JSON)
    uptime_version: Mapped[int]
    uptime_sha256: Mapped[str] = mapped_column(String(64))
    lines_sha256: Mapped[str] = mapped_column(String(64))
    closed_by: Mapped[str] = mapped_column(String(200))
    closed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    checked_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class AllowanceLine(Identified, Base):
    """What one employee's closed month comes to. Never changed: a correction is a further revision of the line.

    `amount_fen`: what custody earns, before any cancellation; `shares` and `matters`: the posts and the incidents that
    it is made of; `trace_sha256`: the blob with the trace from which the ruling replays, for lines with any incident.
    """

    __tablename__ = "allowance_line"
    __table_args__ = (
        UniqueConstraint("month_id", "employee_id", "revision"),
        # One line holds at a time, whatever two hands do at once.
        Index(
            "uq_allowance_line_holds",
            "month_id",
            "employee_id",
            unique=True,
            postgresql_where=text(HOLDS),
            sqlite_where=text(HOLDS),
        ),
        Index("ix_allowance_line_employee", "employee_id", "month"),
        Index(
            "ix_allowance_line_untold",
            "made_at",
            postgresql_where=text("told_at IS NULL"),
            sqlite_where=text("told_at IS NULL"),
        ),
        CheckConstraint("state IN (" + ", ".join(f"'{s}'" for s in LineState) + ")", name="state"),
        CheckConstraint("amount_fen >= 0", name="amount"),
    )

    month_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("allowance_month.id"))
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    employee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("employee.id"))
    month: Mapped[str] = mapped_column(String(7))
    revision: Mapped[int]
    state: Mapped[str] = mapped_column(String(10))
    days: Mapped[int]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    strikes: Mapped[int]
    suspected: Mapped[int]
    undecided: Mapped[int]
    shares: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    matters: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    trace_sha256: Mapped[str | None] = mapped_column(String(64))
    grant_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("ledger_entry.id"))
    cancellation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("ledger_entry.id"))
    why: Mapped[str] = mapped_column(Text)
    made_by: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    replaced_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    told_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class PayrollExport(Identified, Base):
    """A file that left for payroll, kept as it left."""

    __tablename__ = "payroll_export"

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    month_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("allowance_month.id"), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    file_name: Mapped[str] = mapped_column(String(200))
    people: Mapped[int]
    net_fen: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class TopupClaim(Identified, Versioned, Base):
    """A receipt for a top-up of the number (U05). `paid_fen`: what the receipt says, `approved_fen`: what is paid back.

    `receipt_sha256`: of the bytes as they were put up, by which one receipt is known again; `file_sha256`: of what is
    kept of them, a photo without its metadata; null on rows from before, of which the bytes themselves are kept.
    `reversed_for`: `R02` when the month's cancellation took it back, `mistake` when a person did.
    """

    __tablename__ = "topup_claim"
    __table_args__ = (
        # One receipt is paid once, whoever files it and wherever.
        Index(
            "uq_topup_claim_receipt",
            "receipt_sha256",
            unique=True,
            postgresql_where=text(IS_USED),
            sqlite_where=text(IS_USED),
        ),
        Index(
            "uq_topup_claim_number",
            "receipt_number",
            "paid_on",
            unique=True,
            postgresql_where=text(f"{IS_USED} AND receipt_number IS NOT NULL"),
            sqlite_where=text(f"{IS_USED} AND receipt_number IS NOT NULL"),
        ),
        Index("ix_topup_claim_employee", "employee_id", "month"),
        Index("ix_topup_claim_list", "centre_id", "state", "created_at"),
        CheckConstraint("state IN (" + ", ".join(f"'{s}'" for s in State) + ")", name="state"),
        CheckConstraint("paid_fen > 0", name="paid"),
        CheckConstraint(
            "approved_fen IS NULL OR (approved_fen > 0 AND approved_fen <= paid_fen)", name="approved"
        ),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    employee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("employee.id"))
    month: Mapped[str] = mapped_column(String(7))
    paid_fen: Mapped[int] = mapped_column(BigInteger)
    paid_on: Mapped[dt.date] = mapped_column(Date)
    receipt_number: Mapped[str | None] = mapped_column(String(60))
    receipt_sha256: Mapped[str] = mapped_column(String(64))
    file_sha256: Mapped[str | None] = mapped_column(String(64))
    receipt_name: Mapped[str] = mapped_column(String(200))
    note: Mapped[str] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(10))
    filed_by: Mapped[str] = mapped_column(String(200))
    approved_fen: Mapped[int | None] = mapped_column(BigInteger)
    decided_by: Mapped[str | None] = mapped_column(String(200))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    reason: Mapped[str | None] = mapped_column(String(500))
    reversed_for: Mapped[str | None] = mapped_column(String(10))
    entry_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("ledger_entry.id"))
