"""Where simulated phones keep their files: one folder a fleet. What a killed process left behind is removed by the
next fleet.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

_PREFIX, _LOCK = "butlersim-", ".lock"


class Scratch:
    """A fleet's folder, made on first use. For one thread."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._lock: BinaryIO | None = None

    def new(self, prefix: str) -> Path:
        """A new empty folder in it."""
        if self._folder is None:
            _remove_left_behind()
            self._folder, self._lock = _make()
        return Path(tempfile.mkdtemp(prefix=prefix, dir=self._folder))

    def close(self) -> None:
        """Delete it all."""
        if self._folder is not None and self._lock is not None:
            _remove(self._folder.with_name(self._folder.name + _LOCK))
            self._lock.close()
            self._folder = self._lock = None


def _make() -> tuple[Path, BinaryIO]:
    """A new folder, and the lock beside it that says as long as it is held that its owner lives."""
    while True:
        handle, name = tempfile.mkstemp(prefix=_PREFIX, suffix=_LOCK)
        lock = os.fdopen(handle, "rb")
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock.fileno()).st_nlink:
            folder = Path(name.removesuffix(_LOCK))
            folder.mkdir(mode=0o700)
            return folder, lock
        # Another process took the file for a dead one's before it was locked.
        lock.close()


def _remove_left_behind() -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*{_LOCK}"):
        # Other users' files, and those of the living, are left alone.
        with contextlib.suppress(OSError), path.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(lock.fileno()).st_uid == os.getuid():
                _remove(path)


def _remove(lock: Path) -> None:
    shutil.rmtree(lock.with_name(lock.name.removesuffix(_LOCK)), ignore_errors=True)
    lock.unlink(missing_ok=True)
