"""Rounds by centre and month, their items with each change, and cases of unauthorised change. No secret in any row."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.credchecks import states
from app.kernel.db import Base, Identified, UtcDateTime


def _in(values: type[StrEnum] | tuple[StrEnum, ...]) -> str:
    return "state IN (" + ", ".join(f"'{value}'" for value in values) + ")"


_IS_OPEN = _in(states.OPEN_CASES)


class CheckRound(Identified, Base):
    """One centre's round of one month (`2026-11`, Shanghai). `due_at`: the end of its last day, exclusive.

    `reminded`: how many reminders went out. `figures`: how many items stood how at the close.
    """

    __tablename__ = "check_round"
    __table_args__ = (
        UniqueConstraint("centre_id", "month"),
        Index("ix_check_round_list", "state", "month", "id"),
        Index("ix_check_round_settled", "state", "settled_at"),
        CheckConstraint(_in(states.Round), name="state"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    month: Mapped[str] = mapped_column(String(7))
    state: Mapped[str] = mapped_column(String(10))
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    opened_by: Mapped[str] = mapped_column(String(200))
    due_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    settled_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    reminded: Mapped[int] = mapped_column(default=0)
    escalated_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    policy_version: Mapped[int]
    policy_sha256: Mapped[str] = mapped_column(String(64))
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    closed_by: Mapped[str | None] = mapped_column(String(200))
    paper_id: Mapped[uuid.UUID | None]
    figures: Mapped[dict[str, Any] | None] = mapped_column(JSON)


class CheckItem(Identified, Base):
    """One password, or one point of an account's profile (`area`), of one kit as it was at the opening.

    `holder_id`: who held the post then. `hint`: what the registry says it should be, for profiles. `checked_at`: the
    escrow's check that was counted last. `source`: `typed`, `phone`, `attested`, `entered`, `system`. `photos`: sha256
    of stored pictures. `asked_by`: who asked for the waiver.
    """

    __tablename__ = "check_item"
    __table_args__ = (
        UniqueConstraint("round_id", "subject_id", "area", "kind"),
        Index("ix_check_item_subject", "subject_id", "at"),
        Index("ix_check_item_holder", "holder_id", "round_id"),
        Index("ix_check_item_centre", "centre_id"),
        CheckConstraint(_in(states.Item), name="state"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("check_round.id"))
    post_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("post.id"), index=True)
    holder_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("employee.id"))
    place: Mapped[int]
    area: Mapped[str] = mapped_column(String(10))
    of: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[uuid.UUID]
    subject_name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(40))
    rule: Mapped[str] = mapped_column(String(10))
    hint: Mapped[str] = mapped_column(String(300))
    picture: Mapped[bool]
    state: Mapped[str] = mapped_column(String(15))
    version: Mapped[int] = mapped_column(default=1)
    at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    by: Mapped[str | None] = mapped_column(String(200))
    source: Mapped[str | None] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(500), default="")
    photos: Mapped[list[str]] = mapped_column(JSON, default=list)
    asked_by: Mapped[str | None] = mapped_column(String(200))
    checked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class ItemChange(Identified, Base):
    """One change of an item; never changed itself."""

    __tablename__ = "check_item_change"

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    item_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("check_item.id"), index=True)
    event: Mapped[str] = mapped_column(String(15))
    state: Mapped[str] = mapped_column(String(15))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    by: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(500))
    photos: Mapped[list[str]] = mapped_column(JSON)


class ChangeCase(Identified, Base):
    """A number's or an account's password that did not match: 擅自更改 or not (R07).

    `employee_id`: who held the post when it was found, None for nobody. `known_good_at`: when it was last known to be
    right, filed or checked. `told_at`: when the butler was told, from which his time for a statement runs.
    """

    __tablename__ = "change_case"
    __table_args__ = (
        Index(
            "uq_change_case_open", "secret_id", unique=True,
            postgresql_where=text(_IS_OPEN), sqlite_where=text(_IS_OPEN),
        ),
        Index("ix_change_case_list", "centre_id", "state", "opened_at"),
        Index("ix_change_case_employee", "employee_id", "opened_at"),
        Index("ix_change_case_subject", "subject_id"),
        CheckConstraint(_in(states.Case), name="state"),
    )  # fmt: skip

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    item_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("check_item.id"), index=True)
    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("check_round.id"), index=True)
    secret_id: Mapped[uuid.UUID]
    of: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[uuid.UUID]
    subject_name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(40))
    post_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("post.id"))
    employee_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("employee.id"))
    state: Mapped[str] = mapped_column(String(10))
    mismatch_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    checked_by: Mapped[str] = mapped_column(String(200))
    known_good_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    told_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    statement_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    statement: Mapped[str] = mapped_column(Text, default="")
    stated_by: Mapped[str | None] = mapped_column(String(200))
    stated_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    finding: Mapped[str | None] = mapped_column(String(15))
    reason: Mapped[str] = mapped_column(Text, default="")
    decided_by: Mapped[str | None] = mapped_column(String(200))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    appeal_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    appeal: Mapped[str] = mapped_column(Text, default="")
    appealed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_by: Mapped[str | None] = mapped_column(String(200))
    answered_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    paper_id: Mapped[uuid.UUID | None]
