import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.simulator import scratch

_PROGRAM = """
import sys
from agent.simulator.files import PhoneFiles
from agent.simulator.scratch import Scratch
scratch = Scratch()
files = PhoneFiles(scratch)
(files.root / "big").write_bytes(b"x")
print(files.root, flush=True)
sys.stdin.read()
scratch.close()
"""


@contextmanager
def simulator(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """A process that keeps files of a phone until its standard input ends; and where."""
    running = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
        cwd=Path(__file__).parents[3],
    )
    with running:
        assert running.stdout is not None
        yield running, Path(running.stdout.readline().strip())


def test_nothing_stays_after_the_end(tmp_path: Path) -> None:
    with simulator(tmp_path) as (_, root):
        assert (root / "big").exists()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_and_what_a_living_one_uses_stays(tmp_path: Path) -> None:
    with simulator(tmp_path) as (_, living):
        with simulator(tmp_path) as (killed, left):
            killed.send_signal(signal.SIGKILL)
        assert (left / "big").exists()
        with simulator(tmp_path) as (_, third):
            assert not left.exists()
            assert (living / "big").exists()
            assert third.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_another_removed_before_it_was_held_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tempfile.mkstemp
    taken: list[Path] = []

    def mkstemp(*, prefix: str, suffix: str) -> tuple[int, str]:
        handle, name = real(suffix, prefix, tmp_path)
        taken.append(Path(name))
        if len(taken) == 1:
            taken[0].unlink()
        return handle, name

    monkeypatch.setattr(tempfile, "mkstemp", mkstemp)
    folder, lock = scratch._make()
    lock.close()
    assert [folder.name + ".lock"] == [path.name for path in tmp_path.glob("*.lock")]
    assert len(taken) == 2
