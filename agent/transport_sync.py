"""The file service's SEND, from an iterator: the requests in order, each a word, a length and its bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from agent.errors import Refused, TransportError, TransportFault

REQUEST = struct.Struct("<4sI")
BLOCK = 2**16
"""The longest DATA that a phone takes."""
MAX_REMOTE = 1024
_MAX_WORDS = 2**16
_LAST_MTIME = 2**32 - 1


def encoded_path(remote: str) -> bytes:
    """A phone's path as its bytes; what was no UTF-8 there goes back as it came. Raise `Refused` when too long."""
    raw = remote.encode("utf-8", "surrogateescape")
    if not 0 < len(raw) <= MAX_REMOTE - 16 or b"\0" in raw:
        raise Refused("a path that the file service does not take")
    return raw


def send_requests(chunks: Iterable[bytes], remote: str, mode: int, mtime: int) -> Iterator[bytes]:
    """SEND, DATA… and DONE, of at most `BLOCK` bytes and a header each. `mtime` is epoch seconds."""
    argument = encoded_path(remote) + b",%d" % (0o100000 | mode)
    yield REQUEST.pack(b"SEND", len(argument)) + argument
    for chunk in chunks:
        view = memoryview(chunk)
        for start in range(0, len(view), BLOCK):
            block = view[start : start + BLOCK]
            yield REQUEST.pack(b"DATA", len(block)) + block
    yield REQUEST.pack(b"DONE", min(max(mtime, 0), _LAST_MTIME))


def packed(requests: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in packets of `size`; the last may be shorter."""
    pending = bytearray()
    for request in requests:
        pending += request
        while len(pending) >= size:
            yield bytes(memoryview(pending)[:size])
            del pending[:size]
    if pending:
        yield bytes(pending)


def refusal(word: bytes, text: bytes) -> TransportError:
    """What an answer other than the expected one means."""
    if word == b"FAIL":
        return Refused(text.decode("utf-8", "replace")[:200])
    return TransportFault(f"the file service answered {word!r}")


def answer_size(size: int) -> int:
    """How much of an answer's words is read."""
    return min(size, _MAX_WORDS)
