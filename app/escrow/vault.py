"""The keyring file and ROOT as this machine has them. Both are looked at anew at each use: sealing works at once."""

from __future__ import annotations

import base64
import binascii
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.escrow.keyring_rules import (
    KekState,
    Keyring,
    check_root,
    open_kek,
    read_ring,
    signing_key,
    transfers_key,
    write_ring,
)
from app.kernel.errors import Unavailable

_Stamp = tuple[int, int, int] | None


@dataclass(frozen=True)
class Opened:
    """An unsealed keyring. `keks` holds what is neither pending nor destroyed; `danger` signs what may hurt,
    and from `transfers` come the keys of phones' encrypted copies. `certificate` signs certificates of wipes.
    """

    ring: Keyring
    keks: dict[int, bytes]
    danger: Ed25519PrivateKey
    transfers: bytes
    certificate: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"Opened(generation={self.ring.generation})"

    @property
    def active(self) -> tuple[int, bytes]:
        return self.ring.active.kek_id, self.keks[self.ring.active.kek_id]

    def kek(self, kek_id: int) -> bytes:
        """Raise `Unavailable` for a KEK that is destroyed, or of another keyring."""
        found = self.keks.get(kek_id)
        if found is None:
            destroyed = any(k.kek_id == kek_id and k.state is KekState.DESTROYED for k in self.ring.keks)
            what, code = ("已销毁", "kek_destroyed") if destroyed else ("不在密钥环里", "kek_unknown")
            raise Unavailable(f"密钥 {kek_id} {what} / key {kek_id}: {code}", code=code)
        return found


def opened_with(ring: Keyring, keks: dict[int, bytes], root: bytes) -> Opened:
    """The keyring with every key that only ROOT gives."""
    danger = signing_key(root, ring.installation, "danger")
    certificate = signing_key(root, ring.installation, "certificate")
    return Opened(ring, keks, danger, transfers_key(root, ring.installation), certificate)


class Vault:
    """`directory` holds the keyring; ROOT is `root_text` (base64), else in `root_file`, open to its owner only."""

    def __init__(self, directory: Path, root_file: Path, root_text: str | None) -> None:
        self._directory = directory
        self._root_file = root_file
        self._root_text = root_text
        self._kept: tuple[_Stamp, _Stamp, Opened] | None = None

    @property
    def path(self) -> Path:
        return self._directory / "keyring.json"

    @property
    def root_file(self) -> Path:
        return self._root_file

    def ring(self) -> Keyring | None:
        """The keyring as it lies there, sealed or not; None: there is none. Raise `Unavailable` for a damaged one."""
        raw = self._raw()
        return None if raw is None else read_ring(raw)

    def opened(self) -> Opened:
        """Raise `Unavailable`: `escrow_not_set_up`, `escrow_sealed`, `wrong_root`, `keyring_damaged`."""
        stamps = (_stamp(self.path), _stamp(self._root_file))
        if self._kept is not None and self._kept[:2] == stamps:
            return self._kept[2]
        raw = self._raw()
        if raw is None:
            raise Unavailable(
                "密码托管还没有初始化 / not set up: flask escrow init", code="escrow_not_set_up"
            )
        root = self.root()
        ring = read_ring(raw, root)
        usable = (KekState.ACTIVE, KekState.DECRYPT_ONLY)
        keks = {k.kek_id: open_kek(ring, root, k) for k in ring.keks if k.state in usable}
        found = opened_with(ring, keks, root)
        self._kept = (*stamps, found)
        return found

    def root(self) -> bytes:
        """ROOT. Raise `Unavailable` while sealed, or when its file is open to others."""
        if self._root_text:
            return _key_of(self._root_text)
        try:
            handle = os.open(self._root_file, os.O_RDONLY)
            with os.fdopen(handle, "rb") as file:
                mode, raw = os.fstat(handle).st_mode, file.read(200)
        except FileNotFoundError:
            raise Unavailable(
                "密码托管处于封存状态，请管理员解封；其他功能不受影响 / sealed: flask escrow unseal",
                code="escrow_sealed",
            ) from None
        except OSError as exc:
            raise Unavailable(f"主密钥文件读不了 / ROOT: {exc.strerror}", code="escrow_sealed") from None
        if mode & 0o077:
            raise Unavailable("主密钥文件对他人开放 / chmod 400 the ROOT file", code="root_open_to_others")
        return _key_of(raw.decode(errors="replace"))

    def save(self, ring: Keyring, root: bytes) -> Keyring:
        """Write the keyring whole or not at all, and read it back: what it says can be opened from the disk."""
        write_private(self.path, write_ring(ring, root), 0o600)
        again = read_ring(self.path.read_bytes(), root)
        for kek in again.keks:
            if kek.state is not KekState.DESTROYED:
                open_kek(again, root, kek)
        return again

    def put_root(self, root: bytes) -> None:
        """Unseal by file. Raise `Unavailable` when it is not the keyring's ROOT."""
        ring = self.ring()
        if ring is not None:
            check_root(ring, root)
        write_private(self._root_file, base64.b64encode(root) + b"\n", 0o400)

    def drop_root(self) -> bool:
        """Seal; False when ROOT comes from the environment, or was not there."""
        try:
            self._root_file.unlink()
        except FileNotFoundError:
            return False
        return not self._root_text

    def put_aside(self) -> Path:
        """A keyring of which this database knows nothing is kept under another name: another backup may need it."""
        aside = self.path.with_name(f"keyring-aside-{secrets.token_hex(4)}.json")
        self.path.rename(aside)
        return aside

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One who changes the keyring at a time, over processes."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _raw(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise Unavailable(f"密钥环读不了 / keyring: {exc.strerror}", code="keyring_damaged") from None


def write_private(path: Path, raw: bytes, mode: int) -> None:
    """Whole or not at all: written aside, synced, renamed; the folder is synced, or a crash could undo the renaming."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as out:
        out.write(raw)
        out.flush()
        os.fsync(out.fileno())
    scratch.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _key_of(text: str) -> bytes:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise Unavailable("主密钥格式不对 / ROOT is not 32 bytes in base64", code="wrong_root")
    return raw


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_mode
