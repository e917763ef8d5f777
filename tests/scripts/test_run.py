"""`make run`'s own variables."""

from __future__ import annotations

import sys

import pytest

from scripts import run


def _main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["run", *arguments])
    # The test's own handlers of signals stay as they are.
    monkeypatch.setattr(run.signal, "signal", lambda *_: None)
    return run.main()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "70000"], "PORT=70000 is not a port: 1 to 65535"),
        (["--port", "http"], "PORT=http is not a port: 1 to 65535"),
        (["--port", ""], "PORT= is not a port: 1 to 65535"),
        (["--demo", "yes"], "DEMO=yes: 1 is with demo phones, 0 without"),
    ],
)
def test_a_wrong_variable_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert _main(monkeypatch, *arguments) == 1
    assert capsys.readouterr().err == f" ✗ {said}\n"
