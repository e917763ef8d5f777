"""Which installation this database is, and which keys belong to it."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.db import Base, Identified, UtcDateTime
from app.kernel.errors import Unavailable
from app.kernel.keys import KeyStore, Purpose

_HELD: tuple[Purpose, ...] = ("agent-reads", "audit", "paper", "name-hmac", "sign-in", "notify")


class Installation(Identified, Base):
    __tablename__ = "installation"

    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class InstallationKey(Base):
    __tablename__ = "installation_key"

    purpose: Mapped[str] = mapped_column(String(40), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    first_seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


def initialise(session: Session, keys: KeyStore, now: dt.datetime) -> bool:
    """Make this database an installation and remember its keys; False when it was one already.

    `keys` must be allowed to create. Raise `Unavailable` when a key file is not the one remembered.
    """
    known = set(session.scalars(select(InstallationKey.purpose)))
    fresh = session.scalar(select(Installation.id)) is None
    if fresh:
        session.add(Installation(created_at=now))
    # A newer version may hold a key more than the one that set this database up.
    for purpose in _HELD:
        if purpose not in known:
            session.add(
                InstallationKey(purpose=purpose, fingerprint=keys.fingerprint(purpose), first_seen_at=now)
            )
    session.flush()
    check_keys(session, keys)
    return fresh


def check_keys(session: Session, keys: KeyStore) -> None:
    """Raise `Unavailable` unless every key file is the one that this database was set up with.

    A key silently made anew would lock every enrolled agent out and break the audit trail's signatures.
    """
    rows = session.execute(select(InstallationKey.purpose, InstallationKey.fingerprint)).all()
    known = {row.purpose: row.fingerprint for row in rows}
    if not known:
        raise Unavailable(
            "this database is not set up: run `flask installation init`", code="not_initialised"
        )
    new = [purpose for purpose in _HELD if purpose not in known]
    if new:
        raise Unavailable(
            f"the key {new[0]} is new in this version: run `flask installation init`", code="not_initialised"
        )
    for purpose in _HELD:
        if known.get(purpose) != keys.fingerprint(purpose):
            raise Unavailable(
                f"key file {purpose}.key does not belong to this database: restore the key files of this installation",
                code="foreign_keys",
            )


def installation_id(session: Session) -> uuid.UUID:
    """Which installation this database is. Raise `Unavailable` before it is set up."""
    found: uuid.UUID | None = session.scalar(select(Installation.id))
    if found is None:
        raise Unavailable(
            "this database is not set up: run `flask installation init`", code="not_initialised"
        )
    return found
