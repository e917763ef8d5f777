from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime
from app.remedy.states import AT_WORK, OPEN, State


def _in(states: tuple[State, ...]) -> str:
    return "state IN (" + ", ".join(f"'{state}'" for state in states) + ")"


IS_OPEN, IS_AT_WORK = _in(OPEN), _in(AT_WORK)


class RemedyCase(Identified, Base):
    """What is done about one finding of one phone (R03).

    `package`: the app, where the finding names one; `users`: from whom an order removes it, `place` which of them is
    next. `words`, `evidence`, `severity`: of the newest verdict that showed it. `why`: the code of what made it a task.
    `failing_since`: the ladder counts from here; `unknown_since`: since when it cannot be seen. `due_at`: when time
    alone moves it. `told`: employees who were told in this round. `acted_at`: the gateway's act; `outcome` and `after`:
    its word and its look. `rest_until`: a dismissal's end. `returns`: how often it came back.
    """

    __tablename__ = "remedy_case"
    __table_args__ = (
        CheckConstraint("state IN (" + ", ".join(f"'{s}'" for s in State) + ")", name="state"),
        # Two jobs, or two who press at once: the database itself holds it.
        Index(
            "uq_remedy_case_open",
            "handset_id",
            "code",
            "subject",
            unique=True,
            postgresql_where=text(IS_OPEN),
            sqlite_where=text(IS_OPEN),
        ),
        Index(
            "uq_remedy_case_at_work",
            "handset_id",
            "package",
            unique=True,
            postgresql_where=text(IS_AT_WORK),
            sqlite_where=text(IS_AT_WORK),
        ),
        Index("ix_remedy_case_list", "centre_id", "state", "opened_at"),
        Index("ix_remedy_case_handset", "handset_id", "code"),
        Index("ix_remedy_case_due", "due_at"),
        Index("ix_remedy_case_command", "command_id"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    code: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(600))
    package: Mapped[str | None] = mapped_column(String(255))
    severity: Mapped[str] = mapped_column(String(10))
    words: Mapped[str] = mapped_column(Text)
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(12))
    why: Mapped[str | None] = mapped_column(String(60))
    version: Mapped[int] = mapped_column(default=1)
    first_seen: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    failing_since: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    unknown_since: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    told: Mapped[list[str]] = mapped_column(JSON)
    returns: Mapped[int] = mapped_column(default=0)
    orders: Mapped[int] = mapped_column(default=0)
    users: Mapped[list[int]] = mapped_column(JSON)
    place: Mapped[int] = mapped_column(Integer, default=0)
    ordered_by: Mapped[str | None] = mapped_column(String(200))
    ordered_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    order_reason: Mapped[str | None] = mapped_column(String(500))
    command_id: Mapped[uuid.UUID | None]
    agent_id: Mapped[uuid.UUID | None]
    sent_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    acted_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    outcome: Mapped[str | None] = mapped_column(String(20))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    rest_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    ended_by: Mapped[str | None] = mapped_column(String(200))
    end_reason: Mapped[str | None] = mapped_column(String(500))


class RemedyStep(Identified, Base):
    """One thing that happened to a case; written with it, never changed."""

    __tablename__ = "remedy_step"
    __table_args__ = (
        Index("ix_remedy_step_case", "case_id", "at"),
        Index("ix_remedy_step_sent", "step", "centre_id", "at"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("remedy_case.id"))
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    step: Mapped[str] = mapped_column(String(20))
    by: Mapped[str] = mapped_column(String(200))
    words: Mapped[str] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


class RemedyCursor(Base):
    """How far the changes of verdicts were followed: one row."""

    __tablename__ = "remedy_cursor"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    after_id: Mapped[uuid.UUID | None]
