"""Inspections after a wipe, and the certificate with its signatures. Rows of evidence are never changed."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime

PERFORMER, VERIFIER = "performer", "verifier"
SIDES = (PERFORMER, VERIFIER)
OPEN = "state IN ('signing', 'issued')"


class WipeInspection(Identified, Base):
    """One look at the phone: `before` the order or `automatic` after it, read by a gateway (`evidence`, `command_id`),
    or `manual`, by a person (`seen`, `typed_imei`, `photos`). It was made from `earliest_at` to `at` by the server's
    clock. `grade`: what all inspections of the wipe were worth with this one, null for one before it.
    """

    __tablename__ = "wipe_inspection"
    __table_args__ = (
        CheckConstraint("kind IN ('before', 'automatic', 'manual')", name="kind"),
        CheckConstraint("grade IN ('verified', 'warnings', 'unverified', 'failed')", name="grade"),
        Index("ix_wipe_inspection_wipe", "wipe_id", "at"),
        UniqueConstraint("command_id"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    wipe_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("wipe.id"))
    kind: Mapped[str] = mapped_column(String(10))
    earliest_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    by: Mapped[str] = mapped_column(String(200))
    command_id: Mapped[uuid.UUID | None]
    evidence: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    typed_imei: Mapped[str | None] = mapped_column(String(15))
    seen: Mapped[dict[str, str]] = mapped_column(JSON)
    photos: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    words: Mapped[str] = mapped_column(String(500))
    grade: Mapped[str | None] = mapped_column(String(10))
    facts: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    mark: Mapped[str] = mapped_column(String(64))


class WipeCertificate(Identified, Base):
    """A certificate from the text that is put up for signing to the issued paper. `document` is its canonical JSON,
    `digest` the sha256 of that, `facts` the sha256 of what it rests on. `signed_json` is the certificate for machines,
    signed with the certificate key, and `pdf_sha256` the PDF that it names: null until the escrow was open once the PDF
    was made. `contested_*`: what was found later against it; `ended_*`: dropped before it was issued, or revoked.
    """

    __tablename__ = "wipe_certificate"
    __table_args__ = (
        CheckConstraint("state IN ('signing', 'issued', 'dropped', 'revoked')", name="state"),
        # One wipe, one certificate that counts.
        Index(
            "uq_wipe_certificate_open",
            "wipe_id",
            unique=True,
            postgresql_where=text(OPEN),
            sqlite_where=text(OPEN),
        ),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    wipe_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("wipe.id"), index=True)
    state: Mapped[str] = mapped_column(String(10))
    grade: Mapped[str] = mapped_column(String(10))
    document: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    facts: Mapped[str] = mapped_column(String(64))
    put_up_by: Mapped[str] = mapped_column(String(200))
    put_up_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    paper_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("paper.id"), unique=True)
    issued_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    signed_json: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    pdf_sha256: Mapped[str | None] = mapped_column(String(64))
    contested_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    contested_why: Mapped[str | None] = mapped_column(String(500))
    revoked_paper_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("paper.id"))
    ended_by: Mapped[str | None] = mapped_column(String(200))
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    ended_why: Mapped[str | None] = mapped_column(String(500))


class WipeSignature(Identified, Base):
    """The performer's or the verifier's word. `over`: the sha256 of the text that he saw; `ink` his drawn signature.

    `instead_reason`: who carried it out cannot sign, and a colleague does in his place.
    """

    __tablename__ = "wipe_signature"
    __table_args__ = (
        UniqueConstraint("certificate_id", "side"),
        CheckConstraint("side IN ('performer', 'verifier')", name="side"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    certificate_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("wipe_certificate.id"))
    side: Mapped[str] = mapped_column(String(10))
    user: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(200))
    employee_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("employee.id"))
    title: Mapped[str] = mapped_column(String(100))
    place: Mapped[str] = mapped_column(String(200))
    contact: Mapped[str] = mapped_column(String(100))
    how: Mapped[str] = mapped_column(String(20))
    over: Mapped[str] = mapped_column(String(64))
    ink: Mapped[str] = mapped_column(String(64))
    instead_reason: Mapped[str | None] = mapped_column(String(500))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
