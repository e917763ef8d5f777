"""The three ways to a phone: straight by TCP, and through two real adb servers in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache

import pytest

from agent.adbkey import AdbKey, load_or_create
from agent.simulator.fleet import Fleet, Mode
from agent.simulator.make import make_phone
from agent.simulator.mksh import MkshRunner
from agent.simulator.state import AuthMode, PhoneState
from agent.transport import Transport, TransportOptions, open_transport
from tests.support import adb

WAYS = ("tcp", "system", "bundled")


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], AdbKey]:
    path = tmp_path_factory.mktemp("key") / "adbkey"
    return cache(lambda: load_or_create(path))


@pytest.fixture(scope="module", params=WAYS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """None for the straight way, else a real adb server."""
    if request.param == "tcp":
        yield None
        return
    binary = adb.binaries().get(request.param)
    if binary is None:
        pytest.skip(f"this machine has no {request.param} adb")
    with adb.running_server(binary, tmp_path_factory.mktemp("adb")) as running:
        yield running


@dataclass
class Bench:
    """A phone and the way to it."""

    fleet: Fleet
    server: adb.AdbServer | None
    options: TransportOptions
    serial: str = field(default="")

    def attach(self) -> None:
        """`adb connect`, where a server is in front, and the phone's "allow", where somebody gives it."""
        if self.server is None or self.serial:
            return
        self.serial = self.server.connect(self.fleet.ports[0])
        if self.fleet.phones[0].auth is not AuthMode.NEVER:
            self.server.adb("-s", self.serial, "wait-for-device")

    def open(self, **changes: object) -> Transport:
        self.attach()
        target = f"server:{self.serial}" if self.server else f"tcp:127.0.0.1:{self.fleet.ports[0]}"
        return open_transport(target, replace(self.options, **changes))  # type: ignore[arg-type]


Made = Callable[..., Bench]


@pytest.fixture
def phone(server: adb.AdbServer | None, key: Callable[[], AdbKey]) -> Iterator[Made]:
    """Makes a phone behind each way; what it is told about the phone are changes of its state."""
    benches: list[Bench] = []

    def make(*, mode: Mode = "mksh", **state: object) -> Bench:
        if mode == "mksh" and not MkshRunner.available():
            pytest.skip("mksh or toybox is not installed")
        made: PhoneState = make_phone(1)
        for name, value in state.items():
            setattr(made, name, value)
        options = TransportOptions(connect_s=10, auth_wait_s=10, key=key)
        if server is not None:
            options = replace(options, adb_server=server.address)
        bench = Bench(Fleet([made], mode=mode), server, options)
        bench.fleet.__enter__()
        benches.append(bench)
        return bench

    yield make
    for bench in benches:
        if bench.serial and bench.server:
            bench.server.adb("disconnect", bench.serial)
        bench.fleet.close()
