"""`make` is told to end, and what it started hears of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.parent import Parent
from tests.support.tools import need

_ROOT = Path(__file__).resolve().parents[2]
_CHILD = """
import time
from scripts.parent import Parent
parent = Parent()
assert not parent.wants_end()
print("up", flush=True)
while not parent.wants_end():
    time.sleep(0.02)
print("told", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_make_alone_is_signalled(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "child.py").write_text(_CHILD)
    (tmp_path / "Makefile").write_text(f"run:\n\t@exec {sys.executable} child.py\n")
    with subprocess.Popen(
        # Whoever starts the tests in the background has this signal ignored, and all that they start with it.
        ["env", "--default-signal=INT", need("make"), "--no-print-directory", "run"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(_ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as make:
        assert make.stdout is not None
        assert make.stdout.readline() == "up\n"
        make.send_signal(number)
        # The pipe ends when the child has, which without a word from its parent it never would.
        assert make.stdout.read() == "told\n"
        assert make.wait() == -number


def test_another_parent_is_none_of_its_business() -> None:
    assert not Parent().wants_end()
