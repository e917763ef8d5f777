"""Notices, who they are for, how people are reached outside, and the centres' group robots."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime, Versioned


class Notice(Identified, Base):
    """Something that people are told, once a `key`. `in_group`: counted for the centre's robots; `counted_at`: done.

    Title and body are text as a person reads it; `link` is a path on this server. None of them holds a secret.
    """

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_counting", "in_group", "counted_at"),
        Index("ix_notice_age", "created_at"),
    )

    key: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(60))
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    link: Mapped[str | None] = mapped_column(String(300))
    urgent: Mapped[bool]
    in_group: Mapped[bool]
    counted_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class NoticeCopy(Identified, Base):
    """One person's copy. An employee without a user has one too: it is in his inbox from the day he signs in."""

    __tablename__ = "notice_copy"
    __table_args__ = (
        CheckConstraint("user_id IS NOT NULL OR employee_id IS NOT NULL", name="somebody"),
        UniqueConstraint("notice_id", "user_id"),
        UniqueConstraint("notice_id", "employee_id"),
        Index("ix_notice_copy_user", "user_id", "read_at", "created_at"),
        Index("ix_notice_copy_employee", "employee_id", "read_at", "created_at"),
    )

    notice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("notice.id", ondelete="CASCADE"))
    centre_id: Mapped[uuid.UUID]
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"))
    employee_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("employee.id"))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    read_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class Contact(Identified, Versioned, Base):
    """How one person is reached outside: an employee, a user, or who is both. `mobile` is E.164."""

    __tablename__ = "contact"
    __table_args__ = (CheckConstraint("user_id IS NOT NULL OR employee_id IS NOT NULL", name="somebody"),)

    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("app_user.id"), unique=True)
    employee_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("employee.id"), unique=True)
    mail: Mapped[str | None] = mapped_column(String(254))
    mobile: Mapped[str | None] = mapped_column(String(16))


class Robot(Identified, Versioned, Base):
    """A centre's group robot. Its address is a secret: sealed, and shown only as `hint` (kind and last characters)."""

    __tablename__ = "robot"
    __table_args__ = (Index("ix_robot_centre", "centre_id", "retired_at"),)

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    name: Mapped[str] = mapped_column(String(100))
    hint: Mapped[str] = mapped_column(String(60))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_by: Mapped[str] = mapped_column(String(200))
    retired_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
