"""Two simulated phones, proxies that can cut the way to them, and a transfer between them."""

from __future__ import annotations

import hashlib
import os
import random
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.clock import steady
from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.simulator.mksh import MkshRunner
from agent.simulator.state import AuthMode
from agent.transfer.engine import Engine, Order, Result
from agent.transfer.manifest import Manifest
from agent.transfer.parts import Part
from agent.transfer.store import open_copy
from agent.transfer.turns import Telling, Turns
from agent.transport import Transport, TransportOptions, open_transport
from tests.support.cutting import CuttingProxy

KEY = bytes(range(32))
TRANSFER = "0197f000-0000-7000-8000-00000000abcd"
UGLY = (
    b"-rf", b"a b", b"it's", b'quo"te', b"new\nline", "照片 移交😀.jpg".encode(), b"bad\xff\xfe.jpg", b"trail ",
    b"$(reboot)`id`", b"back\\slash", b"empty", b"comma,33188", b"*", b"'; rm -rf .",
)  # fmt: skip
OPTIONS = TransportOptions(connect_s=5)


class Rig:
    """`old` and `new` are the storages' real folders; `told` is all progress that was made."""

    def __init__(self, tmp_path: Path, *, folders: Sequence[str] = ("DCIM",)) -> None:
        if not MkshRunner.available():
            pytest.skip("mksh or toybox is not installed")
        self.phones = [make_phone(0), make_phone(1), make_phone(2)]
        for phone in self.phones:
            phone.auth = AuthMode.OPEN
            phone.identity.sdk = 33
            phone.storage_free = 64 * 2**30
        self.root = tmp_path / "transfers"
        self.order = Order("c1", TRANSFER, ("files",), tuple(folders), (".nomedia",), 2**40, 7)
        self.told: list[Mapping[str, Any]] = []
        self.sent: list[Manifest] = []
        self.cuts: dict[int, Iterator[int | None]] = {}
        self.stopped = threading.Event()
        self.on_progress: Callable[[Mapping[str, Any]], None] = lambda detail: None
        self.room: Callable[[Path], int] = lambda folder: 2**40

    @contextmanager
    def up(self) -> Iterator[Rig]:
        with Fleet(self.phones, "mksh") as self.fleet:
            self.old, self.new = (self.fleet.devices[n].files.real("/sdcard") for n in (0, 1))
            self.proxies = [
                CuttingProxy(port, partial(self._next_cut, n)) for n, port in enumerate(self.fleet.ports)
            ]
            try:
                yield self
            finally:
                for proxy in self.proxies:
                    proxy.close()

    def _next_cut(self, phone: int) -> int | None:
        return next(self.cuts[phone]) if phone in self.cuts else None

    def target(self, phone: int) -> str:
        return f"tcp:127.0.0.1:{self.proxies[phone].port}"

    def phone(self, number: int) -> Callable[[], Any]:
        @contextmanager
        def opened() -> Iterator[Transport]:
            with open_transport(self.target(number), OPTIONS) as transport:
                yield transport

        return opened

    def run(
        self, parts: Sequence[Part] = (), *, key: bytes = KEY, turn_s: float = 30.0, patience_s: float = 30.0,
        **changes: Any,
    ) -> Result:  # fmt: skip
        """One run, as after each start of the agent."""
        order = replace(self.order, **changes)
        copy = open_copy(self.root, order.transfer, key, order.keep_days, room=self.room)
        telling = Telling(self._progress, steady)
        turns = Turns(telling, steady, self.stopped, turn_s, patience_s, 0.01)
        try:
            return Engine(order, copy, self.phone(0), self.phone(1), turns, parts, self.sent.append).run()
        finally:
            copy.close()

    def _progress(self, detail: Mapping[str, Any], *, now: bool = False) -> None:
        self.told.append(detail)
        self.on_progress(detail)


def fill(folder: Path, files: int, seed: int = 1, most: int = 30_000) -> None:
    """Files with ugly names and others, of random bytes."""
    rng = random.Random(seed)
    for n in range(files):
        name = UGLY[n] if n < len(UGLY) else b"Camera/IMG_%d.jpg" % n
        size = 0 if name == b"empty" else rng.randint(1, most)
        put(folder / os.fsdecode(name), rng.randbytes(size), 1_700_000_000 + n)


def put(path: Path, content: bytes, mtime: int = 1_700_000_000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (mtime, mtime))


def tree(folder: Path) -> dict[str, tuple[str, int]]:
    """sha256 and mtime of each file below, by its path; links are no files."""
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            int(path.stat().st_mtime),
        )
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def new_transfer() -> str:
    return str(uuid.uuid4())
