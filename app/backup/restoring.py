"""Restoring: everything is checked before anything is touched; blobs first, then the database, all or nothing."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.audit import Checkpoint
from app.backup import database
from app.backup.making import BLOBS, DATABASE, KEYS
from app.backup.manifest import Manifest, check_files, read_manifest, read_unsigned
from app.backup.sealing import PieceReader, opened, unwrap_key
from app.kernel.errors import Conflict, Invalid, Unavailable
from app.kernel.keys import KeyStore
from app.settings import Settings


@dataclass(frozen=True)
class Plan:
    """What may happen: `replace` what stands there, `accept_older` than what a checkpoint or the present one proves."""

    replace: bool = False
    accept_older: bool = False
    checkpoints: tuple[Checkpoint, ...] = ()


@dataclass(frozen=True)
class Restored:
    """`lost`: how many events are known to have stood after the backup. `resumed`: a run before got as far."""

    manifest: Manifest
    lost: int
    resumed: bool


def check_backup(folder: Path, keys: KeyStore, private: X25519PrivateKey | None) -> Manifest:
    """Signature and hashes, and with the recovery key that every piece opens. Raise `Unavailable`."""
    manifest = read_manifest(folder, keys.public_key("audit"))
    check_files(folder, manifest)
    if private is not None:
        key = _key_of(manifest, private)
        for one in manifest.files:
            with _open(folder, key, one.name) as source:
                plain = hashlib.file_digest(cast(io.BufferedReader, source), "sha256").hexdigest()
            if plain != one.plain:
                raise Unavailable(f"{one.name} 已损坏 / is damaged", code="backup_damaged")
    return manifest


def restore(
    settings: Settings, keys: KeyStore, folder: Path, private: X25519PrivateKey, plan: Plan
) -> Restored:
    """Put a backup in place of an empty database. Killed at any step, the same call again finishes.

    Raise `Unavailable` for a damaged or foreign backup, `Conflict` for a database that is not empty, or a backup that
    is older than what is known to have stood; each time nothing was touched.
    """
    manifest = check_backup(folder, keys, private)
    if manifest.database != database.kind_of(settings.database_url):
        raise Invalid(
            f"备份来自 {manifest.database}，不能恢复到别的数据库 / it is of {manifest.database} and fits no other"
        )
    present = database.facts_of(settings.database_url)
    resumed = not present.empty and (present.size, present.head) == (manifest.events, manifest.head)
    lost = _lost(manifest, keys, plan.checkpoints, present)
    if not present.empty and not resumed and not plan.replace:
        raise Conflict(
            "数据库不是空的；要替换它请加 --replace / the database is not empty: --replace replaces it",
            code="not_empty",
        )
    if lost and not plan.accept_older:
        raise Conflict(_older(manifest, lost), code="older_backup")
    key = _key_of(manifest, private)
    with _open(folder, key, BLOBS) as source:
        _unpack_blobs(source, settings.blob_dir)
    if not resumed:
        with _open(folder, key, DATABASE) as source:
            database.load(settings.database_url, source, replace=not present.empty)
    return Restored(manifest, lost, resumed)


def restore_keys(folder: Path, key_dir: Path, private: X25519PrivateKey) -> list[str]:
    """Put the key files in place; none is overwritten. Raise `Conflict` where another stands. Returns their names.

    Who signed it cannot be checked: the key for that is in it. It opens only unchanged, and the database names the keys
    that belong to it.
    """
    manifest = read_unsigned(folder)
    with _open(folder, _key_of(manifest, private), KEYS) as source:
        found = dict(_members(source))
    for name, data in found.items():
        if "/" in name or not name.endswith(".key"):
            raise Unavailable(f"{KEYS} 里有不认识的文件 / holds something else than keys")
        if (key_dir / name).exists() and (key_dir / name).read_bytes() != data:
            raise Conflict(f"{key_dir / name} 已存在且不同 / exists and differs: move it away first")
    key_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, data in found.items():
        _put(key_dir / name, data)
    return sorted(found)


def _lost(
    manifest: Manifest, keys: KeyStore, checkpoints: Sequence[Checkpoint], present: database.Facts
) -> int:
    public = keys.public_key("audit")
    for one in checkpoints:
        if str(one.installation) != manifest.installation or one.public_key != public or not one.is_genuine():
            raise Invalid(f"检查点 {one.size} 不是本安装签的 / the checkpoint is not of this installation")
    known = max([one.size for one in checkpoints] + [present.size], default=0)
    return max(known - manifest.events, 0)


def _older(manifest: Manifest, lost: int) -> str:
    return (
        f"这份备份只到第 {manifest.events} 个审计事件，之后至少还有 {lost} 个。恢复它意味着：之后的登记、决定、记账、"
        "密码的更换和查看全部丢失，而手机上、工资里已经发生的不会跟着退回；换过的密码会变回旧的。"
        "先找更新的备份；确实没有，再加 --accept-older，并按 docs/backup.md 逐项补录。"
        f" / this backup ends at event {manifest.events}, at least {lost} more are known: all that was done "
        "since is lost here, though not in the world. --accept-older takes it nevertheless."
    )


def _key_of(manifest: Manifest, private: X25519PrivateKey) -> bytes:
    return unwrap_key(bytes.fromhex(manifest.wrapped_key), private, manifest.installation)


@contextmanager
def _open(folder: Path, key: bytes, name: str) -> Iterator[BinaryIO]:
    with (folder / name).open("rb") as sealed:
        yield cast(BinaryIO, io.BufferedReader(PieceReader(opened(sealed, key, name))))


def _members(source: BinaryIO) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=source, mode="r|") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:
                yield member.name, content.read()
    source.read()  # to the end: what follows the archive must open too


def _unpack_blobs(source: BinaryIO, blob_dir: Path) -> None:
    """Each under the name that its content has, whatever the archive says."""
    for _, data in _members(source):
        name = hashlib.sha256(data).hexdigest()
        target = blob_dir / name[:2] / name[2:]
        if not target.exists():
            _put(target, data)


def _put(target: Path, data: bytes) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f"{target.name}.{secrets.token_hex(4)}.tmp")
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    scratch.replace(target)
