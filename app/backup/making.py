"""Making a backup: database first, then blobs (each is written before the row that names it), checked, then named."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import shutil
import tarfile
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

from app.backup import database
from app.backup.manifest import Manifest, SealedFile, write_manifest
from app.backup.sealing import SealWriter, opened, wrap_key
from app.kernel.clock import to_rfc3339
from app.kernel.errors import Conflict, Invalid, Unavailable
from app.kernel.keys import KeyStore
from app.kernel.recovery import public_half
from app.settings import Settings

DATABASE, BLOBS, KEYS = "database.sealed", "blobs.sealed", "keys.sealed"
_DATA, _KEYS = "butler-backup-", "butler-keys-"
_PARTIAL = ".partial"
# Made anew at any start, where losing them signs people out and harms no record.
_MAKEABLE = ("access.key", "session.key")


def make_backup(
    settings: Settings, keys: KeyStore, installation: uuid.UUID, place: Path, now: dt.datetime
) -> tuple[Path, Manifest]:
    """Write `place/butler-backup-TIME` and read it back. Raise `Invalid` for a place that also has the keys.

    A backup that was interrupted leaves only a folder ending in `.partial`, which the next one removes.
    """
    _refuse_place(settings, place, foreign=_KEYS)
    public = public_half(settings.key_dir)
    key = secrets.token_bytes(32)
    folder = _begin(place, _DATA, now)
    with tempfile.TemporaryDirectory(prefix="butler-backup-", dir=settings.var_dir) as scratch:
        facts: list[database.Facts] = []
        dumped = _sealed(
            folder, key, DATABASE,
            lambda out: facts.append(database.dump(settings.database_url, out, Path(scratch))),
        )  # fmt: skip
    blobs = _sealed(folder, key, BLOBS, lambda out: _tar(settings.blob_dir, out, "*/*"))
    manifest = Manifest(
        installation=str(installation),
        at=to_rfc3339(now),
        database=database.kind_of(settings.database_url),
        revision=facts[0].revision,
        events=facts[0].size,
        head=facts[0].head,
        recovery_key=public.public_bytes_raw().hex(),
        wrapped_key=wrap_key(key, public, str(installation)).hex(),
        files=(dumped, blobs),
    )
    write_manifest(folder, manifest, keys)
    return _finish(folder), manifest


def make_key_backup(
    settings: Settings, keys: KeyStore, installation: uuid.UUID, place: Path, now: dt.datetime
) -> Path:
    """Write `place/butler-keys-TIME`: the key files. Raise `Invalid` for a place that also has the data."""
    _refuse_place(settings, place, foreign=_DATA)
    public = public_half(settings.key_dir)
    key = secrets.token_bytes(32)
    folder = _begin(place, _KEYS, now)
    sealed = _sealed(folder, key, KEYS, lambda out: _tar(settings.key_dir, out, "*.key"))
    manifest = Manifest(
        installation=str(installation),
        at=to_rfc3339(now),
        database="",
        revision=None,
        events=0,
        head="",
        recovery_key=public.public_bytes_raw().hex(),
        wrapped_key=wrap_key(key, public, str(installation)).hex(),
        files=(sealed,),
    )
    write_manifest(folder, manifest, keys)
    return _finish(folder)


def _refuse_place(settings: Settings, place: Path, *, foreign: str) -> None:
    """Who finds keys and data in one place has everything; what burns with the machine is no backup."""
    place = place.resolve()
    for own in (settings.key_dir, settings.blob_dir, settings.var_dir):
        if place.is_relative_to(own) or own.is_relative_to(place):
            raise Invalid(f"不能备份到 {own} 里面或上面 / the backup must not lie in or above it")
    around = [place, *place.parents]
    if any(any(folder.glob(f"{foreign}*")) for folder in around) or any(place.glob(f"*/{foreign}*")):
        raise Invalid("密钥和数据不能放在同一处 / keys and data must lie apart", code="keys_with_data")


def _begin(place: Path, stem: str, now: dt.datetime) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    for left in place.glob(f"{stem}*{_PARTIAL}"):
        shutil.rmtree(left)
    name = f"{stem}{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
    if (place / name).exists():
        raise Conflict(f"{place / name} 已存在 / exists")
    folder = place / (name + _PARTIAL)
    folder.mkdir(mode=0o700)
    return folder


def _finish(folder: Path) -> Path:
    """Only a folder that is whole and was read back gets its name."""
    done = folder.with_name(folder.name.removesuffix(_PARTIAL))
    folder.replace(done)
    return done


def _sealed(folder: Path, key: bytes, name: str, write: Callable[[BinaryIO], Any]) -> SealedFile:
    with (folder / name).open("wb") as out:
        sealer = SealWriter(out, key, name)
        # Closed only when all was written: a stream that broke off has no last piece, and does not open.
        write(cast(BinaryIO, sealer))
        sealer.close()
    found = SealedFile(name, sealer.size, sealer.sealed, sealer.plain)
    _read_back(folder, key, found)
    return found


def _read_back(folder: Path, key: bytes, expected: SealedFile) -> None:
    """As it stands on the medium: sealed bytes by their hash, and opened by the key, which is known only until now."""
    plain = hashlib.sha256()
    with (folder / expected.name).open("rb") as source:
        for piece in opened(source, key, expected.name):
            plain.update(piece)
        source.seek(0)
        sealed = hashlib.file_digest(source, "sha256").hexdigest()
    if (sealed, plain.hexdigest()) != (expected.sha256, expected.plain):
        raise Unavailable(f"{expected.name} 写入后核对不一致 / does not read back", code="backup_damaged")


def _tar(root: Path, out: BinaryIO, pattern: str) -> None:
    with tarfile.open(fileobj=out, mode="w|") as archive:
        for path in sorted(root.glob(pattern)):
            if path.is_file() and path.suffix != ".tmp" and path.name not in _MAKEABLE:
                archive.add(path, arcname=path.relative_to(root).as_posix(), recursive=False)
