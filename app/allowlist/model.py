"""Drafts of layers and what each would do to which phone. Working data: dropped after some days."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.allowlist.states import State
from app.kernel.db import Base, Identified, UtcDateTime

_STATES = ", ".join(f"'{state}'" for state in State)


class AllowlistDraft(Identified, Base):
    """One person's change of one layer that is not written yet; its `body` would be the whole layer.

    `base_version`: the layer's version that it was made from, 0 for none. `rules_sha256`: over the policies before and
    after, by which phones were judged so far; `after_id` the last of them. `moves` counts phones by `before>after`.
    """

    __tablename__ = "allowlist_draft"
    __table_args__ = (
        CheckConstraint("scope IN ('district', 'centre')", name="scope"),
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        Index("ix_allowlist_draft_created", "created_at"),
    )

    centre_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("service_centre.id"))
    scope: Mapped[str] = mapped_column(String(10))
    scope_id: Mapped[uuid.UUID]
    base_version: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    origin: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(default=1)
    rules_sha256: Mapped[str] = mapped_column(String(64), default="")
    total: Mapped[int] = mapped_column(default=0)
    counted: Mapped[int] = mapped_column(default=0)
    after_id: Mapped[uuid.UUID | None]
    never_read: Mapped[int] = mapped_column(default=0)
    moves: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    counted_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    saved_version: Mapped[int | None]


class AllowlistDraftPhone(Base):
    """A phone for which the draft changes something. `appears` and `vanishes` are JSON lists of
    `{code, subject, status, zh}`; `rank`: 0 for a graver verdict than before, 1 for a better one, 2 for the same.
    """

    __tablename__ = "allowlist_draft_phone"

    draft_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("allowlist_draft.id", ondelete="CASCADE"), primary_key=True
    )
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"), primary_key=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    before: Mapped[str] = mapped_column(String(10))
    after: Mapped[str] = mapped_column(String(10))
    rank: Mapped[int]
    appears: Mapped[str] = mapped_column(Text)
    vanishes: Mapped[str] = mapped_column(Text)


class AllowlistDraftFinding(Base):
    """How many phones one finding would appear on or vanish from; `zh` as it reads on one of them."""

    __tablename__ = "allowlist_draft_finding"
    __table_args__ = (CheckConstraint("way IN ('appears', 'vanishes')", name="way"),)

    draft_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("allowlist_draft.id", ondelete="CASCADE"), primary_key=True
    )
    way: Mapped[str] = mapped_column(String(10), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), primary_key=True)
    subject: Mapped[str] = mapped_column(String(600), primary_key=True)
    status: Mapped[str] = mapped_column(String(10), primary_key=True)
    phones: Mapped[int]
    zh: Mapped[str] = mapped_column(Text)
