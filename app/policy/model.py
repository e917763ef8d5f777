"""Layers over the policy files: what a district or a centre wants otherwise. Rows are versions, never changed."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import JSON, CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime


class PolicyLayer(Identified, Base):
    """Version `version` of one scope's layer of one subject; an empty `body` lifts it again."""

    __tablename__ = "policy_layer"
    __table_args__ = (
        UniqueConstraint("subject", "scope", "scope_id", "version"),
        CheckConstraint("scope IN ('district', 'centre')", name="scope"),
    )

    subject: Mapped[str] = mapped_column(String(40))
    scope: Mapped[str] = mapped_column(String(10))
    scope_id: Mapped[uuid.UUID] = mapped_column(index=True)
    version: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
