"""Who and what there is: the organisation, its people and households, the kits' parts. Dated ties are in `ties.py`."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import Base, Identified, UtcDateTime, Versioned


class Retirable:
    """Nothing registered is deleted: it is retired, and its history stays."""

    retired_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class Company(Identified, Versioned, Retirable, Base):
    __tablename__ = "company"

    name: Mapped[str] = mapped_column(String(200), unique=True)


class District(Identified, Versioned, Retirable, Base):
    __tablename__ = "district"

    company_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("company.id"))
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))


class ServiceCentre(Identified, Versioned, Retirable, Base):
    """The tenant boundary: every other row carries its `centre_id`."""

    __tablename__ = "service_centre"

    district_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("district.id"), index=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))


class OfCentre:
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"), index=True)


class Grid(Identified, Versioned, Retirable, OfCentre, Base):
    __tablename__ = "grid"
    __table_args__ = (UniqueConstraint("centre_id", "code"),)

    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))


class Post(Identified, Versioned, Retirable, OfCentre, Base):
    """The butler's position for one grid; phone, number and WeChat account belong to it."""

    __tablename__ = "post"
    __table_args__ = (UniqueConstraint("centre_id", "code"),)

    grid_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("grid.id"), index=True)
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))


class Employee(Identified, Versioned, Retirable, OfCentre, Base):
    __tablename__ = "employee"

    number: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(100))


class Household(Identified, Versioned, Retirable, OfCentre, Base):
    """`room` as the butler writes it before a friend's name (C02), e.g. `1-101`."""

    __tablename__ = "household"
    __table_args__ = (UniqueConstraint("centre_id", "room"),)

    grid_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("grid.id"), index=True)
    room: Mapped[str] = mapped_column(String(60))
    owner_name: Mapped[str | None] = mapped_column(String(100))


class Handset(Identified, Versioned, Retirable, OfCentre, Base):
    """`way_back` says how ADB returns after a reboot: `usb_dock`, `tap` on the screen, `none`, or null: not known."""

    __tablename__ = "handset"

    asset_tag: Mapped[str] = mapped_column(String(60), unique=True)
    serial: Mapped[str] = mapped_column(String(64), unique=True)
    brand: Mapped[str] = mapped_column(String(60))
    model: Mapped[str] = mapped_column(String(100))
    specification: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    purchased_on: Mapped[dt.date | None] = mapped_column(Date)
    price_fen: Mapped[int | None] = mapped_column(BigInteger)
    supplier: Mapped[str | None] = mapped_column(String(200))
    way_back: Mapped[str | None] = mapped_column(String(10))
    note: Mapped[str | None] = mapped_column(Text)
    imeis: Mapped[list[HandsetImei]] = relationship(
        lazy="selectin", order_by="HandsetImei.slot", cascade="all, delete-orphan"
    )

    @property
    def imei1(self) -> str | None:
        return next((i.imei for i in self.imeis if i.slot == 1), None)

    @property
    def imei2(self) -> str | None:
        return next((i.imei for i in self.imeis if i.slot == 2), None)


class HandsetImei(Base):
    """A table of their own, so that no IMEI can stand twice, be it once in the first and once in the second slot."""

    __tablename__ = "handset_imei"
    __table_args__ = (UniqueConstraint("handset_id", "slot"),)

    imei: Mapped[str] = mapped_column(String(15), primary_key=True)
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    slot: Mapped[int]


class Number(Identified, Versioned, Retirable, OfCentre, Base):
    """A mobile number (E.164), bought in the company's name (U04). `plan_type`: `phone_for_plan` 购手机送话费,
    `plan_for_phone` 存话费送手机.
    """

    __tablename__ = "number"

    e164: Mapped[str] = mapped_column(String(16), unique=True)
    carrier: Mapped[str | None] = mapped_column(String(40))
    plan_type: Mapped[str | None] = mapped_column(String(20))
    iccid: Mapped[str | None] = mapped_column(String(20), unique=True)
    real_name: Mapped[str | None] = mapped_column(String(200))
    note: Mapped[str | None] = mapped_column(Text)


class WeChatAccount(Identified, Versioned, Retirable, OfCentre, Base):
    """The nickname is unique in its district (U02); the account is registered with the butler's number (U01)."""

    __tablename__ = "wechat_account"
    __table_args__ = (UniqueConstraint("district_id", "nickname"),)

    district_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("district.id"))
    wechat_id: Mapped[str | None] = mapped_column(String(60), unique=True)
    nickname: Mapped[str] = mapped_column(String(60))
    number_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("number.id"), unique=True)
    note: Mapped[str | None] = mapped_column(Text)


Index("ix_handset_imei_handset", HandsetImei.handset_id)


class ImportFile(Identified, Base):
    """A file put up for import: kept between its dry run and the confirmation, its bytes no longer than that."""

    __tablename__ = "import_file"

    resource: Mapped[str] = mapped_column(String(40))
    file_name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    data: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime(), index=True)
    applied_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    outcome: Mapped[dict[str, Any]] = mapped_column(JSON)
