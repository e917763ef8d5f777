"""Cases, their legs, what was counted and photographed, each text that was put up for signing, and who signed it."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.handover.states import Case, Leg
from app.kernel.db import Base, Identified, UtcDateTime


def _in(column: str, values: type[StrEnum] | tuple[str, ...]) -> str:
    return f"{column} IN (" + ", ".join(f"'{value}'" for value in values) + ")"


KINDS = ("issue", "handover", "return")
SIDES = ("giver", "receiver")


class OfCentre:
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))


class Handover(Identified, OfCentre, Base):
    """One change of hands of a post's kit. `issue`: staff → butler, one leg. `handover`: giver → lead, lead → receiver.
    `return`: giver → lead, and nobody follows.

    `lead_user` (`Principal.user`) is the staff side of every leg: whoever leads it. `receiver_id` may be named later.
    """

    __tablename__ = "handover"
    __table_args__ = (
        CheckConstraint(_in("kind", KINDS), name="kind"),
        CheckConstraint(_in("state", Case), name="state"),
        Index("ix_handover_list", "centre_id", "started_at"),
        Index("ix_handover_open", "state", "due_at"),
        Index("ix_handover_post", "post_id", "started_at"),
        Index("ix_handover_giver", "giver_id"),
        Index("ix_handover_receiver", "receiver_id"),
    )

    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    post_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("post.id"))
    reason: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(String(500))
    place: Mapped[str] = mapped_column(String(200))
    giver_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("employee.id"))
    receiver_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("employee.id"))
    lead_user: Mapped[str] = mapped_column(String(200))
    due_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    started_by: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    ended_by: Mapped[str | None] = mapped_column(String(200))
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    end_reason: Mapped[str | None] = mapped_column(String(500))
    warned: Mapped[int] = mapped_column(default=0)
    """How far the warnings of its due date have come: 0 none, 1 soon due, 2 overdue, 3 escalated."""

    @property
    def cause(self) -> str:
        """The name under which it holds kit and post."""
        return f"handover:{self.id}"


class HandoverLeg(Identified, OfCentre, Base):
    """One change of hands, or (with `corrects_id`) the correction of a completed one, which moves nothing.

    Of each side either the employee or the staff user is set. `counts`: key → {"value": int or null, "by": words}.
    `scale`: policy's conditions from the best to the worst, as they were when the list was made.
    `previous_id`: the completed leg that its differences are taken against. `tests_asked_at`: live readings from then
    on count as its tests.
    """

    __tablename__ = "handover_leg"
    __table_args__ = (
        UniqueConstraint("handover_id", "number", "correction"),
        CheckConstraint(_in("state", Leg), name="state"),
        Index("ix_handover_leg_state", "state"),
        Index("ix_handover_leg_corrects", "corrects_id"),
    )

    handover_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handover.id"))
    number: Mapped[int]
    correction: Mapped[int] = mapped_column(default=0)
    corrects_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("handover_leg.id"))
    correction_reason: Mapped[str | None] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(12))
    giver_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("employee.id"))
    giver_user: Mapped[str | None] = mapped_column(String(200))
    receiver_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("employee.id"))
    receiver_user: Mapped[str | None] = mapped_column(String(200))
    previous_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("handover_leg.id"))
    scale: Mapped[list[str]] = mapped_column(JSON, default=list)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    version: Mapped[int] = mapped_column(default=1)
    begun_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    tests_asked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    rounds: Mapped[int] = mapped_column(default=0)
    completed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime(), index=True)
    paper_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("paper.id"))

    @property
    def subject(self) -> str:
        """Its name in papers and in the audit trail."""
        return f"handover_leg:{self.id}"


class HandoverItem(Identified, OfCentre, Base):
    """One thing of the list. `key` is the same in every record of the kit: `handset:<id>`, `accessory:charger` …

    `present` None: nobody has said yet. Taken off the list while in draft it keeps the reason and may come back.
    """

    __tablename__ = "handover_item"
    __table_args__ = (
        UniqueConstraint("leg_id", "key"),
        Index("ix_handover_item_handset", "handset_id"),
        Index("ix_handover_item_key", "key"),
    )

    leg_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handover_leg.id"))
    key: Mapped[str] = mapped_column(String(80))
    category: Mapped[str] = mapped_column(String(20))
    origin: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(200))
    identifier: Mapped[str] = mapped_column(String(300))
    handset_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("handset.id"))
    present: Mapped[bool | None]
    condition: Mapped[str] = mapped_column(String(20))
    words: Mapped[str] = mapped_column(String(500))
    place: Mapped[int]
    version: Mapped[int] = mapped_column(default=1)
    saved_by: Mapped[str | None] = mapped_column(String(200))
    saved_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    removed_reason: Mapped[str | None] = mapped_column(String(500))


class HandoverPhoto(Identified, OfCentre, Base):
    """A picture of an item; its blob is never deleted, what is dropped in draft is only shown no more."""

    __tablename__ = "handover_photo"
    __table_args__ = (Index("ix_handover_photo_item", "item_id"), Index("ix_handover_photo_blob", "sha256"))

    item_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handover_item.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    caption: Mapped[str] = mapped_column(String(200))
    added_by: Mapped[str] = mapped_column(String(200))
    added_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    dropped_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class HandoverTest(Identified, OfCentre, Base):
    """A test by hand, e.g. of the screen: `result` pass, fail or unknown."""

    __tablename__ = "handover_test"
    __table_args__ = (
        UniqueConstraint("leg_id", "key"),
        CheckConstraint(_in("result", ("pass", "fail", "unknown")), name="result"),
    )

    leg_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handover_leg.id"))
    key: Mapped[str] = mapped_column(String(80))
    result: Mapped[str] = mapped_column(String(10))
    words: Mapped[str] = mapped_column(String(500))
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class HandoverException(Identified, OfCentre, Base):
    """What a side does not agree with, in its own words; never changed, never deleted."""

    __tablename__ = "handover_exception"
    __table_args__ = (
        CheckConstraint(_in("side", SIDES), name="side"),
        Index("ix_handover_exception_leg", "leg_id"),
    )

    leg_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handover_leg.id"))
    side: Mapped[str] = mapped_column(String(10))
    words: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class HandoverRound(Identified, OfCentre, Base):
    """One text put up for signing, kept whatever came of it. `outcome`: null while it is open, `signed`, `declined`,
    `reopened`, `cancelled`. `document` is the canonical JSON, `digest` its sha256, `facts` that of the leg's rows.
    """

    __tablename__ = "handover_round"
    __table_args__ = (UniqueConstraint("leg_id", "number"),)

    leg_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handover_leg.id"))
    number: Mapped[int]
    document: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    facts: Mapped[str] = mapped_column(String(64))
    frozen_by: Mapped[str] = mapped_column(String(200))
    frozen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    outcome: Mapped[str | None] = mapped_column(String(10))
    outcome_side: Mapped[str | None] = mapped_column(String(10))
    outcome_words: Mapped[str | None] = mapped_column(String(500))
    outcome_by: Mapped[str | None] = mapped_column(String(200))
    outcome_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class HandoverSignature(Identified, OfCentre, Base):
    """Who signed which text. `instead_reason`: the side was absent or refused, and a witness signs in its place.

    `how`: `own_session` or `at_this_device`; `over` the sha256 that he saw; `ink` the blob of the drawn signature.
    """

    __tablename__ = "handover_signature"
    __table_args__ = (
        UniqueConstraint("round_id", "side"),
        CheckConstraint(_in("side", SIDES), name="side"),
    )

    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handover_round.id"))
    side: Mapped[str] = mapped_column(String(10))
    user: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(200))
    employee_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("employee.id"))
    how: Mapped[str] = mapped_column(String(20))
    over: Mapped[str] = mapped_column(String(64))
    ink: Mapped[str] = mapped_column(String(64))
    instead_reason: Mapped[str | None] = mapped_column(String(500))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
