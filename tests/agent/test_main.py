"""The command line as a whole: what a person at a terminal meets."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent import wire
from agent.enrol import enrol
from agent.main import main
from agent.simulator.faults import Fault, FaultKind, FaultPoint
from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.simulator.state import AuthMode
from agent.state import State
from tests.agent.stub_server import Stub

ROOT = Path(__file__).parents[2]


def snapshot(*options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "agent", "snapshot", *options]
    pipe = subprocess.PIPE
    # Whoever starts the tests in the background has this signal ignored, and all that they start with it.
    heard = ["env", "--default-signal=INT"]
    return subprocess.Popen([*heard, *command], stdout=pipe, stderr=pipe, text=True, cwd=ROOT)


def test_ctrl_c_ends_in_one_line() -> None:
    phone = make_phone(0)
    phone.auth = AuthMode.OPEN
    with Fleet([phone]) as fleet:
        fleet.set_fault(0, Fault(FaultKind.HANG, FaultPoint.OPEN))
        with snapshot(f"tcp:127.0.0.1:{fleet.ports[0]}") as process:
            while not fleet.devices[0].counters.opens:
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=15)
    assert (process.returncode, said) == (130, "已中断 · interrupted\n")


def test_a_reader_that_goes_away_is_no_error_of_ours() -> None:
    phone = make_phone(0)
    phone.auth = AuthMode.OPEN
    with Fleet([phone]) as fleet, snapshot(f"tcp:127.0.0.1:{fleet.ports[0]}") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 141


def test_a_spool_that_cannot_be_used_now_may_be_tried_again_by_the_service_manager(
    stub: Stub, state: State, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(state, wire.EnrolmentCode.parse(stub.code()), name="n", kind="gateway")
    state.spool.mkdir()
    assert main(["run", "--state", str(state.path), "--no-adb-server"]) == 1
    assert "cannot open the spool" in capsys.readouterr().err


def test_an_unusable_key_is_a_bad_argument(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "key"
    key.write_text("no key")
    key.chmod(0o600)
    with Fleet([make_phone(0)]) as fleet:
        assert main(["snapshot", f"tcp:127.0.0.1:{fleet.ports[0]}", "--adb-key", str(key)]) == 2
    assert str(key) in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        ("--interval", "0"),
        ("--interval", "x"),
        ("--concurrency", "0"),
        ("--concurrency", "1.5"),
        ("--phone-deadline", "nan"),
        ("--phone-deadline", "-1"),
        ("--connect-timeout", "inf"),
        ("--auth-wait", "-1"),
    ],
)
def test_numbers_out_of_range_are_bad_arguments(
    options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["run", "--once", *options])
    assert caught.value.code == 2
    assert re.search(
        f"argument {options[0]}: '{options[1]}'：须为 [0-9.]+ 到 [0-9]+", capsys.readouterr().err
    )
