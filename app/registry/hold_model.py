"""Holds: while one is open, no tie of the thing is made, ended or voided, and it is not retired."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime
from app.registry.model import OfCentre

KINDS = ("handset", "number", "wechat", "post")
"""In the order in which their rows are locked: parts of a kit before the post, as every tie does it."""
_OPEN = text("ended_at IS NULL")


class Hold(Identified, OfCentre, Base):
    """One thing kept as it is by a cause, e.g. `handover:<id>`. `by` is the `Principal.user` who began it."""

    __tablename__ = "registry_hold"
    __table_args__ = (
        # Of two causes in the same moment the database lets one through.
        Index(
            "uq_registry_hold_open",
            "kind",
            "subject_id",
            unique=True,
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        ),
        Index("ix_registry_hold_cause", "cause"),
        CheckConstraint("kind IN (" + ", ".join(f"'{k}'" for k in KINDS) + ")", name="kind"),
    )

    kind: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[uuid.UUID]
    cause: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(String(200))
    link: Mapped[str] = mapped_column(String(300))
    since: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    by: Mapped[str] = mapped_column(String(200))
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
