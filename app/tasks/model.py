from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime
from app.tasks.states import State

IS_OPEN = f"state = '{State.OPEN}'"


class Task(Identified, Base):
    """Something that a person has to do.

    `key`: its cause, of which one task is open at a time; `roles`: for whom, see `rules.pack_roles`; `place`: its place
    in the list (`rules.place`); `ended_by` and `how`: who ended it and what he said.
    """

    __tablename__ = "task"
    __table_args__ = (
        # The database itself holds it against two causes in the same moment.
        Index("uq_task_open", "key", unique=True, postgresql_where=text(IS_OPEN), sqlite_where=text(IS_OPEN)),
        Index("ix_task_list", "state", "centre_id", "place"),
        Index("ix_task_ended", "ended_at"),
        Index("ix_task_handset", "handset_id"),
        CheckConstraint("state IN (" + ", ".join(f"'{s}'" for s in State) + ")", name="state"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    key: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    link: Mapped[str | None] = mapped_column(String(300))
    handset_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("handset.id"))
    roles: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(10))
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    place: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    ended_by: Mapped[str | None] = mapped_column(String(200))
    how: Mapped[str | None] = mapped_column(String(500))
