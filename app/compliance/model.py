"""The present verdict of each phone, and each verdict that differed from the one before."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, UtcDateTime

_STATUS = "status IN ('pass', 'grace', 'unknown', 'fail')"
_Seq = BigInteger().with_variant(Integer(), "sqlite")


class _Judged:
    """`findings` is a JSON list of `{code, subject, status, severity, evidence, first_seen, last_seen}`, and where they
    apply `grace_until`, `exempt_until`, `exemption_id`; instants in microseconds. Those written before there was grace
    have no more than code, subject, status, evidence and `first_seen`.

    `policy_sha256` and `inputs_sha256` name what the verdict was made from.
    """

    status: Mapped[str] = mapped_column(String(10))
    findings: Mapped[str] = mapped_column(Text)
    policy_version: Mapped[int]
    policy_sha256: Mapped[str] = mapped_column(String(64))
    inputs_sha256: Mapped[str] = mapped_column(String(64))


class ComplianceVerdict(_Judged, Base):
    """`due_at`: when time alone changes the verdict (a grace ends, a phone falls silent …); null: never.

    `memory`: breaches that ended not long ago, as findings with `gone_at`. `storage`: `low`, `ok` or null (not known),
    for the free bytes change with each reading and what they mean hardly ever. The counts are of `findings`;
    `worst_severity`, 0 critical to 3 low, is that of the gravest that fails or is in grace, 9: none.
    """

    __tablename__ = "compliance_verdict"
    __table_args__ = (
        CheckConstraint(_STATUS, name="status"),
        Index("ix_compliance_verdict_status", "centre_id", "status"),
        Index("ix_compliance_verdict_changed", "changed_at", "handset_id"),
    )

    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"), primary_key=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    judged_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    changed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    memory: Mapped[str] = mapped_column(Text, server_default="[]")
    storage: Mapped[str | None] = mapped_column(String(10))
    failed: Mapped[int] = mapped_column(server_default="0")
    unsure: Mapped[int] = mapped_column(server_default="0")
    grace: Mapped[int] = mapped_column(server_default="0")
    exempt: Mapped[int] = mapped_column(server_default="0")
    worst_severity: Mapped[int] = mapped_column(server_default="9")


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
