"""Starting, reviving and ending real processes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import processes
from scripts.processes import Child, Children, once
from scripts.terminal import Stop

_SLEEP = "import time; print('up', flush=True); time.sleep(600)"


@pytest.fixture
def children() -> Iterator[Children]:
    family = Children()
    yield family
    family.end()


def _child(tmp_path: Path, code: str, name: str = "thing") -> Child:
    return Child(name, [sys.executable, "-c", code], dict(os.environ), tmp_path / f"{name}.log")


def _wait_until_ended(child: Child) -> None:
    assert child.process is not None
    child.process.wait(timeout=30)


def _wait_for_line(child: Child, line: str) -> None:
    deadline = time.monotonic() + 30
    while line not in child.log.read_text():
        assert time.monotonic() < deadline, child.log.read_text()
        time.sleep(0.01)


def test_what_dies_is_started_again_once(children: Children, tmp_path: Path) -> None:
    child = children.start(_child(tmp_path, "import sys; print('why it fails'); sys.exit(3)"))
    _wait_until_ended(child)
    children.revive()
    assert child.restarts == 1
    _wait_until_ended(child)
    with pytest.raises(Stop, match=r"thing ended with exit code 3.*\n(.*\n)*why it fails"):
        children.revive()


def test_an_accident_long_after_the_start_is_forgiven(
    children: Children, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_SETTLED_S", 0.0)
    child = children.start(_child(tmp_path, _SLEEP))
    for _ in range(3):
        _wait_for_line(child, "up")
        assert child.process is not None
        child.process.kill()
        _wait_until_ended(child)
        children.revive()
        assert child.running()
        children.revive()
        assert child.restarts == 0


def test_the_end_reaches_everybody_and_the_stubborn_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_GRACE_S", 0.5)
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + _SLEEP
    family = Children()
    both = [
        family.start(_child(tmp_path, code, name))
        for name, code in [("polite", _SLEEP), ("stubborn", stubborn)]
    ]
    for child in both:
        _wait_for_line(child, "up")
    family.end()
    assert [child.exit_code() for child in both] == [-15, -9]


def test_a_failed_command_tells_its_reason(tmp_path: Path) -> None:
    code = "import sys; print('said'); print('reason', file=sys.stderr); sys.exit(2)"
    with pytest.raises(Stop, match="said\nreason"):
        once([sys.executable, "-c", code], dict(os.environ), tmp_path / "once.log")


def test_a_command_hands_back_what_it_printed(tmp_path: Path) -> None:
    assert once([sys.executable, "-c", "print('一')"], dict(os.environ), tmp_path / "once.log") == "一\n"


def test_a_log_is_turned_over_when_it_is_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_LOG_LIMIT", 10)
    log = tmp_path / "x.log"
    log.write_text("older than ten bytes")
    processes.rotate(log)
    assert not log.exists()
    assert (tmp_path / "x.log.1").read_text() == "older than ten bytes"
