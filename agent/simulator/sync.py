"""The `sync:` service, version 1: STAT, LIST, SEND, RECV, QUIT over the phone's own file tree."""

import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from agent.simulator.files import FileError, PhoneFiles
from agent.simulator.stream import Stream

_REQUEST = struct.Struct("<4sI")
_STAT = struct.Struct("<4sIII")
_DENT = struct.Struct("<4sIIII")
_CHUNK = 64 * 1024
_LONGEST_PATH = 1024


class _Upload:
    """One SEND under way; after a failure the rest of it is read and thrown away."""

    def __init__(self, target: Path | None, mode: int) -> None:
        self.target = target
        self.mode = mode
        self.file: BinaryIO | None = None


class SyncService:
    """One sync conversation; adbd answers requests one after the other."""

    def __init__(self, stream: Stream, files: PhoneFiles) -> None:
        self._stream = stream
        self._files = files
        self._buffer = bytearray()
        self._upload: _Upload | None = None
        self._broken = False

    def receive(self, data: bytes) -> None:
        """Take the client's bytes and answer every complete request."""
        if self._broken:
            return
        self._buffer += data
        while len(self._buffer) >= _REQUEST.size and self._step():
            pass

    def closed(self) -> None:
        """The client went: drop a half-made file."""
        if self._upload is not None:
            self._abandon(self._upload)
            self._upload = None

    def _step(self) -> bool:
        """Handle one request; False when its bytes have not all arrived or the conversation is over."""
        kind, length = _REQUEST.unpack_from(self._buffer)
        if self._upload is not None and kind == b"DONE":
            del self._buffer[: _REQUEST.size]
            self._finish_upload(self._upload, mtime=length)
            return True
        limit = _CHUNK if kind == b"DATA" else _LONGEST_PATH
        if length > limit or (kind == b"DATA") != (self._upload is not None):
            self._break(f"unexpected {kind!r} of {length} bytes")
            return False
        end = _REQUEST.size + length
        if len(self._buffer) < end:
            return False
        body = bytes(self._buffer[_REQUEST.size : end])
        del self._buffer[:end]
        return self._request(kind, body)

    def _request(self, kind: bytes, body: bytes) -> bool:
        path = body.decode("utf-8", "surrogateescape")
        if kind == b"DATA" and self._upload is not None:
            self._take(self._upload, body)
        elif kind == b"STAT":
            self._stream.write(_STAT.pack(b"STAT", *self._stat(path)))
        elif kind == b"LIST":
            self._stream.write(b"".join(self._list(path)))
        elif kind == b"SEND":
            self._begin_upload(path)
        elif kind == b"RECV":
            self._download(path)
        elif kind == b"QUIT":
            self._stream.finish()
            return False
        else:
            self._break(f"unknown request {kind!r}")
            return False
        return True

    def _stat(self, path: str) -> tuple[int, int, int]:
        try:
            found = self._files.real(path).lstat()
        except (OSError, FileError):
            return 0, 0, 0
        return found.st_mode, found.st_size & 0xFFFFFFFF, int(found.st_mtime) & 0xFFFFFFFF

    def _list(self, folder: str) -> Iterator[bytes]:
        try:
            names = sorted(path.name for path in self._files.real(folder).iterdir())
        except (OSError, FileError):
            names = []
        for name in (".", "..", *names) if names else ():
            raw = os.fsencode(name)
            yield _DENT.pack(b"DENT", *self._stat(f"{folder}/{name}"), len(raw)) + raw
        yield _DENT.pack(b"DONE", 0, 0, 0, 0)

    def _begin_upload(self, argument: str) -> None:
        path, _, mode = argument.rpartition(",")
        upload = self._upload = _Upload(None, int(mode) if mode.isdigit() else 0o100644)
        try:
            target = self._files.real(path, writing=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():
                raise FileError("Is a directory")
            target.unlink(missing_ok=True)
            if stat.S_ISLNK(upload.mode):
                raise FileError("Operation not permitted")
            upload.file = target.open("wb")
            upload.target = target
        except FileError as error:
            self._fail(f"couldn't create file: {error}")
        except OSError as error:
            self._fail(f"couldn't create file: {error.strerror}")

    def _take(self, upload: _Upload, body: bytes) -> None:
        if upload.file is not None:
            try:
                upload.file.write(body)
            except OSError as error:
                self._abandon(upload)
                self._fail(f"write failed: {error.strerror}")

    def _finish_upload(self, upload: _Upload, mtime: int) -> None:
        self._upload = None
        if upload.target is None or upload.file is None:
            return
        upload.file.close()
        upload.target.chmod(stat.S_IMODE(upload.mode) | stat.S_IRUSR)
        os.utime(upload.target, (mtime, mtime))
        self._stream.write(_REQUEST.pack(b"OKAY", 0))

    def _abandon(self, upload: _Upload) -> None:
        if upload.file is not None:
            upload.file.close()
            upload.file = None
        if upload.target is not None:
            upload.target.unlink(missing_ok=True)
            upload.target = None

    def _download(self, path: str) -> None:
        try:
            file = self._files.real(path).open("rb")
        except FileError as error:
            self._fail(str(error))
            return
        except OSError as error:
            self._fail(error.strerror or "open failed")
            return
        self._stream.write_all(_data(file))

    def _fail(self, text: str) -> None:
        message = text.encode("utf-8")
        self._stream.write(_REQUEST.pack(b"FAIL", len(message)) + message)

    def _break(self, text: str) -> None:
        """End a conversation that has lost its framing."""
        self._broken = True
        self._fail(text)
        self._stream.finish()


def _data(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while part := file.read(_CHUNK):
            yield _REQUEST.pack(b"DATA", len(part)) + part
    yield _REQUEST.pack(b"DONE", 0)
