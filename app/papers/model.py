"""Issued papers. A row is never changed but for its PDF, which is made once, after the commit that issued it."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import Base, Identified, UtcDateTime

MAX_ABOUT = 300


class Paper(Identified, Base):
    """`document` is the canonical JSON whose sha256 was signed, `about` its subtitle, for lists; `code` is random,
    stands in the QR and opens the check page; `subject` is `kind:id` of what it tells of; `corrects` names the paper
    whose place it takes.

    `pdf_sha256` and `printed_at` are null until somebody wanted it as a PDF.
    """

    __tablename__ = "paper"

    kind: Mapped[str] = mapped_column(String(20), index=True)
    number: Mapped[str] = mapped_column(String(80), unique=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"), index=True)
    subject: Mapped[str] = mapped_column(String(100), index=True)
    title: Mapped[str] = mapped_column(String(200))
    about: Mapped[str] = mapped_column(String(MAX_ABOUT))
    document: Mapped[str] = mapped_column(Text, deferred=True)
    sha256: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(32), unique=True)
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
    corrects: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("paper.id"), unique=True)
    issued_by: Mapped[str] = mapped_column(String(200))
    issued_at: Mapped[dt.datetime] = mapped_column(UtcDateTime(), index=True)
    pdf_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    printed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    parties: Mapped[list[PaperParty]] = relationship(lazy="selectin", order_by="PaperParty.employee_id")


class PaperParty(Base):
    """An employee who may open the paper, staff or not."""

    __tablename__ = "paper_party"

    paper_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("paper.id"), primary_key=True)
    employee_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("employee.id"), primary_key=True, index=True)


class PaperSeries(Base):
    """How many numbers were given under one beginning, e.g. `JJ-SC01-2026`.

    By the text and not by the centre: a code that moves from one centre to another would give a number twice.
    """

    __tablename__ = "paper_series"

    series: Mapped[str] = mapped_column(String(70), primary_key=True)
    last: Mapped[int]
