from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Date, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.contracts import states
from app.kernel.db import Base, Identified, UtcDateTime, Versioned


def _in(values: tuple[str, ...]) -> str:
    return "state IN (" + ", ".join(f"'{value}'" for value in values) + ")"


_LIVE_ASSESSMENT = text(_in(states.LIVE_ASSESSMENTS))
_LIVE_REQUEST = text(_in(states.LIVE_REQUESTS))


class NumberContract(Identified, Versioned, Base):
    """What the carrier and the company agreed on for one number (U04), from `starts_on` to `ends_on`: whole days in
    Shanghai, both included. No two of one number that are not void share a day.

    `monthly_fen`: the plan's price a month; `handset_budget_fen`: what it allows a new phone to cost, null: not known.
    `renews_id`: the contract that it follows. `warned`: the lowest threshold of days left that was told, negative after
    the end.
    """

    __tablename__ = "number_contract"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="span"),
        CheckConstraint(
            "monthly_fen >= 0 AND (handset_budget_fen IS NULL OR handset_budget_fen >= 0)", name="fen"
        ),
        CheckConstraint(
            "plan_type IS NULL OR plan_type IN ('phone_for_plan', 'plan_for_phone')", name="plan"
        ),
        Index("ix_number_contract_number", "number_id", "starts_on"),
        Index("ix_number_contract_ends", "ends_on"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"), index=True)
    number_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("number.id"))
    carrier: Mapped[str] = mapped_column(String(40))
    plan_type: Mapped[str | None] = mapped_column(String(20))
    plan_name: Mapped[str] = mapped_column(String(120))
    monthly_fen: Mapped[int] = mapped_column(BigInteger)
    handset_budget_fen: Mapped[int | None] = mapped_column(BigInteger)
    starts_on: Mapped[dt.date] = mapped_column(Date)
    ends_on: Mapped[dt.date] = mapped_column(Date)
    registered_name: Mapped[str | None] = mapped_column(String(200))
    note: Mapped[str | None] = mapped_column(Text)
    renews_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("number_contract.id"))
    file_sha256: Mapped[str | None] = mapped_column(ForeignKey("blob.sha256"))
    file_name: Mapped[str | None] = mapped_column(String(200))
    warned: Mapped[int | None]
    created_by: Mapped[str] = mapped_column(String(200))
    voided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    voided_by: Mapped[str | None] = mapped_column(String(200))
    void_reason: Mapped[str | None] = mapped_column(String(500))


class Assessment(Identified, Versioned, Base):
    """Whether the phone of a number's post still serves when the contract ends (R06).

    `items`: `{key: {"code", "words"}}` as the assessor says; `readings`: what the agent's newest reading and the other
    rooms told, frozen when it was last filled in; `photos`: `[{"sha256", "caption"}]`. `document` is the exact text
    that both signed, `digest` its sha256; `signatures` in their order.
    """

    __tablename__ = "contract_assessment"
    __table_args__ = (
        CheckConstraint(_in(tuple(states.Assessment)), name="state"),
        CheckConstraint("conclusion IS NULL OR conclusion IN ('keep', 'replace')", name="conclusion"),
        Index(
            "uq_assessment_live", "contract_id", unique=True,
            postgresql_where=_LIVE_ASSESSMENT, sqlite_where=_LIVE_ASSESSMENT,
        ),
        Index("ix_contract_assessment_list", "centre_id", "state", "created_at"),
        Index("ix_contract_assessment_phone", "handset_id"),
    )  # fmt: skip

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    contract_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("number_contract.id"))
    number_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("number.id"), index=True)
    post_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("post.id"), index=True)
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    state: Mapped[str] = mapped_column(String(12))
    items: Mapped[dict[str, Any]] = mapped_column(JSON)
    readings: Mapped[list[Any]] = mapped_column(JSON)
    photos: Mapped[list[Any]] = mapped_column(JSON)
    conclusion: Mapped[str | None] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text)
    document: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    digest: Mapped[str | None] = mapped_column(String(64))
    signatures: Mapped[list[Any]] = mapped_column(JSON)
    opened_by: Mapped[str] = mapped_column(String(200))
    submitted_by: Mapped[str | None] = mapped_column(String(200))
    submitted_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    decided_by: Mapped[str | None] = mapped_column(String(200))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    remark: Mapped[str | None] = mapped_column(String(500))
    """Why it was sent back, cancelled or voided."""
    paper_id: Mapped[uuid.UUID | None]


class ReplacementRequest(Identified, Versioned, Base):
    """A new phone for a post (R06): what is wanted, within what the contract's price allows (`budget_fen`, as it stood
    at the request) or above it with `over_reason` and a second approver.

    `compared`: the table of specifications, `[{"label", "old", "new", "verdict"}]`. `disposal_id`: the order that the
    old phone be destroyed.
    """

    __tablename__ = "replacement_request"
    __table_args__ = (
        CheckConstraint(_in(tuple(states.Request)), name="state"),
        CheckConstraint("price_fen > 0 AND (bought_fen IS NULL OR bought_fen > 0)", name="fen"),
        Index(
            "uq_replacement_live", "assessment_id", unique=True,
            postgresql_where=_LIVE_REQUEST, sqlite_where=_LIVE_REQUEST,
        ),
        Index("ix_replacement_request_list", "centre_id", "state", "created_at"),
        Index("ix_replacement_request_phone", "handset_id"),
    )  # fmt: skip

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    assessment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("contract_assessment.id"))
    contract_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("number_contract.id"))
    post_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("post.id"), index=True)
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    state: Mapped[str] = mapped_column(String(12))
    brand: Mapped[str] = mapped_column(String(60))
    model: Mapped[str] = mapped_column(String(100))
    specification: Mapped[dict[str, Any]] = mapped_column(JSON)
    compared: Mapped[list[Any]] = mapped_column(JSON)
    price_fen: Mapped[int] = mapped_column(BigInteger)
    budget_fen: Mapped[int | None] = mapped_column(BigInteger)
    over_reason: Mapped[str] = mapped_column(String(500))
    note: Mapped[str] = mapped_column(String(500))
    requested_by: Mapped[str] = mapped_column(String(200))
    approved_by: Mapped[str | None] = mapped_column(String(200))
    approved_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    second_by: Mapped[str | None] = mapped_column(String(200))
    second_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    ended_by: Mapped[str | None] = mapped_column(String(200))
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    end_reason: Mapped[str | None] = mapped_column(String(500))
    new_handset_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("handset.id"), unique=True)
    bought_fen: Mapped[int | None] = mapped_column(BigInteger)
    bought_on: Mapped[dt.date | None] = mapped_column(Date)
    bought_by: Mapped[str | None] = mapped_column(String(200))
    invoice_number: Mapped[str | None] = mapped_column(String(60))
    disposal_id: Mapped[uuid.UUID | None]
    signatures: Mapped[list[Any]] = mapped_column(JSON)
    paper_id: Mapped[uuid.UUID | None]
