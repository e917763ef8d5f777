"""Wipes, and each step of theirs. Inspections and certificates are in `inspection_model`."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime, Versioned
from app.wipe.rules import STRATEGIES
from app.wipe.states import OPEN, State

IS_OPEN = "state IN (" + ", ".join(f"'{state}'" for state in OPEN) + ")"


def _in(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN (" + ", ".join(f"'{value}'" for value in values) + ")"


class Wipe(Identified, Versioned, Base):
    """One order to erase one phone, from the draft to the certificate. It keeps the phone's identity as it was asked
    for; its state does not follow the phone's own row.

    `strategy` as approved; `done_by`: how it was carried out last, `agent` or `hand`. `checklist`: item → answer and
    words. `waivers`: the blockers that a second approver set aside, with his reason. `ordered_at`: when the order may
    have reached the phone at the earliest, of the last release. `expect`: what the phone told of itself when somebody
    stood before it. `release_mark` binds command, phone and person of the last release to its event in the trail.
    `why`: code of what stopped it last. `tries`: how often it was released.
    """

    __tablename__ = "wipe"
    __table_args__ = (
        # Of one phone one wipe at a time: two would confirm each other.
        Index(
            "uq_wipe_open",
            "handset_id",
            unique=True,
            postgresql_where=text(IS_OPEN),
            sqlite_where=text(IS_OPEN),
        ),
        Index("ix_wipe_list", "centre_id", "state", "updated_at"),
        Index("ix_wipe_handset", "handset_id", "created_at"),
        Index("ix_wipe_command", "command_id"),
        CheckConstraint(_in("state", tuple(State)), name="state"),
        CheckConstraint(_in("strategy", tuple(STRATEGIES)), name="strategy"),
        CheckConstraint("done_by IN ('agent', 'hand')", name="done_by"),
        CheckConstraint("grade IN ('verified', 'warnings', 'unverified', 'failed')", name="grade"),
        # Nobody approves what he asked for, and no one person stands for two.
        CheckConstraint("approved_by IS NULL OR approved_by <> requested_by", name="two_persons"),
        CheckConstraint(
            "second_by IS NULL OR (second_by <> requested_by AND second_by <> approved_by)",
            name="three_persons",
        ),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    disposal_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("hardware_disposal.id"))
    state: Mapped[str] = mapped_column(String(12))
    strategy: Mapped[str] = mapped_column(String(14))
    reason: Mapped[str] = mapped_column(String(500))
    destination: Mapped[str] = mapped_column(String(12))
    checklist: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_by: Mapped[str] = mapped_column(String(200))
    # The phone as it was asked for; whatever differs later refuses.
    asset_tag: Mapped[str] = mapped_column(String(60))
    serial: Mapped[str] = mapped_column(String(64))
    imeis: Mapped[list[str]] = mapped_column(JSON)
    brand: Mapped[str] = mapped_column(String(60))
    model: Mapped[str] = mapped_column(String(100))
    android_id: Mapped[str | None] = mapped_column(String(32))
    requested_by: Mapped[str | None] = mapped_column(String(200))
    requested_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    asked_by_lead: Mapped[bool] = mapped_column(default=False)
    approved_by: Mapped[str | None] = mapped_column(String(200))
    approved_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    second_by: Mapped[str | None] = mapped_column(String(200))
    second_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    waivers: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    arms_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    lapses_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    decision: Mapped[str | None] = mapped_column(String(500))
    policy_version: Mapped[int | None]
    policy_sha256: Mapped[str | None] = mapped_column(String(64))
    tries: Mapped[int] = mapped_column(default=0)
    done_by: Mapped[str | None] = mapped_column(String(5))
    released_by: Mapped[str | None] = mapped_column(String(200))
    released_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    imei_typed: Mapped[str | None] = mapped_column(String(15))
    expect: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    command_id: Mapped[uuid.UUID | None]
    release_mark: Mapped[str | None] = mapped_column(String(64))
    proof_photo: Mapped[str | None] = mapped_column(String(64))
    agent_id: Mapped[uuid.UUID | None]
    ordered_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    acknowledged_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    silent_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    why: Mapped[str | None] = mapped_column(String(40))
    lock_cleared: Mapped[bool] = mapped_column(default=False)
    inspected_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    grade: Mapped[str | None] = mapped_column(String(10))
    verified_by: Mapped[str | None] = mapped_column(String(200))
    verified_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    certificate_paper_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("paper.id"))
    ended_by: Mapped[str | None] = mapped_column(String(200))
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    end_reason: Mapped[str | None] = mapped_column(String(500))


class WipeStep(Identified, Base):
    """What happened, in order; never changed. `by`: `Principal.user`, `agent:<id>` or `system`."""

    __tablename__ = "wipe_step"
    __table_args__ = (Index("ix_wipe_step_wipe", "wipe_id", "at"), Index("ix_wipe_step_by", "by", "at"))

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    wipe_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("wipe.id"))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    by: Mapped[str] = mapped_column(String(200))
    step: Mapped[str] = mapped_column(String(20))
    words: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
