"""What is kept of a phone's power: one row a boot, not one a reading: it grows with reboots and not with time."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, UtcDateTime


class PhoneBoot(Base):
    """Bounds of one boot as in `app.uptime.boots.Boot`, one row for each grade of evidence.

    The grades stay apart because a phone's word on itself (`self`) weighs less in a ruling, and bounds once merged
    cannot be parted again.
    """

    __tablename__ = "phone_boot"
    __table_args__ = (
        CheckConstraint("grade IN ('gateway', 'self')", name="grade"),
        # Nearly every reading moves a bound: room in the page keeps the update in place and the index untouched.
        {"postgresql_with": {"fillfactor": 50}},
    )

    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"), primary_key=True)
    boot_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    grade: Mapped[str] = mapped_column(String(10), primary_key=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    count_low: Mapped[int | None] = mapped_column(BigInteger)
    count_high: Mapped[int | None] = mapped_column(BigInteger)
    started_earliest: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    started_latest: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    heard_first: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    read_first: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    read_last: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    uptime_us: Mapped[int | None] = mapped_column(BigInteger)
    open_us: Mapped[int | None] = mapped_column(BigInteger)
    shutdown_first_us: Mapped[int | None] = mapped_column(BigInteger)
    shutdown_last_us: Mapped[int | None] = mapped_column(BigInteger)


class PhonePower(Base):
    """The latest proof of on of each phone: what a list of the whole fleet is made from, without touching its boots."""

    __tablename__ = "phone_power"
    __table_args__ = (
        Index("ix_phone_power_centre", "centre_id"),
        {"postgresql_with": {"fillfactor": 50}},
    )

    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"), primary_key=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    boot_id: Mapped[uuid.UUID]
    proof_last: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class SettleQueue(Base):
    """Which phone is ruled next, and when: one row a phone, taken forward by whatever brings a fact of it.

    `waits`: an incident of it is open, so that any reading at all may end the wait. `failures`: how many times in a row
    it could not be ruled.
    """

    __tablename__ = "settle_queue"
    __table_args__ = (
        Index("ix_settle_queue_due", "due_at"),
        {"postgresql_with": {"fillfactor": 50}},
    )

    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"), primary_key=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    due_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    waits: Mapped[bool] = mapped_column(default=False)
    failures: Mapped[int] = mapped_column(default=0)
