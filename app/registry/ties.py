"""Dated ties: which handset, number or account belonged to which post, and who held the post. Spans are half-open.

A tie is ended, never rewritten: "who held this phone on 3 May?" must have the same answer for ever. One that was
entered by mistake is voided, with a reason in the audit trail; it stays as a row and counts for nothing.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime, Versioned
from app.registry.model import OfCentre

_ONE_SUBJECT = (
    "(CASE WHEN handset_id IS NULL THEN 0 ELSE 1 END + CASE WHEN number_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN wechat_account_id IS NULL THEN 0 ELSE 1 END) = 1"
)


class Voidable:
    voided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class KitAssignment(Identified, Versioned, Voidable, OfCentre, Base):
    """Exactly one of handset, number, account, tied to a post from `valid_from` until `valid_to` (null: open)."""

    __tablename__ = "kit_assignment"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="span"),
        CheckConstraint(_ONE_SUBJECT, name="one_subject"),
        Index("ix_kit_assignment_handset", "handset_id", "valid_from"),
        Index("ix_kit_assignment_number", "number_id", "valid_from"),
        Index("ix_kit_assignment_wechat", "wechat_account_id", "valid_from"),
        Index("ix_kit_assignment_post", "post_id", "valid_from"),
    )

    post_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("post.id"))
    handset_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("handset.id"))
    number_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("number.id"))
    wechat_account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("wechat_account.id"))
    valid_from: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    valid_to: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class PostHolding(Identified, Versioned, Voidable, OfCentre, Base):
    """An employee holds a post, and with it custody of its kit (R01)."""

    __tablename__ = "post_holding"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="span"),
        Index("ix_post_holding_post", "post_id", "valid_from"),
        Index("ix_post_holding_employee", "employee_id", "valid_from"),
    )

    post_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("post.id"))
    employee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("employee.id"))
    valid_from: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    valid_to: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
