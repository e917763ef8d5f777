"""The whole way: `make run` as it is, in a copy of the checkout: server, scheduler, agent and simulated phones."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

_ROOT = Path(__file__).resolve().parents[2]
_PARTS = ["agent", "app", "migrations", "policies", "scripts", "gunicorn.conf.py", "wsgi.py"]
_PATIENCE_S = 120
# One phone of the demo cannot be reached, and one is on no list.
_READABLE = 6


@dataclass
class Run:
    """One `make run` in `place`; `lines` is what it printed so far."""

    place: Path
    port: int
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    token: str = ""

    def read_until_up(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if "/enter#" in line:
                self.token = line.rsplit("#", 1)[1].strip()
            if "Ctrl-C" in line:
                return
        pytest.fail("it ended:\n" + "".join(self.lines) + self.logs(), pytrace=False)

    def call(self, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        if body is not None:
            request.add_header("Idempotency-Key", uuid.uuid4().hex)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def items(self, path: str) -> list[Any]:
        found: list[Any] = self.call(path)["items"]
        return found

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def logs(self) -> str:
        files = sorted((self.place / "var" / "demo" / "log").glob("*.log"))
        return "".join(f"== {file.name}\n{file.read_text()[-1500:]}\n" for file in files)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of its own: a run keeps its data beside its code."""
    copy = tmp_path_factory.mktemp("checkout")
    for part in _PARTS:
        source = _ROOT / part
        if source.is_dir():
            shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / part)
    return copy


@pytest.fixture
def start(place: Path) -> Iterator[Callable[[], Run]]:
    started: list[Run] = []

    def run() -> Run:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        process = subprocess.Popen(
            # Should pytest be killed, the run ends with it.
            ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "scripts.run", "--port", str(port)],
            cwd=place,
            env={**environment, "BUTLER_CHECKIN_INTERVAL_S": "5"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(Run(place, port, process))
        started[-1].read_until_up()
        return started[-1]

    yield run
    for one in started:
        one.process.kill()
        one.process.wait()
        assert one.process.stdout is not None
        one.process.stdout.close()


def _wait_for(run: Run, what: str, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not done():
        if time.monotonic() > deadline or run.process.poll() is not None:
            pytest.fail(f"no {what}\n{run.logs()}", pytrace=False)
        time.sleep(0.5)


def _left_over(place: Path) -> list[str]:
    everybody = psutil.process_iter(["cwd", "cmdline"])
    return [" ".join(one.info["cmdline"] or []) for one in everybody if one.info["cwd"] == str(place)]


def _phones_on(run: Run) -> int:
    return int(run.call("power")["on"])


def _judged(run: Run) -> dict[str, str]:
    return {row["handset_id"]: row["status"] for row in run.items("compliance")}


def test_two_runs_from_phone_to_verdict(start: Callable[[], Run], place: Path) -> None:
    first = start()
    _wait_for(first, "phones that are on", lambda: _phones_on(first) >= _READABLE)
    _wait_for(first, "verdicts", lambda: {"pass", "fail"} <= set(_judged(first).values()))
    assert [row["serial"] for row in first.items("sightings")], "the phone that is on no list was not seen"

    # A person asks for a reading now; it goes through queue, signature, agent and phone, and back.
    # Of a phone that is on: the one that nobody reaches is judged too, and its verdict may be the newest.
    handset = next(
        one for one in _judged(first) if first.call(f"handsets/{one}/power")["now"]["state"] == "on"
    )
    command = first.call(f"handsets/{handset}/commands", {"kind": "read_phone"})
    _wait_for(
        first,
        "result of the command",
        lambda: bool(first.call(f"commands/{command['id']}")["state"] == "succeeded"),
    )

    agents = [row["id"] for row in first.items("agents")]
    handsets = {row["serial"] for row in first.items("handsets")}
    assert first.token not in first.logs(), "the access token is in a log"
    assert first.end() == 0
    assert _left_over(place) == []

    second = start()
    assert second.token == first.token
    assert [row["id"] for row in second.items("agents")] == agents
    assert {row["serial"] for row in second.items("handsets")} == handsets
    # The phones lost power with the first run: a new boot of each, and nothing that contradicts the former.
    _wait_for(second, "second boot", lambda: len(second.call(f"handsets/{handset}/power")["boots"]) == 2)
    power = second.call(f"handsets/{handset}/power")
    assert power["now"]["state"] == "on"
    assert power["anomalies"] == []
    assert "unknown" in {interval["state"] for interval in power["intervals"]}
    assert second.end() == 0
    assert _left_over(place) == []
