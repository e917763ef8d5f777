"""The code typed at a terminal: a person presses Enter and expects something to happen."""

from __future__ import annotations

import io

import pytest

from agent.enrol import read_code

CODE = "https://mdm.example.com#s3cret#" + "0" * 64


class _Keyboard(io.StringIO):
    """A terminal: reading to the end would wait for a Ctrl-D that nobody was told of."""

    def isatty(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> str:
        raise AssertionError(f"waits for the end of the input ({size})")


def test_enter_ends_the_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", _Keyboard(f"{CODE}\nmore"))
    assert str(read_code("-")) == CODE
    out, err = capsys.readouterr()
    assert "请粘贴登记码" in err
    assert "s3cret" not in out + err


def test_a_pipe_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"\n{CODE}\n"))
    assert str(read_code("-")) == CODE
