from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.escrow.lock_rules import ACTIVE, LockState
from app.kernel.db import Base, Identified, UtcDateTime

IS_ACTIVE = "state IN (" + ", ".join(f"'{s}'" for s in ACTIVE) + ")"


class LockOrder(Identified, Base):
    """One try at the screen lock of one phone by a gateway; what is tried is not in it.

    `what`: check (the version in force) or set (the one that waits); `version`: of the secret; `outcome`, `reason`: the
    last word on it, codes of `lock_rules`; `at`: when that came.
    """

    __tablename__ = "escrow_lock_order"
    __table_args__ = (
        # A phone is tried by one order at a time: the database holds it against two hands at once.
        Index(
            "uq_escrow_lock_order_active",
            "handset_id",
            unique=True,
            postgresql_where=text(IS_ACTIVE),
            sqlite_where=text(IS_ACTIVE),
        ),
        Index("ix_escrow_lock_order_secret", "secret_id", "asked_at"),
        CheckConstraint("state IN (" + ", ".join(f"'{s}'" for s in LockState) + ")", name="state"),
        CheckConstraint("what IN ('check', 'set')", name="what"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    secret_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("escrow_secret.id"))
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    what: Mapped[str] = mapped_column(String(10))
    version: Mapped[int]
    command_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    """Without a foreign key: commands are pruned, what was tried on a phone is kept."""
    state: Mapped[str] = mapped_column(String(10))
    outcome: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(20))
    asked_by: Mapped[str] = mapped_column(String(200))
    asked_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    sent_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
