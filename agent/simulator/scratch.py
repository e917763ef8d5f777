"""Where simulated phones keep their files: one folder a process, which ends with it. What a killed process left
behind is removed by the next one.
"""

import atexit
import contextlib
import fcntl
import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import BinaryIO

_PREFIX, _LOCK = "butler-phones-", ".lock"
_own: list[tuple[Path, BinaryIO]] = []
_making = threading.Lock()


def scratch() -> Path:
    """This process's folder, made on first use."""
    with _making:
        if not _own:
            _remove_left_behind()
            _own.append(_make())
            atexit.register(_end)
        return _own[0][0]


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


def _end() -> None:
    folder, lock = _own.pop()
    _remove(folder.with_name(folder.name + _LOCK))
    lock.close()


def _remove(lock: Path) -> None:
    shutil.rmtree(lock.with_name(lock.name.removesuffix(_LOCK)), ignore_errors=True)
    lock.unlink(missing_ok=True)
