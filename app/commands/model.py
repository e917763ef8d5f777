from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.commands.states import ACTIVE, State
from app.kernel.db import Base, Identified, UtcDateTime

IS_ACTIVE = "state IN (" + ", ".join(f"'{s}'" for s in ACTIVE) + ")"


class Command(Identified, Base):
    """One order about one phone.

    `due_at`: not leased before; `agent_id`: who leased it last; `attempts`: leases so far; `not_now_*`: the first time
    that an agent put it off, and how often; `result`: the agent's last word as it came; `end_reason`: why it ended.
    """

    __tablename__ = "command"
    __table_args__ = (
        # At most one that is not yet done for each key: the database itself holds it against two hands at once.
        Index(
            "uq_command_active_dedup",
            "handset_id",
            "dedup_key",
            unique=True,
            postgresql_where=text(IS_ACTIVE),
            sqlite_where=text(IS_ACTIVE),
        ),
        Index("ix_command_centre", "centre_id", "state", "due_at"),
        Index("ix_command_handset", "handset_id", "created_at"),
        Index("ix_command_finished", "finished_at"),
        CheckConstraint("state IN (" + ", ".join(f"'{s}'" for s in State) + ")", name="state"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    handset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    kind: Mapped[str] = mapped_column(String(40))
    purpose: Mapped[str] = mapped_column(String(20))
    args: Mapped[dict[str, Any]] = mapped_column(JSON)
    dedup_key: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(12))
    created_by: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    due_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    attempts: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int]
    agent_id: Mapped[uuid.UUID | None]
    leased_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    lease_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    not_now_first_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    not_now_times: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    end_reason: Mapped[str | None] = mapped_column(Text)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
