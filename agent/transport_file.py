"""A file that is being received: it takes its name only when it is whole."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from agent.errors import OutputTooLarge


class FileSink(BytesIO):
    """Writes through to a file.

    It is a `BytesIO` because adb-shell takes a path or one of these, nothing else.
    """

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        super().__init__()
        self._stream = stream
        self._limit = limit
        self._written = 0

    def write(self, data) -> int:  # type: ignore[no-untyped-def]
        self._written += len(data)
        if self._written > self._limit:
            raise OutputTooLarge(f"more than {self._limit} bytes in a file")
        return self._stream.write(data)


@contextmanager
def received_file(path: Path, limit: int) -> Iterator[FileSink]:
    """Write into the sink; `path` is put in place on success, on an error nothing is left.

    Raise `OutputTooLarge`.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with draft.open("xb") as stream:
            yield FileSink(stream, limit)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
