"""What a backup says of itself, signed: who has the recovery key's public half cannot forge one."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.kernel.errors import Unavailable
from app.kernel.keys import KeyStore

NAME = "manifest.json"
FORMAT = "butler-backup-v1"
_CONTEXT = b"butler-backup-manifest-v1\0"
_READ = 2**20


@dataclass(frozen=True)
class SealedFile:
    """`sha256` and `size` of the sealed file, `plain` of what is in it."""

    name: str
    size: int
    sha256: str
    plain: str


@dataclass(frozen=True)
class Manifest:
    """`events` and `head`: where the audit trail stood. `revision`: of the tables. `at`: RFC 3339."""

    installation: str
    at: str
    database: str
    revision: str | None
    events: int
    head: str
    recovery_key: str
    wrapped_key: str
    files: tuple[SealedFile, ...]

    def file(self, name: str) -> SealedFile:
        return next(one for one in self.files if one.name == name)


def write_manifest(folder: Path, manifest: Manifest, keys: KeyStore) -> None:
    body = {"format": FORMAT, **asdict(manifest)}
    signature = keys.signer("audit").sign(_CONTEXT + _canonical(body))
    document = {"manifest": body, "signature": signature.hex()}
    (folder / NAME).write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")


def read_manifest(folder: Path, public_key: bytes) -> Manifest:
    """Raise `Unavailable` for a folder that is no backup, or one that this installation did not sign."""
    body, signature = _parts(folder)
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, _CONTEXT + _canonical(body))
    except InvalidSignature:
        raise Unavailable(
            "签名不是本安装的：先恢复它的密钥文件 / not signed by this installation: restore its key files first",
            code="foreign_backup",
        ) from None
    return _manifest(body)


def read_unsigned(folder: Path) -> Manifest:
    """For a backup of the keys, whose signature nothing here can check. Raise `Unavailable`."""
    return _manifest(_parts(folder)[0])


def _parts(folder: Path) -> tuple[dict[str, Any], bytes]:
    try:
        document = orjson.loads((folder / NAME).read_bytes())
        return dict(document["manifest"]), bytes.fromhex(document["signature"])
    except (OSError, ValueError, KeyError, TypeError):
        raise Unavailable(
            f"{folder} 不是备份，或备份没有写完 / is no backup, or not a finished one"
        ) from None


def _manifest(body: dict[str, Any]) -> Manifest:
    if body.get("format") != FORMAT:
        raise Unavailable("不认识的备份格式 / unknown format of backup")
    try:
        files = tuple(SealedFile(**one) for one in body["files"])
        known = {name: value for name, value in body.items() if name not in ("format", "files")}
        return Manifest(**known, files=files)
    except (KeyError, TypeError):
        raise Unavailable("备份说明不完整 / the manifest is not whole") from None


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raise `Unavailable` naming the first file that is missing or not what was written."""
    for one in manifest.files:
        try:
            with (folder / one.name).open("rb") as source:
                found = hashlib.file_digest(source, "sha256").hexdigest()
        except OSError:
            raise Unavailable(f"{one.name} 读不出来 / cannot be read", code="backup_damaged") from None
        if found != one.sha256:
            raise Unavailable(f"{one.name} 已损坏 / is damaged", code="backup_damaged")


def _canonical(body: dict[str, Any]) -> bytes:
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
