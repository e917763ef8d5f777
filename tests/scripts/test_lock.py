"""The locked requirements notice that what they were made from has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import lock


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "agent").mkdir()
    for name in lock.INPUTS:
        for file in (Path(name), Path(name).with_suffix(".txt")):
            (tmp_path / file).write_bytes((lock.ROOT / file).read_bytes())
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    return tmp_path


def test_the_committed_locks_are_current(repository: Path) -> None:
    assert lock.check() == 0


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ("requirements-dev.in", ["requirements-dev.txt"]),
        ("requirements.in", ["requirements.txt"]),
        # What a file takes in with -r or -c counts as its own.
        ("agent/requirements.in", ["agent/requirements.txt", "requirements.txt"]),
        ("requirements.txt", ["requirements-dev.txt"]),
    ],
)
def test_a_changed_input_is_noticed(
    repository: Path, capsys: pytest.CaptureFixture[str], changed: str, stale: list[str]
) -> None:
    with (repository / changed).open("a") as file:
        file.write("one-more-package\n")
    assert lock.check() == 1
    told = [line.split()[1] for line in capsys.readouterr().out.splitlines()]
    assert told == stale
