"""Photos, signatures, PDFs: content-addressed bytes behind one interface.

Up to `INLINE_LIMIT` they lie in the database and share its transaction; larger ones lie under `BLOB_DIR`, written and
synced before the row that names them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import secrets
from pathlib import Path

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.db import Base, UtcDateTime, insert_into
from app.kernel.errors import NotFound, Unavailable

INLINE_LIMIT = 10 * 2**20


class Blob(Base):
    __tablename__ = "blob"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int]
    media_type: Mapped[str] = mapped_column(String(100))
    data: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime())


class BlobStore:
    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, session: Session, data: bytes, media_type: str, now: dt.datetime) -> str:
        """Store bytes once; the sha256 (hexadecimal) is their name. Storing the same bytes again changes nothing."""
        name = hashlib.sha256(data).hexdigest()
        if session.get(Blob, name) is None:
            inline = data if len(data) <= INLINE_LIMIT else None
            if inline is None:
                self._write(name, data)
            row = {
                "sha256": name,
                "size": len(data),
                "media_type": media_type,
                "data": inline,
                "created_at": now,
            }
            # Two who put the same bytes at once both succeed: the second finds the first one's row.
            session.execute(insert_into(session, Blob).values(row).on_conflict_do_nothing())
        return name

    def get(self, session: Session, name: str) -> tuple[bytes, str]:
        """The bytes and their media type. Raise `NotFound`, or `Unavailable` when they are not what was put."""
        row = session.get(Blob, name)
        if row is None:
            raise NotFound("no such blob")
        data = row.data
        if data is None:
            try:
                data = self._path(name).read_bytes()
            except OSError as exc:
                raise Unavailable(
                    f"blob {name[:12]}… is missing from the blob directory", code="blob_missing"
                ) from exc
        if hashlib.sha256(data).hexdigest() != name:
            raise Unavailable(f"blob {name[:12]}… is damaged", code="blob_damaged")
        return data, row.media_type

    def _path(self, name: str) -> Path:
        return self._directory / name[:2] / name[2:]

    def _write(self, name: str, data: bytes) -> None:
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
        with scratch.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        scratch.replace(path)
