"""What is and was on phones, as readings showed it, and what changed there. Derived: readings made all of it.

An instant that something happened is never known, only that it was not yet so at one reading and so at another: columns
come in pairs, `*_from` (null: no reading before) and `*_at`.
"""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.apps.rules import MAX_NAME
from app.kernel.db import Base, UtcDateTime

_Number = BigInteger().with_variant(Integer(), "sqlite")
MAX_VERSION = 100
MAX_BRAND = 100
MAX_SIGNER = 8


class AppPackage(Base):
    """A package's name, once: the rows of the phones that carry it are many."""

    __tablename__ = "app_package"

    no: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME), unique=True)


class AppPhone(Base):
    """What is remembered of one phone, to compare the next reading with: `memory` is packed (`rules.pack`).

    `baseline_at`: the reading that showed its apps first, or first after a reset. `listed`: a digest of the forbidden
    packages that its system apps were looked through for. `brand`, `model`: as the phone itself says.
    """

    __tablename__ = "app_phone"

    no: Mapped[int] = mapped_column(Integer, primary_key=True)
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"), unique=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    brand: Mapped[str | None] = mapped_column(String(MAX_BRAND))
    model: Mapped[str | None] = mapped_column(String(MAX_BRAND))
    baseline_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    listed: Mapped[str] = mapped_column(String(64))
    memory: Mapped[bytes] = mapped_column(LargeBinary)


class AppPresence(Base):
    """An app in one user of one phone, at present or (`gone_at`) once. Its phone's row says whose it is.

    `first_at`: the reading that showed it first since the phone's baseline; `since_*`: when its present stay began,
    `since_from` null for what the baseline showed already. `unseen_at`: this user could last be inspected then.
    """

    __tablename__ = "app_presence"
    # All that the list of a whole fleet asks: it is answered from the index alone.
    __table_args__ = (
        Index(
            "ix_app_presence_fleet",
            "package_no", "gone_at", "phone_no", "user_no", "system", "since_from", "since_at", "first_at",
            "version_name",
        ),
    )  # fmt: skip

    phone_no: Mapped[int] = mapped_column(ForeignKey("app_phone.no"), primary_key=True)
    user_no: Mapped[int] = mapped_column(primary_key=True)
    package_no: Mapped[int] = mapped_column(ForeignKey("app_package.no"), primary_key=True)
    version_code: Mapped[int | None] = mapped_column(BigInteger)
    version_name: Mapped[str | None] = mapped_column(String(MAX_VERSION))
    installer: Mapped[str | None] = mapped_column(String(MAX_NAME))
    signer: Mapped[str | None] = mapped_column(String(MAX_SIGNER))
    system: Mapped[bool | None]
    enabled: Mapped[bool | None]
    suspended: Mapped[bool | None]
    first_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    since_from: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    since_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    changed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    unseen_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    gone_from: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    gone_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class AppEvent(Base):
    """One change on a phone; `detail` is JSON `{"before": …, "after": …}`. Pruned by the policy `retention`."""

    __tablename__ = "app_event"
    __table_args__ = (
        Index("ix_app_event_handset", "handset_id", "at"),
        Index("ix_app_event_at", "at"),
    )

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    kind: Mapped[str] = mapped_column(String(20))
    user_no: Mapped[int | None]
    package: Mapped[str | None] = mapped_column(String(MAX_NAME))
    subject: Mapped[str] = mapped_column(String(100))
    detail: Mapped[str] = mapped_column(Text)
    not_before: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
