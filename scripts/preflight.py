"""Whatever would keep a run from working, found before anything is started and told in one line each."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.settings import SettingsError, load_settings
from scripts.place import ROOT, Place
from scripts.terminal import Stop, note

# Where the data are. A demo has its own, so that made-up phones never get among real ones.
_DATA_VARIABLES = ("DATABASE_URL", "BLOB_DIR", "BUTLER_KEY_DIR", "BUTLER_VAR_DIR")


@contextmanager
def checked(port: int, *, demo: bool) -> Iterator[Place]:
    """The place of this run, held against a second run on the same data until the end. Raises `Stop`."""
    place = _place(port, demo=demo)
    var = place.settings.var_dir
    _writable(var)
    place.logs.mkdir(parents=True, exist_ok=True)
    with (var / "run.lock").open("w") as lock:
        _hold(lock, var)
        _free(port)
        yield place


def _place(port: int, *, demo: bool) -> Place:
    environment = dict(os.environ)
    if demo:
        ignored = [name for name in _DATA_VARIABLES if environment.pop(name, None)]
        if ignored:
            note(f"the demo keeps its own data: {', '.join(ignored)} not used (DEMO=0 uses it)")
        environment["BUTLER_VAR_DIR"] = str(ROOT / "var" / "demo")
        # Somebody who tries it out is looking at the page.
        environment.setdefault("BUTLER_CHECKIN_INTERVAL_S", "15")
    try:
        settings = load_settings(environment)
    except SettingsError as error:
        raise Stop(str(error)) from error
    if demo and settings.production:
        raise Stop("BUTLER_ENV=production has no demo phones: use `make run DEMO=0`")
    return Place(settings, environment, port, demo)


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Stop(f"cannot write to {folder}: {error.strerror}") from error


def _hold(lock: IO[str], var: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Stop(f"`make run` is already running on {var}: end it first") from error


def _free(port: int) -> None:
    with socket.socket() as probe:
        # As the server itself does, so that a port which it could have is not called taken after a restart.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise Stop(f"port {port} is for the system's administrator: choose one above 1023") from error
        except OSError as error:
            raise Stop(
                f"port {port} is taken: end what listens there, or `make run PORT={port + 1}`"
            ) from error
