"""The recovery key: its public half seals backups on this machine, its private half is kept by people, on paper."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from app.kernel.errors import Conflict, Invalid, Unavailable

_NAME = "recovery.pub"
_PREFIX = "BUTLER-RECOVERY-1-"


def make_pair(key_dir: Path) -> str:
    """Keep the public half here; returns the private half, kept nowhere. Raise `Conflict` when there is one."""
    private = X25519PrivateKey.generate()
    adopt(key_dir, private.public_key().public_bytes_raw())
    return _PREFIX + base64.b32encode(private.private_bytes_raw()).decode().rstrip("=")


def adopt(key_dir: Path, public: bytes) -> None:
    """Seal to a pair that was made elsewhere. Raise `Conflict` when there is one here, `Invalid` for no public key."""
    if len(public) != 32:
        raise Invalid("公钥应为 32 字节 / a public key has 32 bytes")
    key_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with (key_dir / _NAME).open("x", encoding="ascii") as out:
            out.write(public.hex() + "\n")
            out.flush()
            os.fsync(out.fileno())
    except FileExistsError:
        raise Conflict(
            f"恢复公钥已存在：{key_dir / _NAME}；确实要换，先把它移走 / there is one already: move it away first"
        ) from None


def public_half(key_dir: Path) -> X25519PublicKey:
    """Raise `Unavailable` when there is none, or it is damaged."""
    try:
        return X25519PublicKey.from_public_bytes(bytes.fromhex((key_dir / _NAME).read_text("ascii")))
    except FileNotFoundError:
        raise Unavailable(
            "还没有恢复公钥，请先运行 flask backup init-key / there is no recovery key: run `flask backup init-key`"
        ) from None
    except ValueError:
        raise Unavailable(f"{_NAME} 已损坏 / is damaged") from None


def private_half(text: str) -> X25519PrivateKey:
    """What people kept. Blanks and small letters do not matter. Raise `Invalid`."""
    typed = "".join(text.split()).upper()
    try:
        raw = base64.b32decode(typed.removeprefix(_PREFIX) + "====")
    except ValueError:
        raw = b""
    if not typed.startswith(_PREFIX) or len(raw) != 32:
        raise Invalid("这不是恢复密钥 / this is no recovery key")
    return X25519PrivateKey.from_private_bytes(raw)
