"""Keeps the test run's PostgreSQL. Arguments: the folder of its programs, pytest's pid, the run's directory.

A process of its own, so that the server ends with pytest even when pytest or a worker is killed: it watches
pytest's process and stops the server when that is gone or when it is told to by SIGTERM. PostgreSQL in turn
dies with this process. As root it runs as `postgres` or `nobody`, because it refuses to run as root.
"""

from __future__ import annotations

import ctypes
import json
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from tests.support.postgres import USER, Server

_PR_SET_PDEATHSIG = 1
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    # Neither UTC nor the machine's: code that leans on the session's time zone shows at once.
    "timezone": "America/St_Johns",
}


def main(binaries: Path, controller: int, directory: Path) -> None:
    watched = os.pidfd_open(controller)
    wake_read, wake_write = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(wake_write, b"."))
    identity = _identity()
    data = directory / "data"
    data.mkdir()
    if identity is not None:
        os.chown(data, identity.pw_uid, identity.pw_gid)
        os.chown(directory, identity.pw_uid, identity.pw_gid)
    _initialise(binaries, data, identity)
    process = _serve(binaries, data, directory, identity)
    state = directory / "server.json"
    try:
        _await_ready(process, directory)
        draft = directory / "server.json.new"
        draft.write_text(json.dumps({"keeper": os.getpid(), "server": process.pid}))
        draft.rename(state)
        select.select([watched, wake_read], [], [])
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait()
        # Told before the thousands of small files are gone: nobody has to wait for that.
        state.unlink(missing_ok=True)
        shutil.rmtree(directory, ignore_errors=True)


def _identity() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _run_as(identity: pwd.struct_passwd | None) -> dict[str, object]:
    if identity is None:
        return {}
    return {"user": identity.pw_uid, "group": identity.pw_gid, "extra_groups": []}


def _initialise(binaries: Path, data: Path, identity: pwd.struct_passwd | None) -> None:
    options = ["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", f"--username={USER}"]
    command = [str(binaries / "initdb"), *options, "-D", str(data)]
    subprocess.run(command, check=True, cwd=data.parent, **_run_as(identity))  # type: ignore[call-overload]


def _serve(
    binaries: Path, data: Path, directory: Path, identity: pwd.struct_passwd | None
) -> subprocess.Popen[bytes]:
    settings = {**_SETTINGS, "unix_socket_directories": str(directory)}
    arguments = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    libc = ctypes.CDLL(None)
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        [str(binaries / "postgres"), "-D", str(data), *arguments],
        cwd=directory,
        # Set after the change of user, which would clear it.
        preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT),  # noqa: PLW1509 - one thread only
        **_run_as(identity),
    )


def _await_ready(process: subprocess.Popen[bytes], directory: Path) -> None:
    deadline = time.monotonic() + 45
    while True:
        try:
            psycopg.connect(Server(str(directory)).url("postgres")).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"PostgreSQL is not reachable: {error}") from error
            time.sleep(0.05)
        else:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
