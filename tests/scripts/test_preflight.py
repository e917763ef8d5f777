"""Everything that keeps a run from starting is one clear line."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from scripts import preflight
from scripts.place import ROOT
from scripts.terminal import Stop


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test may touch this checkout's own var/."""
    monkeypatch.setattr(preflight, "ROOT", tmp_path)
    for name in [name for name in os.environ if name.startswith("BUTLER_")]:
        monkeypatch.delenv(name)
    return tmp_path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_demo_keeps_apart_from_the_real_data(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://real/data")
    with preflight.checked(_free_port(), demo=True) as place:
        assert place.settings.database_url == f"sqlite:///{elsewhere}/var/demo/butler.db"
        assert "DATABASE_URL" not in place.environment
        assert place.logs.is_dir()
    assert "DATABASE_URL not used" in capsys.readouterr().out


def test_data_may_lie_outside_the_checkout(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUTLER_VAR_DIR", str(elsewhere / "data"))
    with preflight.checked(_free_port(), demo=False) as place:
        assert place.logs == elsewhere / "data" / "log"
        assert place.shown(place.logs) == str(place.logs)
        assert place.shown(ROOT / "var" / "log") == "var/log"


def test_a_taken_port_is_said(elsewhere: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = int(other.getsockname()[1])
        with (
            pytest.raises(Stop, match=f"port {port} is taken.*PORT={port + 1}"),
            preflight.checked(port, demo=True),
        ):
            pass


def test_a_second_run_on_the_same_data_is_refused(elsewhere: Path) -> None:
    with preflight.checked(_free_port(), demo=True):
        second = preflight.checked(_free_port(), demo=True)
        with pytest.raises(Stop, match="already running"):
            second.__enter__()
    with preflight.checked(_free_port(), demo=True):
        pass


def test_a_folder_that_cannot_be_written_is_said(elsewhere: Path) -> None:
    (elsewhere / "var").write_text("a file where the folder should be")
    told = pytest.raises(Stop, match=r"cannot write to .*var/demo: Not a directory")
    with told, preflight.checked(_free_port(), demo=True):
        pass


def test_all_wrong_settings_are_told_at_once(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUTLER_LOG_LEVEL", "loud")
    monkeypatch.setenv("BUTLER_ACESS_TOKEN", "misspelt")
    with pytest.raises(Stop) as told, preflight.checked(_free_port(), demo=True):
        pass
    assert "BUTLER_LOG_LEVEL" in str(told.value)
    assert "did you mean BUTLER_ACCESS_TOKEN?" in str(told.value)


def test_production_has_no_demo(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "BUTLER_ENV": "production",
        "PUBLIC_URL": "https://phones.example.cn",
        "BUTLER_ACCESS_TOKEN": "abcdefghijklmnopqrstuvwxyz0123456789",
        "BUTLER_SECRET_KEY": "9876543210zyxwvutsrqponmlkjihgfedcba",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Stop, match="make run DEMO=0"), preflight.checked(_free_port(), demo=True):
        pass
