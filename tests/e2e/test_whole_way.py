"""The whole way with real processes: ADB wire, agent, signed HTTP, gunicorn, database, verdicts; killed in between."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from tests.support import postgres

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PATIENCE_S = 60


def _until(check: Callable[[], Any], what: str) -> Any:
    """The first true answer of `check`; fails the test when none comes in good time."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            if found := check():
                return found
        time.sleep(0.2)
    pytest.fail(f"waited in vain: {what}")


@dataclass
class House:
    """One server with its database, and one gateway; each can be killed and started again."""

    home: Path
    database_url: str
    port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("BUTLER_")},
            "DATABASE_URL": self.database_url,
            "BUTLER_VAR_DIR": str(self.home / "var"),
            "BUTLER_CHECKIN_INTERVAL_S": "5",
            "ADB_SERVER_SOCKET": "tcp:127.0.0.1:9",  # never this machine's own adb server
        }

    def flask(self, *args: str) -> str:
        command = [str(BIN / "flask"), "--app", "wsgi", *args]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self, name: str, *command: str) -> None:
        with (self.home / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def start_server(self) -> None:
        bind = f"127.0.0.1:{self.port}"
        self.start("server", str(BIN / "gunicorn"), "--workers", "1", "--bind", bind, "wsgi:app")
        _until(lambda: requests.get(f"{self.url}/readyz", timeout=5).ok, "the server is ready")

    def start_agent(self, targets: list[str]) -> None:
        asked = [part for target in targets for part in ("--target", target)]
        agent = [
            sys.executable,
            "-m",
            "agent",
            "run",
            "--server",
            self.url,
            "--no-adb-server",
            "--interval",
            "1",
        ]
        self.start("agent", *agent, *self.agent_state, *asked)

    @property
    def agent_state(self) -> list[str]:
        return ["--state", str(self.home / "agent")]

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def close(self) -> None:
        for name in list(self.processes):
            self.kill(name)


@dataclass
class Api:
    house: House
    token: str

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Idempotency-Key": uuid.uuid4().hex}

    def get(self, path: str) -> Any:
        answer = requests.get(f"{self.house.url}/api/v1{path}", headers=self._headers(), timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = requests.post(
            f"{self.house.url}/api/v1{path}", json=body, headers=self._headers(), timeout=10
        )
        assert answer.ok, answer.text
        return answer.json()


# `make run` goes the same way on SQLite, in a test of its own; both are proved by `make prove`.
_DATABASES = ["postgresql", "sqlite"] if "BUTLER_PROVE_WHOLE_WAY" in os.environ else ["postgresql"]


@pytest.fixture(params=_DATABASES)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'butler.db'}"
        if request.param == "postgresql":
            url = stack.enter_context(postgres.database())
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        made = House(tmp_path, url, port)
        stack.callback(made.close)
        yield made


def _register(api: Api, fleet: Fleet) -> list[str]:
    """A centre whose first two phones are registered and in the hands of one butler; the third is not."""
    company = api.post("/companies", {"name": "示例物业"})["id"]
    district = api.post("/districts", {"company_id": company, "code": "HD", "name": "华东大区"})["id"]
    centre = api.post("/centres", {"district_id": district, "code": "C1", "name": "锦绣花园"})["id"]
    grid = api.post("/grids", {"centre_id": centre, "code": "G1", "name": "一号片区"})["id"]
    post = api.post("/posts", {"centre_id": centre, "grid_id": grid, "code": "P1", "name": "一号片区管家"})[
        "id"
    ]
    butler = api.post("/employees", {"centre_id": centre, "number": "E1", "name": "张三"})["id"]
    since = {"post_id": post, "valid_from": "2026-05-01T00:00:00Z"}
    api.post("/post-holdings", {**since, "employee_id": butler})
    phones = []
    for number, phone in enumerate(fleet.phones[:2], start=1):
        identity = phone.identity
        row = {"centre_id": centre, "asset_tag": f"GJ-{number}", "serial": identity.serial}
        made = api.post("/handsets", {**row, "brand": identity.brand, "model": identity.model})
        phones.append(made["id"])
    api.post("/kit-assignments", {**since, "handset_id": phones[0]})
    return phones


def _boots(api: Api, phone: str) -> dict[str, Any]:
    return {boot["boot_id"]: boot for boot in api.get(f"/handsets/{phone}/power")["boots"]}


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_from_the_wire_to_the_verdict_and_through_every_loss(house: House) -> None:
    house.flask("db", "upgrade")
    house.flask("installation", "init")
    house.start_server()
    api = Api(house, house.flask("installation", "access-token"))
    with Fleet([make_phone(i, seed=77) for i in range(3)]) as fleet:
        phones = _register(api, fleet)
        code = house.flask("agents", "enrol-code", "--centre", "C1", "--name", "前台网关", "--url", house.url)
        enrol = [sys.executable, "-m", "agent", "enrol", "-", *house.agent_state]
        done = subprocess.run(
            enrol, input=code, cwd=ROOT, env=house.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        targets = [f"tcp:127.0.0.1:{port}" for port in fleet.ports]
        house.start_agent(targets)

        # Read, judged, and held by somebody.
        for phone in phones:
            _until(lambda p=phone: api.get(f"/handsets/{p}/power")["now"]["state"] == "on", "the phone is on")
            verdict = api.get(f"/handsets/{phone}/compliance")
            assert verdict["at"] is not None
            assert verdict["findings"]
        held = api.get(f"/handsets/{phones[0]}/custody?at=2026-05-03T12:00:00Z")
        assert "张三" in str(held)
        (stranger,) = _until(lambda: api.get("/sightings")["items"], "the unregistered phone is seen")
        assert stranger["serial"] == fleet.phones[2].identity.serial

        # A command goes down to the phone and its result comes back.
        command = api.post(f"/handsets/{phones[0]}/commands", {"kind": "read_phone"})
        path = f"/commands/{command['id']}"
        _until(lambda: api.get(path)["state"] == "succeeded", "the command succeeded")

        # The gateway dies; one phone restarts unseen, the other runs on. Nobody is accused of it.
        before = [_boots(api, phone) for phone in phones]
        house.kill("agent")
        fleet.reboot(0)
        time.sleep(2)
        house.start_agent(targets)
        _until(lambda: len(_boots(api, phones[0])) == 2, "the new boot is read")
        ran_on = _until(lambda: _later(api, phones[1], before[1]), "the other phone was met again")
        assert _instant(ran_on["started_at"]) <= _instant(next(iter(before[1].values()))["last_proof_at"])
        assert _off_s(api, phones[1]) == 0
        # Its own journal may have marked the restart: off, then, for as long as that took and no longer.
        assert _off_s(api, phones[0]) < 60
        assert api.get("/incidents")["items"] == []

        # The server dies and is away for a while; what was read meanwhile is not lost.
        house.kill("server")
        time.sleep(3)
        house.start_server()
        seen = _boots(api, phones[1])
        _until(lambda: _later(api, phones[1], seen), "readings come again")
        intervals = api.get(f"/handsets/{phones[1]}/power")["intervals"]
        assert [i["state"] for i in intervals if i["state"] != "unknown"] == ["on"]
    house.kill("agent")
    house.kill("server")
    assert "whole" in house.flask("audit", "verify")


def _off_s(api: Api, phone: str) -> float:
    """For how long in all the phone is called off."""
    found = [i for i in api.get(f"/handsets/{phone}/power")["intervals"] if i["state"] == "off"]
    return sum((_instant(i["to"]) - _instant(i["from"])).total_seconds() for i in found)


def _later(api: Api, phone: str, before: dict[str, Any]) -> Any:
    """The phone's only boot once it is proved to run later than `before` says."""
    boots = _boots(api, phone)
    assert boots.keys() == before.keys()
    (boot,) = boots.values()
    (was,) = before.values()
    return boot if _instant(boot["last_proof_at"]) > _instant(was["last_proof_at"]) else None
