"""Real adb binaries with a private server each: never the machine's own server on port 5037."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


def binaries() -> dict[str, Path]:
    """The adb binaries of this machine by a short name: Debian's and the one that adbutils carries."""
    found = {}
    if system := shutil.which("adb"):
        found["system"] = Path(system)
    spec = importlib.util.find_spec("adbutils")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "binaries" / "adb"
        if bundled.exists():
            found["bundled"] = bundled
    return found


@dataclass(frozen=True)
class AdbServer:
    """A running server of one binary; `adb` runs that binary as its client."""

    binary: Path
    port: int
    env: dict[str, str]

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    def adb(self, *words: str, timeout: float = 20) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [str(self.binary), *words], env=self.env, capture_output=True, timeout=timeout, check=False
        )

    def connect(self, port: int) -> str:
        """`adb connect` to a phone on loopback; its serial."""
        serial = f"127.0.0.1:{port}"
        self.adb("connect", serial)
        return serial


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running_server(binary: Path, home: Path) -> Iterator[AdbServer]:
    """Start a server in the foreground of a child process and end that process afterwards."""
    port = free_port()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),
        "ANDROID_ADB_SERVER_PORT": str(port),
        "ADB_MDNS": "0",
        "ADB_MDNS_AUTO_CONNECT": "0",
        "ADB_LIBUSB": "0",
    }
    server = AdbServer(binary, port, env)
    with (home / "adb.log").open("wb") as log:
        process = subprocess.Popen(
            [str(binary), "-P", str(port), "nodaemon", "server"], env=env, stdout=log, stderr=log
        )
    try:
        _wait_for(port, process)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            raise RuntimeError(f"the adb server ended with {process.returncode}")
        time.sleep(0.05)
    raise RuntimeError("the adb server does not listen")
