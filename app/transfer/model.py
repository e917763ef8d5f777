"""Transfers of one phone's data to another, what persons and gateways said of them, and the manifests."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime
from app.transfer.states import OPEN, Copy, State

_IS_OPEN = text("state IN (" + ", ".join(f"'{s}'" for s in OPEN) + ")")


class Transfer(Identified, Base):
    """`old_id` → `new_id` (null: a phone without a successor, which can only be waived). `old_serial` and `new_serial`
    are those of the order, `source` is a path of this server.

    `command_id`: the order that was given last, `runs` how many were. `progress`, `progress_at`: the gateway's newest
    word while it works; `note`: the code of why it could not go on, or of what is wrong with the result.
    `result`: its last word as it was understood (`schemas.parse_final`), `verdict` what that proves. `salt`: with
    ROOT and it the copy opens; null: it opens nowhere. `manifest_*`: the manifest that is whole.
    `stop_*`: who wanted the newest order to end, and whether its copy is to be kept or destroyed then; `stop_id`: the
    order to end it, null where no gateway had it.
    """

    __tablename__ = "transfer"
    __table_args__ = (
        # The database itself holds it against two hands at once: one phone is in one open transfer.
        Index(
            "uq_transfer_open_old", "old_id", unique=True, postgresql_where=_IS_OPEN, sqlite_where=_IS_OPEN
        ),
        Index(
            "uq_transfer_open_new", "new_id", unique=True, postgresql_where=_IS_OPEN, sqlite_where=_IS_OPEN
        ),
        Index("ix_transfer_list", "centre_id", "state", "opened_at"),
        Index("ix_transfer_old", "old_id"),
        Index("ix_transfer_new", "new_id"),
        Index("ix_transfer_command", "command_id"),
        CheckConstraint("state IN (" + ", ".join(f"'{s}'" for s in State) + ")", name="state"),
        CheckConstraint("copy IN (" + ", ".join(f"'{s}'" for s in Copy) + ")", name="copy"),
        CheckConstraint("old_id <> new_id", name="two_phones"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    old_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("handset.id"))
    new_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("handset.id"))
    old_serial: Mapped[str] = mapped_column(String(64))
    new_serial: Mapped[str | None] = mapped_column(String(64))
    source: Mapped[str | None] = mapped_column(String(300))
    reason: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    opened_by: Mapped[str] = mapped_column(String(200))
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    parts: Mapped[list[str]] = mapped_column(JSON)
    policy_version: Mapped[int | None]
    policy_sha256: Mapped[str | None] = mapped_column(String(64))

    runs: Mapped[int] = mapped_column(default=0)
    run_by: Mapped[str | None] = mapped_column(String(200))
    started_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    command_id: Mapped[uuid.UUID | None]
    agent_id: Mapped[uuid.UUID | None]
    progress: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    progress_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    note: Mapped[str | None] = mapped_column(String(40))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    result_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    verdict: Mapped[str | None] = mapped_column(String(12))

    salt: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    copy: Mapped[str] = mapped_column(String(10), default=Copy.NONE)
    copy_agent_id: Mapped[uuid.UUID | None]
    copy_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    discard_id: Mapped[uuid.UUID | None]

    stop_id: Mapped[uuid.UUID | None]
    # The column's own check: SQLite drops it with the column, and would refuse that for one of the table's.
    stop_copy: Mapped[str | None] = mapped_column(
        String(10), CheckConstraint("stop_copy IN ('keep', 'discard')", name="stop_copy")
    )
    stop_by: Mapped[str | None] = mapped_column(String(200))
    stop_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    stop_reason: Mapped[str | None] = mapped_column(Text)

    manifest_command: Mapped[uuid.UUID | None]
    manifest_sha256: Mapped[str | None] = mapped_column(String(64))
    manifest_entries: Mapped[int | None]
    manifest_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())

    data_reason: Mapped[str | None] = mapped_column(Text)
    data_accepted_by: Mapped[str | None] = mapped_column(String(200))
    data_accepted_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    wechat_reason: Mapped[str | None] = mapped_column(Text)
    wechat_accepted_by: Mapped[str | None] = mapped_column(String(200))
    wechat_accepted_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    waive_reason: Mapped[str | None] = mapped_column(Text)
    waive_asked_by: Mapped[str | None] = mapped_column(String(200))
    waive_asked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    waived_by: Mapped[str | None] = mapped_column(String(200))
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    ended_by: Mapped[str | None] = mapped_column(String(200))
    end_reason: Mapped[str | None] = mapped_column(Text)
    paper_id: Mapped[uuid.UUID | None]


class TransferWechat(Identified, Base):
    """What a person did and saw of WeChat's own migration; the newest row counts. `before` and `after`: conversations
    counted on the old and on the new phone, None where nobody counted. `photos` name stored pictures.
    """

    __tablename__ = "transfer_wechat"
    __table_args__ = (CheckConstraint("outcome IN ('yes', 'partly', 'no')", name="outcome"),)

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    transfer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("transfer.id"), index=True)
    outcome: Mapped[str] = mapped_column(String(10))
    began_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    before: Mapped[int | None]
    after: Mapped[int | None]
    photos: Mapped[list[str]] = mapped_column(JSON)
    words: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class TransferStep(Identified, Base):
    """One line of a transfer's own history."""

    __tablename__ = "transfer_step"

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    transfer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("transfer.id"), index=True)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    by: Mapped[str] = mapped_column(String(200))
    step: Mapped[str] = mapped_column(String(20))
    words: Mapped[str] = mapped_column(Text)


class ManifestPage(Base):
    """A page of an order's manifest as it came. `sha256`: of the whole manifest; `content`: of this page's entries."""

    __tablename__ = "transfer_manifest_page"

    command_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    page: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    transfer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("transfer.id"), index=True)
    pages: Mapped[int]
    entries: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class ManifestEntry(Base):
    """One thing that was to be moved. `place`: its place in the whole manifest. `size` in bytes, `mtime` in seconds
    since 1970 by the old phone's clock; `path` is what the phone calls it: work data, for few eyes.
    """

    __tablename__ = "transfer_manifest_entry"
    __table_args__ = (Index("ix_transfer_manifest_state", "command_id", "state"),)

    command_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    transfer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("transfer.id"), index=True)
    part: Mapped[str] = mapped_column(String(10))
    path: Mapped[str] = mapped_column(Text)
    size: Mapped[int | None] = mapped_column(BigInteger)
    mtime: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(40))
