"""Files sealed in pieces, so that none need fit in memory, and none can be cut, swapped or changed unseen.

A fresh 32-byte key a backup, wrapped by HPKE (RFC 9180) to the recovery key; from it one key a file by HKDF. Pieces are
AES-256-GCM; the nonce is the piece's number and whether it is the last (the STREAM construction).
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.kernel.errors import Unavailable

_PIECE = 2**20
_TAG = 16
_INFO = b"butler-backup-v1\0"


def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def wrap_key(key: bytes, public: X25519PublicKey, context: str) -> bytes:
    return bytes(_suite().encrypt(key, public, info=_INFO + context.encode()))


def unwrap_key(wrapped: bytes, private: X25519PrivateKey, context: str) -> bytes:
    """Raise `Unavailable` for another recovery key, or for another backup's wrap."""
    try:
        return bytes(_suite().decrypt(wrapped, private, info=_INFO + context.encode()))
    except (InvalidTag, ValueError):
        raise Unavailable(
            "恢复密钥不是这份备份的 / this recovery key does not open this backup", code="wrong_recovery_key"
        ) from None


def _cipher(key: bytes, name: str) -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO + name.encode()).derive(key)
    return AESGCM(derived)


def _nonce(number: int, last: bool) -> bytes:
    return struct.pack(">3xQ?", number, last)


class SealWriter(io.RawIOBase):
    """What is written here arrives sealed in `out`. After `close`: `plain`, `sealed` (sha256), `size` of `out`."""

    def __init__(self, out: BinaryIO, key: bytes, name: str) -> None:
        self._out = out
        self._cipher = _cipher(key, name)
        self._left = bytearray()
        self._number = 0
        self._plain, self._sealed = hashlib.sha256(), hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:  # type: ignore[no-untyped-def]  # any buffer, as the base class takes
        taken = bytes(data)
        self._plain.update(taken)
        self._left += taken
        # The last piece must be known as such when it is sealed, so one full piece always stays behind.
        while len(self._left) > _PIECE:
            self._put(bytes(self._left[:_PIECE]), last=False)
            del self._left[:_PIECE]
        return len(taken)

    def close(self) -> None:
        if not self.closed:
            self._put(bytes(self._left), last=True)
            super().close()

    def _put(self, piece: bytes, *, last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number, last), piece, None)
        self._number += 1
        self._out.write(sealed)
        self._sealed.update(sealed)
        self.size += len(sealed)

    @property
    def plain(self) -> str:
        return self._plain.hexdigest()

    @property
    def sealed(self) -> str:
        return self._sealed.hexdigest()


def opened(source: BinaryIO, key: bytes, name: str) -> Iterator[bytes]:
    """The plain pieces. Raise `Unavailable` at the first that was changed, moved or cut off."""
    cipher, number = _cipher(key, name), 0
    piece = source.read(_PIECE + _TAG)
    while True:
        following = source.read(_PIECE + _TAG)
        try:
            yield cipher.decrypt(_nonce(number, not following), piece, None)
        except (InvalidTag, ValueError):
            raise Unavailable(f"{name} 已损坏 / is damaged", code="backup_damaged") from None
        if not following:
            return
        piece, number = following, number + 1


class PieceReader(io.RawIOBase):
    """The pieces as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
