from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Date, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.hardware import states
from app.kernel.db import Base, Identified, UtcDateTime

WAITS = "state = 'waiting'"
RUNS = "state IN (" + ", ".join(f"'{s}'" for s in states.OPEN_CASES) + ")"


def _in(column: str, values: type[StrEnum]) -> str:
    return f"{column} IN (" + ", ".join(f"'{value}'" for value in values) + ")"


class HardwareCase(Identified, Base):
    """A phone that was damaged or lost (R05), from the report to its end.

    `happened_at`: the instant by which custody is told; `employee_id`: who answers, None: nobody had it, and
    `answers_why` how that is known. `items`, `photos`: lists as reported. `payer`: `person` or `centre` once judged;
    `within_life` null: not known. `policy_*`: what it was judged by, whole.
    """

    __tablename__ = "hardware_case"
    __table_args__ = (
        CheckConstraint("kind IN ('damage', 'loss')", name="kind"),
        CheckConstraint("cause IN ('human', 'wear', 'defect', 'third_party', 'unknown')", name="cause"),
        CheckConstraint("payer IN ('person', 'centre')", name="payer"),
        # Nobody pays who is not named.
        CheckConstraint("payer IS NULL OR payer = 'centre' OR employee_id IS NOT NULL", name="payer_known"),
        CheckConstraint(_in("state", states.Case), name="state"),
        CheckConstraint(_in("appeal", states.Appeal), name="appeal"),
        # One running case a phone: two reports of one crack would cost its holder twice.
        Index(
            "uq_hardware_case_runs",
            "handset_id",
            unique=True,
            postgresql_where=text(RUNS),
            sqlite_where=text(RUNS),
        ),
        Index("ix_hardware_case_list", "centre_id", "created_at"),
        Index("ix_hardware_case_employee", "employee_id"),
        Index("ix_hardware_case_handset", "handset_id"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    post_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("post.id"))
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(12))
    happened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    words: Mapped[str] = mapped_column(Text)
    photos: Mapped[list[str]] = mapped_column(JSON)
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    leg_id: Mapped[uuid.UUID | None]
    reported_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    employee_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("employee.id"))
    answers_why: Mapped[str] = mapped_column(String(500))
    police_number: Mapped[str | None] = mapped_column(String(60))
    statement: Mapped[str | None] = mapped_column(Text)
    stated_by: Mapped[str | None] = mapped_column(String(200))
    stated_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    disputed: Mapped[bool] = mapped_column(default=False)
    cause: Mapped[str | None] = mapped_column(String(12))
    finding: Mapped[str | None] = mapped_column(Text)
    finding_photos: Mapped[list[str]] = mapped_column(JSON)
    payer: Mapped[str | None] = mapped_column(String(10))
    within_life: Mapped[bool | None]
    judged_by: Mapped[str | None] = mapped_column(String(200))
    judged_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    policy_version: Mapped[int | None]
    policy_sha256: Mapped[str | None] = mapped_column(String(64))
    policy_body: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    due_on: Mapped[dt.date | None] = mapped_column(Date)
    appeal: Mapped[str] = mapped_column(String(10), default=states.Appeal.NONE)
    appeal_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    appeal_words: Mapped[str | None] = mapped_column(Text)
    appealed_by: Mapped[str | None] = mapped_column(String(200))
    appealed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    appeal_decision: Mapped[str | None] = mapped_column(String(500))
    appeal_decided_by: Mapped[str | None] = mapped_column(String(200))
    appeal_decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    new_handset_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("handset.id"))
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class HardwareStep(Identified, Base):
    """What was done in a case, by whom and why; never changed."""

    __tablename__ = "hardware_step"
    __table_args__ = (Index("ix_hardware_step_case", "case_id", "at"),)

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("hardware_case.id"))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    by: Mapped[str] = mapped_column(String(200))
    step: Mapped[str] = mapped_column(String(20))
    words: Mapped[str] = mapped_column(Text)


class LossDeed(Identified, Base):
    """What somebody did about a lost phone, with what shows it; never changed: a later one of the same step holds.

    `what`: the step, as in `loss_rules`. `receipt`: the number that a carrier or the police gave.
    """

    __tablename__ = "hardware_loss_deed"
    __table_args__ = (
        CheckConstraint("outcome IN ('done', 'impossible', 'not_needed')", name="outcome"),
        Index("ix_hardware_loss_deed_case", "case_id"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("hardware_case.id"))
    what: Mapped[str] = mapped_column(String(20))
    outcome: Mapped[str] = mapped_column(String(12))
    words: Mapped[str] = mapped_column(Text)
    receipt: Mapped[str | None] = mapped_column(String(100))
    photos: Mapped[list[str]] = mapped_column(JSON)
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class HardwareRepair(Identified, Base):
    """A shop's work on the phone. `paid_by`: `person` or `centre`, as the case stood then."""

    __tablename__ = "hardware_repair"
    __table_args__ = (
        CheckConstraint("result IN ('repaired', 'beyond_repair')", name="result"),
        CheckConstraint("price_fen >= 0", name="price"),
        Index("ix_hardware_repair_case", "case_id"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("hardware_case.id"))
    shop: Mapped[str] = mapped_column(String(200))
    done_on: Mapped[dt.date] = mapped_column(Date)
    price_fen: Mapped[int] = mapped_column(BigInteger)
    paid_by: Mapped[str] = mapped_column(String(10))
    result: Mapped[str] = mapped_column(String(14))
    words: Mapped[str] = mapped_column(Text)
    photos: Mapped[list[str]] = mapped_column(JSON)
    recorded_by: Mapped[str] = mapped_column(String(200))
    recorded_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class HardwareReplacement(Identified, Base):
    """A new phone for the old one: brought by the person or bought by the centre. `compared`: the table as it was
    decided on; `decision` says why an unknown was taken, or why it was rejected.
    """

    __tablename__ = "hardware_replacement"
    __table_args__ = (
        CheckConstraint("source IN ('person', 'centre')", name="source"),
        CheckConstraint(_in("state", states.Offer), name="state"),
        CheckConstraint("price_fen > 0", name="price"),
        Index("ix_hardware_replacement_case", "case_id"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("hardware_case.id"))
    source: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    phone: Mapped[dict[str, Any]] = mapped_column(JSON)
    handset_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("handset.id"))
    price_fen: Mapped[int | None] = mapped_column(BigInteger)
    invoice_number: Mapped[str | None] = mapped_column(String(60))
    photos: Mapped[list[str]] = mapped_column(JSON)
    compared: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    verdict: Mapped[str] = mapped_column(String(10))
    offered_by: Mapped[str] = mapped_column(String(200))
    offered_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    decision: Mapped[str | None] = mapped_column(String(500))
    decided_by: Mapped[str | None] = mapped_column(String(200))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class DeductionOrder(Identified, Base):
    """What a person's wages pay for a case: one order a case, for ever. `basis`: how the amount came about."""

    __tablename__ = "hardware_deduction"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("monthly_fen > 0 AND monthly_fen <= amount_fen", name="monthly"),
        CheckConstraint("taken_fen >= 0 AND taken_fen <= amount_fen", name="taken"),
        CheckConstraint(_in("state", states.Order), name="state"),
        Index("ix_hardware_deduction_employee", "employee_id", "state"),
        Index("ix_hardware_deduction_centre", "centre_id", "state"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("hardware_case.id"), unique=True)
    employee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("employee.id"))
    state: Mapped[str] = mapped_column(String(10))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    monthly_fen: Mapped[int] = mapped_column(BigInteger)
    taken_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    first_month: Mapped[str] = mapped_column(String(7))
    basis: Mapped[dict[str, Any]] = mapped_column(JSON)
    ordered_by: Mapped[str] = mapped_column(String(200))
    ordered_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class WageCap(Identified, Base):
    """What finance confirmed that a person's month bears in all: the law's limit in fen, not the wage itself."""

    __tablename__ = "hardware_wage_cap"
    __table_args__ = (
        CheckConstraint("cap_fen >= 0", name="cap"),
        Index("uq_hardware_wage_cap_month", "employee_id", "month", unique=True),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    employee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("employee.id"))
    month: Mapped[str] = mapped_column(String(7))
    cap_fen: Mapped[int] = mapped_column(BigInteger)
    confirmed_by: Mapped[str] = mapped_column(String(200))
    confirmed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class Instalment(Identified, Base):
    """What one month took of an order; 0 where the cap left nothing. `reversal_id`: given back."""

    __tablename__ = "hardware_instalment"
    __table_args__ = (
        CheckConstraint("taken_fen >= 0", name="taken"),
        Index("uq_hardware_instalment_month", "order_id", "month", unique=True),
        Index("ix_hardware_instalment_employee", "employee_id", "month"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("hardware_deduction.id"))
    employee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("employee.id"))
    month: Mapped[str] = mapped_column(String(7))
    taken_fen: Mapped[int] = mapped_column(BigInteger)
    entry_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("ledger_entry.id"))
    reversal_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("ledger_entry.id"))
    confirmed_by: Mapped[str] = mapped_column(String(200))
    confirmed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class Disposal(Identified, Base):
    """A phone that stands as "to be destroyed"; how it is destroyed is no matter of this room.

    `source`: the path of what ordered it. `found_at`: a lost one that is back after all.
    """

    __tablename__ = "hardware_disposal"
    __table_args__ = (
        CheckConstraint("cause IN ('contract_end', 'beyond_repair', 'replaced', 'lost')", name="cause"),
        CheckConstraint(_in("state", states.Disposal), name="state"),
        Index(
            "uq_hardware_disposal_waits",
            "handset_id",
            unique=True,
            postgresql_where=text(WAITS),
            sqlite_where=text(WAITS),
        ),
        Index("ix_hardware_disposal_list", "centre_id", "ordered_at"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    cause: Mapped[str] = mapped_column(String(14))
    reason: Mapped[str] = mapped_column(String(500))
    source: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(10))
    ordered_by: Mapped[str] = mapped_column(String(200))
    ordered_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    found_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    ended_by: Mapped[str | None] = mapped_column(String(200))
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    end_reason: Mapped[str | None] = mapped_column(String(500))
