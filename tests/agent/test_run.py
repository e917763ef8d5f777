from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent import wire
from agent.adbkey import load_or_create
from agent.database import Database
from agent.enrol import enrol
from agent.inbox import receive
from agent.instant import site_clock
from agent.main import main
from agent.simulator.faults import Fault, FaultKind, FaultPoint
from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.state import State
from tests.agent.stub_server import AGENT_ID, Stub
from tests.support import adb as real_adb

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "adbkey"
    load_or_create(path)
    return path


class Desk:
    def __init__(self, stub: Stub, state: State, key: Path) -> None:
        self.stub, self.state, self.key = stub, state, key

    def enrol(self, kind: Any = "gateway") -> None:
        enrol(self.state, wire.EnrolmentCode.parse(self.stub.code()), name="n", kind=kind)
        self.stub.seen.clear()

    def argv(self, *options: str, adb: bool = False) -> list[str]:
        fixed = ["run", "--state", str(self.state.path), "--adb-key", str(self.key)]
        return [*fixed, *([] if adb else ["--no-adb-server"]), *options]

    def once(self, *options: str) -> int:
        return main(self.argv("--once", *options))

    @contextmanager
    def started(self, *options: str, adb: bool = False) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "agent", *self.argv(*options, adb=adb)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture
def desk(stub: Stub, state: State, key: Path) -> Desk:
    return Desk(stub, state, key)


def targets(fleet: Fleet) -> list[str]:
    return [word for port in fleet.ports for word in ("--target", f"tcp:127.0.0.1:{port}")]


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, err = process.communicate(timeout=15)
    return process.returncode, err


# --- one round --------------------------------------------------------------------


def test_once_enrols_reads_and_reports(desk: Desk, tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.write_text(desk.stub.code())
    with Fleet([make_phone(n) for n in range(3)]) as fleet:
        fleet.set_fault(2, Fault(FaultKind.REFUSE))
        assert desk.once("--server", desk.stub.url, "--enrol-code-file", str(code), *targets(fleet)) == 0
        serials = {fleet.phones[n].identity.serial for n in range(2)}
    assert {r["phone"] for r in desk.stub.entries("readings")} == serials
    assert [u["reason"] for u in desk.stub.entries("unreached")] == ["unreachable"]
    accounts = [r["sections"]["accounts"] for r in desk.stub.entries("readings")]
    assert any("name_hmac" in account for found in accounts for account in found), (
        "keyed from the first reading on"
    )
    last = list(desk.stub.counted.values())[-1]
    assert last["agent"]["targets"] == 3
    assert last["agent"]["adb_server"] is None


def test_once_tells_when_the_server_is_away_and_keeps_everything(desk: Desk) -> None:
    desk.enrol()
    desk.stub.faults = [500] * 2
    with Fleet([make_phone(0)]) as fleet:
        assert desk.once(*targets(fleet)) == 6
        assert desk.once(*targets(fleet)) == 0
    assert len(desk.stub.entries("readings")) == 2
    assert desk.stub.entries("readings")[0]["age_s"] > desk.stub.entries("readings")[1]["age_s"]


def test_once_carries_out_the_commands_that_came(desk: Desk) -> None:
    desk.enrol()
    with Fleet([make_phone(0)]) as fleet:
        command = wire.Command("c1", "read_phone", AGENT_ID, fleet.phones[0].identity.serial, (), {}, 60)
        desk.stub.commands = [wire.seal_command(command, desk.stub.command_key)]
        assert desk.once(*targets(fleet)) == 0
    assert [(r["id"], r["state"], r["detail"]) for r in desk.stub.entries("results")] == [
        ("c1", "succeeded", {"reading": True})
    ]
    assert len(desk.stub.entries("readings")) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "not enrolled"),
        (("--enrol-code-file", "/nonexistent"), "cannot read the enrolment code"),
        (("--server", "http://mdm.example.com"), "use https"),
        (("--target", "10.0.0.7"), "not enrolled"),
    ],
)
def test_what_cannot_start_says_why(
    desk: Desk, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    assert desk.once(*options) == 2
    assert said in capsys.readouterr().err


def test_a_server_that_moved_is_followed(desk: Desk) -> None:
    desk.enrol()
    moved = desk.stub.url.replace("127.0.0.1", "localhost")
    assert desk.once("--server", moved) == 0
    identity = desk.state.identity()
    assert identity
    assert identity.server_url == moved
    assert len(desk.stub.seen) == 2


def test_a_bad_target_is_refused(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.enrol()
    assert desk.once("--target", "10.0.0.7") == 2
    assert "10.0.0.7" in capsys.readouterr().err


def test_a_code_for_another_server_than_the_one_named_is_refused(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "code").write_text(desk.stub.code())
    options = ("--server", "https://other.example.com", "--enrol-code-file", str(tmp_path / "code"))
    assert desk.once(*options) == 2
    assert "another server" in capsys.readouterr().err
    assert desk.stub.seen == []


def test_a_key_that_cannot_be_used_is_said_and_counts_against_no_phone(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.enrol()
    desk.key = tmp_path / "adbkey"
    desk.key.write_text("no key")
    desk.key.chmod(0o600)
    with Fleet([make_phone(0)]) as fleet:
        assert desk.once(*targets(fleet)) == 0
    assert [u["reason"] for u in desk.stub.entries("unreached")] == ["unauthorized"]
    said = capsys.readouterr().err
    assert "no unencrypted PEM key" in said
    assert "Traceback" not in said


def test_once_answers_a_command_that_a_killed_run_had_begun(desk: Desk) -> None:
    desk.enrol()
    database = Database(desk.state.spool)
    with database.transaction() as db:
        command = wire.Command("c1", "read_phone", AGENT_ID, "S1", (), {}, 60)
        receive(db, [command], site_clock().now())
        db.execute("UPDATE command SET state = 'started'")
    database.close()
    assert desk.once() == 0
    assert [(r["id"], r["state"]) for r in desk.stub.entries("results")] == [("c1", "not_now")]


# --- running on ---------------------------------------------------------------------


def test_it_goes_on_and_ends_cleanly_when_told_although_a_phone_hangs(desk: Desk) -> None:
    desk.enrol()
    with Fleet([make_phone(n) for n in range(2)]) as fleet:
        fleet.set_fault(1, Fault(FaultKind.HANG, FaultPoint.OPEN))
        with desk.started("--interval", "1", *targets(fleet)) as process:
            serial = fleet.phones[0].identity.serial
            desk.stub.wait_until("a reading", lambda: serial in str(desk.stub.entries("readings")))
            process.send_signal(signal.SIGTERM)
            code, err = ended(process)
    assert code == 0
    assert "Traceback" not in err


def test_names_of_accounts_are_keyed_from_the_first_reading_on(desk: Desk) -> None:
    desk.enrol()
    desk.stub.faults = ["slow"]
    phones = [phone for phone in (make_phone(n) for n in range(30)) if phone.accounts][:3]
    with Fleet(phones) as fleet, desk.started(*targets(fleet)):
        desk.stub.wait_until("readings", lambda: len(desk.stub.entries("readings")) >= len(phones))
    for reading in desk.stub.entries("readings"):
        assert all("name_hmac" in account for account in reading["sections"]["accounts"])


def test_a_command_is_answered_promptly(desk: Desk) -> None:
    desk.enrol()
    desk.stub.interval_s = 3600
    with Fleet([make_phone(0)]) as fleet, desk.started(*targets(fleet)) as process:
        desk.stub.wait_until("a reading", lambda: desk.stub.entries("readings"))
        process.kill()
        process.wait()
        command = wire.Command("c1", "read_phone", AGENT_ID, fleet.phones[0].identity.serial, (), {}, 60)
        desk.stub.commands = [wire.seal_command(command, desk.stub.command_key)]
        with desk.started(*targets(fleet)):
            desk.stub.wait_until("the result", lambda: desk.stub.entries("results"))
    assert desk.stub.entries("results")[0]["state"] == "succeeded"


def test_an_agent_that_was_revoked_stops_with_a_clear_line(desk: Desk) -> None:
    desk.enrol()
    with desk.started("--interval", "1") as process:
        desk.stub.wait_until("contact", lambda: desk.stub.seen)
        desk.stub.agents[AGENT_ID] = b"revoked"
        process.kill()
        process.wait()
    with desk.started("--interval", "1") as process:
        code, err = ended(process)
    assert code == 7
    assert "agent_revoked" in err
    assert "Traceback" not in err


def test_a_second_agent_on_the_same_state_is_refused(desk: Desk) -> None:
    desk.enrol()
    with desk.started() as first:
        desk.stub.wait_until("contact", lambda: desk.stub.seen)
        with desk.started() as second:
            code, err = ended(second)
        assert first.poll() is None
    assert code == 2
    assert "another agent is running" in err


def test_killed_in_mid_work_it_goes_on_where_it_was(desk: Desk) -> None:
    desk.enrol()
    with Fleet([make_phone(n) for n in range(5)]) as fleet:
        for _ in range(3):
            desk.stub.faults = ["lost", 500]
            before = len(desk.stub.headers)
            with desk.started("--interval", "1", *targets(fleet)) as process:
                desk.stub.wait_until("two tries", lambda: len(desk.stub.headers) >= before + 2)  # noqa: B023
                process.kill()
                process.wait()
        desk.stub.faults = []
        assert desk.once(*targets(fleet)) == 0
    seen = [(r["phone"], r["uptime_s"]) for r in desk.stub.entries("readings")]
    assert len(seen) == len(set(seen))
    assert len({phone for phone, _ in seen}) == 5


def test_a_phone_that_was_adopted_meanwhile_is_read_without_a_restart(desk: Desk) -> None:
    from agent.targets import add_target

    desk.enrol()
    with Fleet([make_phone(0)]) as fleet, desk.started("--interval", "1"):
        desk.stub.wait_until("contact", lambda: desk.stub.seen)
        add_target(desk.state.targets, f"tcp:127.0.0.1:{fleet.ports[0]}")
        desk.stub.wait_until("its reading", lambda: desk.stub.entries("readings"))


# --- a real adb server -----------------------------------------------------------------


def test_phones_of_the_local_adb_server_are_followed(desk: Desk, tmp_path: Path) -> None:
    binaries = real_adb.binaries()
    if not binaries:
        pytest.skip("no adb binary on this machine")
    desk.enrol()
    desk.stub.interval_s = 5
    with (
        Fleet([make_phone(0)]) as fleet,
        real_adb.running_server(next(iter(binaries.values())), tmp_path) as server,
    ):
        options = ("--interval", "1", "--adb-server", f"tcp:127.0.0.1:{server.port}")
        with desk.started(*options, adb=True):
            desk.stub.wait_until("contact", lambda: desk.stub.seen)
            serial = server.connect(fleet.ports[0])
            desk.stub.wait_until("its reading", lambda: desk.stub.entries("readings"))
        reading = desk.stub.entries("readings")[0]
    assert reading["target"] == f"server:{serial}"
    assert reading["phone"] == fleet.phones[0].identity.serial
    assert list(desk.stub.counted.values())[-1]["agent"]["adb_server"] is True


# --- on the phone itself -----------------------------------------------------------------


def test_on_the_phone_itself_it_reads_its_own_by_loopback(desk: Desk) -> None:
    desk.enrol("self")
    with Fleet([make_phone(0)]) as fleet:
        assert desk.once(*targets(fleet)) == 0
    (reading,) = desk.stub.entries("readings")
    assert reading["grade"] == "self"


@pytest.mark.parametrize("target", ["tcp:10.0.0.7:5555", "server:ABC"])
def test_on_the_phone_itself_it_refuses_any_other(
    desk: Desk, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    desk.enrol("self")
    assert desk.once("--target", target) == 2
    assert "reads only" in capsys.readouterr().err
    assert desk.stub.seen == []


def test_on_the_phone_itself_neither_adb_server_nor_file_add_targets(desk: Desk) -> None:
    from agent.targets import add_target

    desk.enrol("self")
    add_target(desk.state.targets, "tcp:10.0.0.7:5555")
    code = main([*desk.argv("--once", "--connect-timeout", "0.2", adb=True), "--target", "tcp:127.0.0.1:1"])
    assert code == 0
    assert [u["target"] for u in desk.stub.entries("unreached")] == ["tcp:127.0.0.1:1"]


# --- it stands alone -----------------------------------------------------------------------

ALONE = """
import importlib, json, pathlib, re, sys
lines = pathlib.Path("agent/requirements.txt").read_text().splitlines()
allowed = {re.split(r"[=\\s]", line)[0].lower().replace("-", "_") for line in lines if line[:1].isalpha()}
from importlib.metadata import packages_distributions
owners = {top: {d.lower().replace("-", "_") for d in dists} for top, dists in packages_distributions().items()}
class Block:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in {"app", "flask", "sqlalchemy", "tests"} or (top in owners and not owners[top] & allowed):
            raise ModuleNotFoundError(f"{name} is not installed with the agent")
sys.meta_path.insert(0, Block())
names = [".".join(p.with_suffix("").parts) for p in sorted(pathlib.Path("agent").rglob("*.py"))]
names = [n.removesuffix(".__init__") for n in names if "simulator" not in n and not n.endswith("__main__")]
for name in names:
    importlib.import_module(name)
print(json.dumps(names))
"""


def test_every_module_imports_with_the_agents_own_packages_alone() -> None:
    found = subprocess.run(
        [sys.executable, "-c", ALONE], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert {"agent.run", "agent.adopt", "agent.label", "agent.adbserver"} <= set(json.loads(found.stdout))


def test_it_runs_without_the_simulator(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "agent", tmp_path / "agent", ignore=shutil.ignore_patterns("simulator", "__pycache__")
    )
    command = [sys.executable, "-m", "agent", "--help"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "adopt" in ran.stdout
    assert "simulate" not in ran.stdout


def test_no_secret_is_in_the_log(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "code").write_text(desk.stub.code("s3cret-token"))
    desk.stub.tokens["s3cret-token"] = None
    phone = make_phone(4)
    with Fleet([phone]) as fleet:
        argv = desk.argv("--once", "--verbose", "--enrol-code-file", str(tmp_path / "code"), *targets(fleet))
        command = [sys.executable, "-m", "agent", *argv]
        ran = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, env=dict(os.environ), check=True
        )
    assert "phone read" in ran.stderr
    for secret in ("s3cret-token", *(account.name for account in phone.accounts)):
        assert secret not in ran.stderr + ran.stdout
