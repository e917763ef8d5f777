"""Sealed secrets by kit and version, who tried, who asked, who saw. No plain text and no verifier stands in any row."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.escrow.states import Reveal, Version
from app.kernel.db import Base, Identified, UtcDateTime

_ONE_SUBJECT = (
    "(CASE WHEN handset_id IS NULL THEN 0 ELSE 1 END + CASE WHEN number_id IS NULL THEN 0 ELSE 1 END"
    " + CASE WHEN wechat_account_id IS NULL THEN 0 ELSE 1 END) = 1"
)


class EscrowHead(Base):
    """The one row that says which keyring this database was last used with: an older one is refused."""

    __tablename__ = "escrow_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root_id: Mapped[str] = mapped_column(String(64))
    generation: Mapped[int]
    set_up_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class Secret(Identified, Base):
    """One password of one part of a kit. `in_force`, `pending`: numbers of its versions, None where there is none.

    `centre_id` is where the part was when it was last filed; who may see it goes by where the part is now.
    """

    __tablename__ = "escrow_secret"
    __table_args__ = (
        CheckConstraint(_ONE_SUBJECT, name="one_subject"),
        UniqueConstraint("handset_id", "kind"),
        UniqueConstraint("number_id", "kind"),
        UniqueConstraint("wechat_account_id", "kind"),
        Index("ix_escrow_secret_due", "due_at"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"), index=True)
    handset_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("handset.id"))
    number_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("number.id"))
    wechat_account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("wechat_account.id"))
    kind: Mapped[str] = mapped_column(String(40))
    versions: Mapped[int] = mapped_column(default=0)
    in_force: Mapped[int | None]
    pending: Mapped[int | None]
    since: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    renew_cause: Mapped[str | None] = mapped_column(String(20))
    checked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    matched: Mapped[bool | None]

    @property
    def subject_id(self) -> uuid.UUID:
        found = self.handset_id or self.number_id or self.wechat_account_id
        assert found is not None
        return found


class SecretVersion(Identified, Base):
    """`record` is bound to this row (`record_rules`); `kek_id` repeats what stands in it, for rotations."""

    __tablename__ = "escrow_version"
    __table_args__ = (
        UniqueConstraint("secret_id", "version"),
        Index("ix_escrow_version_kek", "kek_id", "id"),
        CheckConstraint("state IN (" + ", ".join(f"'{s}'" for s in Version) + ")", name="state"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    secret_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("escrow_secret.id"))
    version: Mapped[int]
    state: Mapped[str] = mapped_column(String(10))
    kek_id: Mapped[int]
    record: Mapped[bytes] = mapped_column(LargeBinary)
    filed_by: Mapped[str] = mapped_column(String(200))
    filed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())


class SecretTries(Base):
    """Blind checks of one secret on one day (Shanghai). Nothing of what was typed is kept."""

    __tablename__ = "escrow_tries"

    secret_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("escrow_secret.id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    tries: Mapped[int]


class SecretSight(Base):
    """Who knows a version: he filed it, or it was shown to him."""

    __tablename__ = "escrow_sight"
    __table_args__ = (Index("ix_escrow_sight_person", "person"),)

    secret_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("escrow_secret.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(String(200), primary_key=True)
    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class RevealRequest(Identified, Base):
    """`expires_at` is the end of the request and of its approval; `token_hash` is of its one token."""

    __tablename__ = "escrow_reveal"
    __table_args__ = (
        Index("ix_escrow_reveal_state", "state", "expires_at"),
        Index("ix_escrow_reveal_secret", "secret_id"),
        CheckConstraint("state IN (" + ", ".join(f"'{s}'" for s in Reveal) + ")", name="state"),
    )

    centre_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("service_centre.id"))
    secret_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("escrow_secret.id"))
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(500))
    requested_by: Mapped[str] = mapped_column(String(200))
    requested_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())
    decided_by: Mapped[str | None] = mapped_column(String(200))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    decision: Mapped[str | None] = mapped_column(String(500))
    token_hash: Mapped[str | None] = mapped_column(String(64))
    token_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
    shown_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime())
