"""Users and their rights. An employee is no user; a user may be an employee."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime, Versioned


class User(Identified, Versioned, Base):
    __tablename__ = "app_user"

    login: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    employee_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("employee.id"), unique=True)
    active: Mapped[bool] = mapped_column(default=True)


class RoleGrant(Identified, Base):
    """A role in one centre, or in the whole company (`centre_id` null), from then until then."""

    __tablename__ = "role_grant"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="span"),
        Index("ix_role_grant_user", "user_id", "valid_from"),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id"))
    role: Mapped[str] = mapped_column(String(20))
    centre_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("service_centre.id"))
    valid_from: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    valid_to: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class Deputy(Identified, Base):
    """`deputy_id` holds the rights of `user_id` in one centre while the span lasts, so that a two-person rule never
    waits for somebody on leave. He stays a person of his own: he cannot be both requester and approver.
    """

    __tablename__ = "deputy"
    __table_args__ = (
        CheckConstraint("valid_to > valid_from", name="span"),
        CheckConstraint("user_id <> deputy_id", name="other_person"),
        Index("ix_deputy_deputy", "deputy_id", "valid_from"),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id"))
    deputy_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("app_user.id"))
    role: Mapped[str] = mapped_column(String(20))
    centre_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("service_centre.id"))
    valid_from: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    valid_to: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
