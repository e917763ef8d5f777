"""Moving one large file between two simulated phones: the rate on a shaped link, beside a bare adb, and the memory.

The phones, the link and the agent are processes of their own. The link is a proxy with a token bucket for each way of
40 MB/s, which saves up a fifteenth of a second. A rate is the file's bytes over the time from the first to the last of
them; the hashing on the phones comes after. A bare `adb pull` or `push` of the same file runs in the same run, and our
own over the same real adb server, both without the link.
"""

from __future__ import annotations

import importlib.util
import multiprocessing as mp
import os
import resource
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from agent.clock import steady

LINK_BPS = 40_000_000
BURST = LINK_BPS // 15
LEAST_SHARE = 0.9
MOST_GROWTH = 1.1
_MIB = 2**20
SHAPED_MIB, SMALL_MIB, LARGE_MIB = 256, 64, 512
_WAIT_S = 300
NAME = "VID_0001.mp4"


def measure() -> list[dict[str, Any]]:
    """Shares of the link both ways, shares of a bare adb's rate, and how the agent's memory grows with the file."""
    with tempfile.TemporaryDirectory() as folder, _started(_phones) as phones:
        ports: list[int] = phones.recv()
        shaped = _rates(phones, ports, Path(folder), SHAPED_MIB, link=True)
        figures = [
            _figure(
                f"{stage} over a 40 MB/s link, share of it", shaped[stage] / LINK_BPS, LEAST_SHARE, shaped
            )
            for stage in ("reading", "writing")
        ]
        small = _rates(phones, ports, Path(folder), SMALL_MIB, link=False)
        large = _rates(phones, ports, Path(folder), LARGE_MIB, link=False)
        growth = large["rss_kb"] / small["rss_kb"]
        memory = {"small": small["rss_kb"], "large": large["rss_kb"]}
        figures.append(_figure("agent's memory, 512 MiB file against 64 MiB", growth, MOST_GROWTH, memory))
        return figures + _beside_adb(phones, ports, Path(folder), large)


def _figure(name: str, value: float, limit: float | None, detail: Mapping[str, Any]) -> dict[str, Any]:
    ok = limit is None or (value >= limit if limit < 1 else value <= limit)
    return {
        "figure": name,
        "value": round(value, 3),
        "limit": limit,
        "unit": "x",
        "ok": ok,
        "detail": dict(detail),
    }


def _beside_adb(
    phones: Connection, ports: list[int], folder: Path, ours: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """What our own unshaped rates are beside a bare adb's, over the same real server and straight; told, not judged."""
    adb = _adb()
    if adb is None:
        return []
    port = _free_port()
    environment = os.environ | {"HOME": str(folder), "ANDROID_ADB_SERVER_PORT": str(port), "ADB_MDNS": "0"}

    def call(*arguments: str) -> float:
        began = steady()
        subprocess.run([adb, *arguments], env=environment, check=True, capture_output=True, timeout=_WAIT_S)
        return steady() - began

    phones.send(LARGE_MIB)
    phones.recv()
    try:
        serials = [f"127.0.0.1:{port}" for port in ports]
        for serial in serials:
            call("connect", serial)
            call("-s", serial, "wait-for-device")
        pull = call("-s", serials[0], "pull", f"/sdcard/DCIM/{NAME}", str(folder / NAME))
        push = call("-s", serials[1], "push", str(folder / NAME), "/sdcard/bare.mp4")
        served = _rates(phones, ports, folder, LARGE_MIB, link=False, server=port)
    finally:
        call("kill-server")
    bare = {"reading": LARGE_MIB * _MIB / pull, "writing": LARGE_MIB * _MIB / push}
    return [
        _figure(
            f"{stage} unshaped {way}, share of a bare adb's rate",
            rates[stage] / bare[stage],
            None,
            {"adb_bps": int(bare[stage]), "ours_bps": int(rates[stage])},
        )
        for stage in ("reading", "writing")
        for way, rates in (("over its server", served), ("straight by TCP", ours))
    ]


def _rates(
    phones: Connection, ports: list[int], folder: Path, mib: int, *, link: bool, server: int | None = None
) -> dict[str, Any]:
    """Bytes a second of both stages and the agent's memory, of one transfer in a process of its own."""
    phones.send(mib)
    phones.recv()
    with _started(_link, ports) as proxies:
        through = proxies.recv() if link else ports
        with _started(_agent, through, server, folder) as agent:
            if not agent.poll(_WAIT_S):
                raise TimeoutError("the transfer did not end")
            found: dict[str, Any] = agent.recv()
    return found


@contextmanager
def _started(work: Any, *arguments: Any) -> Iterator[Connection]:
    """A process of its own, and the way to talk with it."""
    context = mp.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=work, args=(there, *arguments), daemon=True)
    process.start()
    there.close()
    try:
        yield here
    finally:
        process.kill()
        process.join(5)


def _phones(pipe: Connection) -> None:
    """Two phones; told a number of MiB, the first holds such a file and the second nothing."""
    from agent.simulator.fleet import Fleet
    from agent.simulator.make import make_phone
    from agent.simulator.state import AuthMode

    states = [make_phone(0), make_phone(1)]
    for state in states:
        state.auth, state.storage_free = AuthMode.OPEN, 2**40
    block = os.urandom(_MIB)
    with Fleet(states, "mksh") as fleet:
        pipe.send(fleet.ports)
        while True:
            mib = pipe.recv()
            for device in fleet.devices:
                for path in sorted(device.files.real("/sdcard").rglob("*"), reverse=True):
                    path.unlink() if path.is_file() else path.rmdir()
            target = fleet.devices[0].files.real(f"/sdcard/DCIM/{NAME}")
            target.parent.mkdir()
            with target.open("wb") as stream:
                for _ in range(mib):
                    stream.write(block)
            pipe.send("ready")


def _link(pipe: Connection, ports: list[int]) -> None:
    """A shaped way to each port."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in ports]
    for listener, port in zip(listeners, ports, strict=True):
        threading.Thread(target=_accept, args=(listener, port), daemon=True).start()
    pipe.send([listener.getsockname()[1] for listener in listeners])
    pipe.poll(None)


def _accept(listener: socket.socket, port: int) -> None:
    while True:
        here, _ = listener.accept()
        there = socket.create_connection(("127.0.0.1", port))
        for end in (here, there):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for one, other in ((here, there), (there, here)):
            threading.Thread(target=_carry, args=(one, other), daemon=True).start()


def _carry(one: socket.socket, other: socket.socket) -> None:
    saved, at = float(BURST), steady()
    try:
        while data := one.recv(2**16):
            now = steady()
            saved, at = min(BURST, saved + (now - at) * LINK_BPS) - len(data), now
            if saved < 0:
                time.sleep(-saved / LINK_BPS)
            other.sendall(data)
    except OSError:
        pass
    for end in (one, other):
        end.close()


class _Rates:
    """`Progress`: when the first and the last bytes of each stage went through."""

    def __init__(self) -> None:
        self.stages: dict[str, list[tuple[float, int]]] = {}

    def __call__(self, detail: Mapping[str, Any], *, now: bool = False) -> None:
        seen = self.stages.setdefault(str(detail["stage"]), [])
        point = (steady(), int(detail["done_bytes"]))
        # The first, the first with bytes, and the last with more bytes than before it.
        if len(seen) < 2 or point[1] > seen[-1][1]:
            seen[2:] = [point] if len(seen) >= 2 else [*seen[2:], point]

    def of(self, stage: str) -> float:
        _, (began, first), (ended, last) = self.stages[stage]
        return (last - first) / (ended - began)


def _unheard(told: object) -> None:
    """There is no server here that a manifest could be told."""


def _agent(pipe: Connection, ports: list[int], server: int | None, folder: Path) -> None:
    """One transfer by the agent's own engine."""
    from agent.transfer.engine import Engine, Order
    from agent.transfer.store import open_copy
    from agent.transfer.turns import Telling, Turns
    from agent.transport import TransportOptions, open_transport

    kind = "tcp" if server is None else "server"
    options = TransportOptions(adb_server=("127.0.0.1", server or 5037))

    def phone(port: int) -> Any:
        return lambda: open_transport(f"{kind}:127.0.0.1:{port}", options)

    rates = _Rates()
    telling = Telling(rates, steady)
    transfer = "0197f000-0000-7000-8000-000000000001"
    order = Order("c", transfer, ("files",), ("DCIM",), (), 2**50, 1)
    with tempfile.TemporaryDirectory(dir=folder) as root:
        copy = open_copy(Path(root), transfer, os.urandom(32), 1)
        turns = Turns(telling, steady, threading.Event())
        result = Engine(order, copy, phone(ports[0]), phone(ports[1]), turns, [], _unheard).run()
        copy.close()
    assert result.outcome == "verified"
    pipe.send(
        {
            **{stage: rates.of(stage) for stage in ("reading", "writing")},
            "rss_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            "load": os.getloadavg()[0],
        }
    )


def _adb() -> Path | None:
    """The real adb that adbutils carries."""
    spec = importlib.util.find_spec("adbutils")
    return Path(spec.origin).parent / "binaries" / "adb" if spec is not None and spec.origin else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
