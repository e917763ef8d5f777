"""How gunicorn serves the application; read by `gunicorn wsgi:app` from the checkout by itself."""

from __future__ import annotations

import ctypes
import ctypes.util
import gc
import os
import shutil
import socket
import struct
import tempfile
from pathlib import Path
from typing import Any

from prometheus_client import multiprocess

_MOST_WORKERS = 4

bind = "127.0.0.1:8000"
worker_class = "gthread"
# Loaded once, before the workers are forked: what they do not write to is one copy in memory for all of them. A change
# of the code therefore needs a restart, not a reload (SIGHUP).
preload_app = True
# A worker a core, and threads in each: requests here wait for the database more than for the processor.
workers = min(_MOST_WORKERS, os.cpu_count() or 1)
threads = 8
timeout = 60
graceful_timeout = 8
# It would lie in the home directory, the same file for every gunicorn of this user.
control_socket_disable = True
# Workers beat on a file: on a disk that stalls they would be taken for dead.
if Path("/dev/shm").is_dir():  # noqa: S108 - a directory of gunicorn's own is made below it
    worker_tmp_dir = "/dev/shm"  # noqa: S108

# Each worker counts for itself; /metrics adds their files up. Set before the application is imported.
_METRICS = "butler-metrics-"
for _old in Path(tempfile.gettempdir()).glob(f"{_METRICS}*"):
    # A server that was killed outright could not clear its own away.
    _pid = _old.name.removeprefix(_METRICS).partition("-")[0]
    if _pid.isdecimal() and not Path("/proc", _pid).exists() and Path("/proc/self").exists():
        shutil.rmtree(_old, ignore_errors=True)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix=f"{_METRICS}{os.getpid()}-")

# glibc gives each thread an arena of its own and keeps what large check-ins left there: 11 MB more for each worker.
_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
if hasattr(_libc := ctypes.CDLL(ctypes.util.find_library("c")), "mallopt"):
    _libc.mallopt(_ARENA_MAX, 2)
    _libc.mallopt(_MMAP_THRESHOLD, 256 * 1024)
    _libc.mallopt(_TRIM_THRESHOLD, 256 * 1024)


# A sender that falls silent in the middle of its body gives its thread back after this long.
_SILENCE_S = 20


def when_ready(server: Any) -> None:
    """Before the first fork."""
    from app.warming import warm

    warm(server.app.wsgi())
    # The collector writes into each object that it looks at, and so would copy every shared page into each worker.
    gc.collect()
    gc.freeze()
    # Connections inherit it: without it, as many silent senders as there are threads stop the server for good.
    for listener in server.LISTENERS:
        timeout = struct.pack("ll", _SILENCE_S, 0)
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeout)


def child_exit(_server: Any, worker: Any) -> None:
    """Takes an ended worker's gauges out; its counters stay in the sum."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
