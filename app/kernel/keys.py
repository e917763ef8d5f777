"""Keys by purpose, each with its own file and its own prefix, so that no signature can serve another purpose."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.kernel.errors import Unavailable

Purpose = Literal["agent-reads", "audit", "paper", "name-hmac", "sign-in", "notify", "session", "access"]
Signing = Literal["agent-reads", "audit", "paper"]


class KeyStore:
    """32-byte keys in `directory`, one file a purpose, mode 0600. A missing key is made only while `may_create`.

    Raise `Unavailable` for a key that is missing, unreadable, of the wrong size or open to others.
    """

    def __init__(self, directory: Path, *, may_create: bool) -> None:
        self._directory = directory
        self._may_create = may_create
        self._cache: dict[str, bytes] = {}

    def signer(self, purpose: Signing) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret(purpose))

    def public_key(self, purpose: Signing) -> bytes:
        return self.signer(purpose).public_key().public_bytes_raw()

    def fingerprint(self, purpose: Purpose) -> str:
        """What the database remembers of a key: names it, betrays nothing."""
        return hashlib.sha256(
            b"butler-key-id\0" + purpose.encode() + b"\0" + self.secret(purpose)
        ).hexdigest()

    def secret(self, purpose: Purpose) -> bytes:
        if purpose not in self._cache:
            self._cache[purpose] = self._load(self._directory / f"{purpose}.key")
        return self._cache[purpose]

    def _load(self, path: Path) -> bytes:
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            if not self._may_create:
                raise Unavailable(f"key file {path.name} is missing from {path.parent}: restore it") from None
            return self._create(path)
        except OSError as exc:
            raise Unavailable(f"key file {path.name} cannot be read: {exc.strerror}") from exc
        if len(raw) != 32:
            raise Unavailable(f"key file {path.name} is damaged: expected 32 bytes")
        if path.stat().st_mode & 0o077:
            raise Unavailable(f"key file {path.name} is open to others: chmod 600 it")
        return raw

    def _create(self, path: Path) -> bytes:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        raw = secrets.token_bytes(32)
        scratch = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
        handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(raw)
            out.flush()
            os.fsync(out.fileno())
        try:
            # link() never overwrites: of two processes that start at once, one wins and both use its key.
            os.link(scratch, path)
        except FileExistsError:
            raw = path.read_bytes()
        finally:
            scratch.unlink()
        return raw
