"""The agent's RSA key for ADB: made on first use, readable by its owner only.

The file is the same PEM (PKCS#8) as adb's own `~/.android/adbkey`, so a gateway may share adb's key. Phones
want the public half in Android's own format: 64 little-endian words of modulus with precomputed Montgomery
values (AOSP libcrypto_utils/android_pubkey).
"""

from __future__ import annotations

import base64
import os
import secrets
import socket
import stat
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import KeyFileError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicNumbers

MODULUS_BYTES = 256
_WORDS = MODULUS_BYTES // 4


class AdbKey:
    """Signs ADB's authentication tokens. Method names are those that adb-shell calls on a signer."""

    def __init__(self, private: RSAPrivateKey, comment: str) -> None:
        self._private = private
        self._comment = comment

    def Sign(self, data: bytes) -> bytes:  # noqa: N802 - adb-shell's interface
        """PKCS#1 v1.5 signature of the 20-byte token, which takes the place of a SHA-1 digest."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding, utils

        return self._private.sign(data, padding.PKCS1v15(), utils.Prehashed(hashes.SHA1()))  # noqa: S303

    def GetPublicKey(self) -> bytes:  # noqa: N802 - adb-shell's interface
        """Android's public key line: base64, a blank, `user@host` as the phone's dialogue shows it."""
        numbers = self._private.public_key().public_numbers()
        return base64.b64encode(android_public_key(numbers)) + b" " + self._comment.encode()


def android_public_key(numbers: RSAPublicNumbers) -> bytes:
    """524 bytes: words, -1/n mod 2^32, n, R^2 mod n, exponent; all little-endian."""
    n = numbers.n
    n0inv = pow(-n, -1, 2**32)
    rr = pow(2, 2 * 8 * MODULUS_BYTES, n)
    modulus, square = (value.to_bytes(MODULUS_BYTES, "little") for value in (n, rr))
    return struct.pack(f"<II{MODULUS_BYTES}s{MODULUS_BYTES}sI", _WORDS, n0inv, modulus, square, numbers.e)


def default_key_path() -> Path:
    """`AGENT_ADB_KEY`, else `~/.config/butler-agent/adbkey`."""
    given = os.environ.get("AGENT_ADB_KEY")
    return Path(given) if given else Path.home() / ".config" / "butler-agent" / "adbkey"


def load_or_create(path: Path) -> AdbKey:
    """Load the key at `path`, making it first if there is none. Raise `KeyFileError`.

    Two agents that start together end with one key: the file appears whole or not at all, and the first wins.
    """
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        _create(path)
        pem = path.read_bytes()
    except OSError as exc:
        raise KeyFileError(f"cannot read the ADB key {path}: {exc.strerror}") from exc
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeyFileError(f"others may read the ADB key {path}; run: chmod 600 {path}")
    return AdbKey(_parse(pem, path), f"butler-agent@{socket.gethostname()}")


def _parse(pem: bytes, path: Path) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError) as exc:
        raise KeyFileError(f"{path} is no unencrypted PEM key") from exc
    if not isinstance(key, RSAPrivateKey) or key.key_size != 8 * MODULUS_BYTES:
        raise KeyFileError(f"{path} is no RSA key of 2048 bits; phones accept no other")
    return key


def _create(path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pem = rsa.generate_private_key(65537, 8 * MODULUS_BYTES).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_once(path, pem)
    except OSError as exc:
        raise KeyFileError(f"cannot write the ADB key {path}: {exc.strerror}") from exc


def _write_once(path: Path, content: bytes) -> None:
    """Put a whole file of mode 0600 at `path` unless one is there already."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return
        except OSError:
            # File systems without hard links (some Android storage): a rename is whole too, the last one
            # wins.
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
