"""The present verdict of each phone, and each verdict that differed from the one before."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, UtcDateTime

_STATUS = "status IN ('pass', 'fail', 'unknown')"
_Seq = BigInteger().with_variant(Integer(), "sqlite")


class _Judged:
    """`findings` is a JSON list of `{code, subject, status, evidence, first_seen}`, with `first_seen` in microseconds.

    `policy_sha256` and `inputs_sha256` name what the verdict was made from.
    """

    status: Mapped[str] = mapped_column(String(10))
    findings: Mapped[str] = mapped_column(Text)
    policy_version: Mapped[int]
    policy_sha256: Mapped[str] = mapped_column(String(64))
    inputs_sha256: Mapped[str] = mapped_column(String(64))


class ComplianceVerdict(_Judged, Base):
    __tablename__ = "compliance_verdict"
    __table_args__ = (
        CheckConstraint(_STATUS, name="status"),
        Index("ix_compliance_verdict_status", "centre_id", "status"),
    )

    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"), primary_key=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    judged_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    changed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class ComplianceChange(_Judged, Base):
    """Written when status, findings or policy differ from before; never changed."""

    __tablename__ = "compliance_change"
    __table_args__ = (
        CheckConstraint(_STATUS, name="status"),
        Index("ix_compliance_change_handset", "handset_id", "id"),
    )

    id: Mapped[int] = mapped_column(_Seq, primary_key=True)
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
