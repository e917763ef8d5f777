"""Files of sealed records: AES-256-GCM, each record with its own nonce, bound to its transfer, file and place.

A record is a length, a flag, a nonce and a sealed text of at most 256 KiB. The flag of a file's last record is bound
into it, so that a file that was cut off between two records is told from a whole one. Nothing is flushed to the disk
by force: after a power cut a record that is not there, or is not what it was, shows as damage, and is read again.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent.errors import AgentError

RECORD_BYTES = 2**18
"""What a cut may cost when a large file is read."""
_HEAD = struct.Struct("<IB")
_NONCE, _TAG = 12, 16
_CONTEXT = b"butler-copy\0"
_MORE, _LAST = 0, 1
_FULL = _HEAD.size + _NONCE + RECORD_BYTES + _TAG


class Digest(Protocol):
    """A running hash, as `hashlib` makes them."""

    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


class CopyDamaged(AgentError):
    """A record of the encrypted copy is not what was written, or not all of them are there."""


@dataclass(frozen=True)
class Sealer:
    """Seals and opens the records of one transfer. The key lives here alone, in memory."""

    transfer: str
    key: bytes

    def __repr__(self) -> str:
        return "Sealer()"

    def seal(self, number: int, index: int, flag: int, text: bytes | memoryview) -> bytes:
        nonce = os.urandom(_NONCE)
        sealed = AESGCM(self.key).encrypt(nonce, bytes(text), self._bound(number, index, flag))
        return _HEAD.pack(len(sealed), flag) + nonce + sealed

    def open(self, number: int, index: int, flag: int, nonce: bytes, sealed: bytes) -> bytes:
        """Raise `CopyDamaged`."""
        try:
            return AESGCM(self.key).decrypt(nonce, sealed, self._bound(number, index, flag))
        except InvalidTag as exc:
            raise CopyDamaged("a record of the copy does not open") from exc

    def _bound(self, number: int, index: int, flag: int) -> bytes:
        return _CONTEXT + self.transfer.encode() + b"\0" + struct.pack("<QQB", number, index, flag)


def records(path: Path, sealer: Sealer, number: int, index: int = 0) -> Iterator[tuple[bytes, int, int]]:
    """(text, flag, end of the record in the file) of each whole record from `index` on; a torn one is left out.

    `index` above nought: only in files whose records are full. Raise `CopyDamaged` for one that is whole and does not
    open, `FileNotFoundError`.
    """
    end = index * _FULL
    with path.open("rb") as stream:
        stream.seek(end)
        while len(head := stream.read(_HEAD.size)) == _HEAD.size:
            size, flag = _HEAD.unpack(head)
            if not _TAG <= size <= RECORD_BYTES + _TAG or flag not in (_MORE, _LAST):
                raise CopyDamaged("no record begins here")
            body = stream.read(_NONCE + size)
            if len(body) < _NONCE + size:
                return
            end += _HEAD.size + len(body)
            yield sealer.open(number, index, flag, body[:_NONCE], body[_NONCE:]), flag, end
            index += 1


def content(path: Path, sealer: Sealer, number: int, skip: int = 0) -> Iterator[bytes]:
    """The texts of a whole file, from byte `skip` on, which is in it. Raise `CopyDamaged`, also without its end."""
    last = _MORE
    index, skip = divmod(skip, RECORD_BYTES)
    try:
        for text, flag, _ in records(path, sealer, number, index):
            if last == _LAST:
                raise CopyDamaged("something follows the last record")
            last = flag
            if skip < len(text):
                yield text[skip:]
            skip = max(0, skip - len(text))
    except FileNotFoundError as exc:
        raise CopyDamaged("a file of the copy is missing") from exc
    if last != _LAST:
        raise CopyDamaged("a file of the copy is cut off")


class CopyFull(AgentError):
    """This machine's disk has no room for more of the copy."""


class Journal:
    """Records that are never the last, each handed to the system at once. Raise `CopyFull`."""

    def __init__(self, path: Path, sealer: Sealer, number: int, *, at: int = 0, index: int = 0) -> None:
        self._sealer = sealer
        self._number = number
        self._index = index
        with _full():
            self._stream = _opened(path, at)

    def log(self, text: bytes) -> None:
        self._put(_MORE, text)

    def close(self) -> None:
        """What could not be written is not there; the next reader finds out."""
        with suppress(OSError):
            self._stream.close()

    def _put(self, flag: int, text: bytes) -> None:
        view = memoryview(self._sealer.seal(self._number, self._index, flag, text))
        with _full():
            while view:
                # A disk that is nearly full takes a part and says so only at the next.
                view = view[self._stream.write(view) :]
        self._index += 1


class Appender(Journal):
    """Writes one file's records; every one but the last holds exactly `RECORD_BYTES`.

    `held` bytes are in whole records, of which `digest` is the sha256. Raise `CopyFull`.
    """

    def __init__(
        self, path: Path, sealer: Sealer, number: int, *, at: int = 0, held: int = 0, digest: Digest
    ) -> None:
        super().__init__(path, sealer, number, at=at, index=held // RECORD_BYTES)
        self.held = held
        self.digest = digest
        self._pending = bytearray()

    def write(self, piece: bytes) -> None:
        """Put more behind; it is on its way to the disk once a record is full."""
        self._pending += piece
        while len(self._pending) > RECORD_BYTES:
            with memoryview(self._pending) as view:
                self._add(_MORE, bytes(view[:RECORD_BYTES]))
            del self._pending[:RECORD_BYTES]

    def rewind(self) -> int:
        """Forget what is less than a record: from which byte on it goes on."""
        self._pending.clear()
        return self.held

    def finish(self) -> str:
        """The file ends here; its sha256 in hexadecimal."""
        self._add(_LAST, bytes(self._pending))
        self._pending.clear()
        self.close()
        return self.digest.hexdigest()

    def _add(self, flag: int, text: bytes) -> None:
        self.digest.update(text)
        self.held += len(text)
        self._put(flag, text)


@contextmanager
def _full() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise CopyFull("the copy cannot be written") from exc


def _opened(path: Path, at: int) -> FileIO:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    # Without a buffer: what is written is the system's at once, a killed agent loses none of it.
    stream = FileIO(handle, "r+b")
    try:
        stream.truncate(at)
        stream.seek(at)
    except OSError:
        stream.close()
        raise
    return stream
