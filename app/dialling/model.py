from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.dialling.rules import PRIORITY, RESULTS, WITHDRAWN
from app.dialling.states import State
from app.kernel.db import Base, Identified, UtcDateTime

IS_OPEN = f"state = '{State.OPEN}'"


def _one_of(column: str, values: object) -> str:
    return f"{column} IN (" + ", ".join(f"'{value}'" for value in values) + ")"  # type: ignore[attr-defined]


class DialCall(Identified, Base):
    """A phone on the list of calls to make. `source`: drawn by lot, asked for by a suspicion, added by a person;
    `priority`: its place by that; `day`: the local day that a drawn one is of; `cause`: what asked for it.
    """

    __tablename__ = "dial_call"
    __table_args__ = (
        # However many suspicions there are of a phone, it is called once.
        Index(
            "uq_dial_call_open",
            "handset_id",
            unique=True,
            postgresql_where=text(IS_OPEN),
            sqlite_where=text(IS_OPEN),
        ),
        Index("ix_dial_call_list", "centre_id", "state", "ended_at"),
        CheckConstraint(_one_of("state", State), name="state"),
        CheckConstraint(_one_of("source", PRIORITY), name="source"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    source: Mapped[str] = mapped_column(String(10))
    priority: Mapped[int]
    cause: Mapped[str] = mapped_column(String(100))
    day: Mapped[dt.date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(10))
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    ended_by: Mapped[str | None] = mapped_column(String(200))


class DialDraw(Base):
    """The lot of one day was drawn: it is never drawn again, or a list could be tried until it pleases."""

    __tablename__ = "dial_draw"

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    phones: Mapped[int]
    drawn: Mapped[int]
    policy_sha256: Mapped[str] = mapped_column(String(64))


class DialTest(Identified, Base):
    """What somebody heard when he called a number; never changed. One that `corrects` another takes its place.

    `at`: when the call was made (a correction keeps that of the first), `recorded_at`: when this was written, both by
    the server's clock; `e164`: the number that was called, `post_id` and `employee_id`: whose it was then.
    """

    __tablename__ = "dial_test"
    __table_args__ = (
        Index("ix_dial_test_handset", "handset_id", "at"),
        Index("ix_dial_test_centre", "centre_id", "recorded_at"),
        CheckConstraint(_one_of("result", [*RESULTS, WITHDRAWN]), name="result"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    call_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dial_call.id"), index=True)
    post_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("post.id"))
    number_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("number.id"))
    employee_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("employee.id"))
    e164: Mapped[str] = mapped_column(String(16))
    result: Mapped[str] = mapped_column(String(20))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    by: Mapped[str] = mapped_column(String(200))
    recorded_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    corrects: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("dial_test.id"), unique=True)
    reason: Mapped[str] = mapped_column(String(500))
