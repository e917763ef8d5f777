"""Frames of the `shell,v2` service: a 1-byte id, a little-endian 32-bit length, the data."""

import struct
from collections.abc import Iterator

STDIN = 0
STDOUT = 1
STDERR = 2
EXIT = 3
CLOSE_STDIN = 4
WINDOW_SIZE = 5

_HEADER = struct.Struct("<BI")
_LARGEST = 64 * 1024
_LARGEST_IN = 1 << 20


class FrameError(Exception):
    """A frame announced more than adbd would ever take."""


def frames(kind: int, data: bytes) -> bytes:
    """`data` as frames of at most 64 KiB each, as a phone reads them from its pipes; nothing for no data."""
    if len(data) <= _LARGEST:
        return _HEADER.pack(kind, len(data)) + data if data else b""
    parts = (data[start : start + _LARGEST] for start in range(0, len(data), _LARGEST))
    return b"".join(_HEADER.pack(kind, len(part)) + part for part in parts)


def exit_frame(code: int) -> bytes:
    """The last frame: one byte of exit code."""
    return _HEADER.pack(EXIT, 1) + bytes((code & 0xFF,))


def window_size(data: bytes) -> tuple[int, int] | None:
    """(rows, columns) of a WINDOW_SIZE frame, `24x80,640x480` + NUL; None when it is not one."""
    try:
        rows, columns = data.rstrip(b"\0").decode("ascii").split(",", 1)[0].split("x")
        size = int(rows), int(columns)
    except (UnicodeDecodeError, ValueError):
        return None
    return size if all(0 < value < 65536 for value in size) else None


class FrameDecoder:
    """Cuts the client's byte stream into (id, data) frames, wherever the messages happen to end."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Frames which `data` completes; raises `FrameError` for one over 1 MiB."""
        self._buffer += data
        while len(self._buffer) >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._buffer)
            if length > _LARGEST_IN:
                raise FrameError(f"frame of {length} bytes")
            end = _HEADER.size + length
            if len(self._buffer) < end:
                return
            frame = bytes(self._buffer[_HEADER.size : end])
            del self._buffer[:end]
            yield kind, frame
