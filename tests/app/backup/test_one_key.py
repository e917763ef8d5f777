"""One recovery key on paper opens the escrow and the backups, whichever of the two was set up first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from flask import Flask

from app.kernel import recovery

Run = Callable[..., Any]
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def run(app: Flask, org: Any) -> Run:
    def invoke(*arguments: object, said: str = "", code: int = 0) -> str:
        done = app.test_cli_runner().invoke(args=[str(part) for part in arguments], input=said)
        assert done.exit_code == code, done.output
        return str(done.output)

    return invoke


def opens_both(run: Run, tmp_path: Path, paper: Path) -> None:
    run("backup", tmp_path / "backups")
    [folder] = (tmp_path / "backups").glob("butler-backup-*")
    assert "opens" in run("backup", "check", folder, "--recovery-file", paper)
    assert "0 records open" in run("escrow", "drill", "--recovery-file", paper)


def test_the_escrow_first(run: Run, tmp_path: Path, app: Flask) -> None:
    paper = tmp_path / "sheet.txt"
    run("escrow", "init", "--recovery-file", paper)
    page = paper.read_text("utf-8")
    assert page.startswith("恢复密钥")
    assert paper.stat().st_mode & 0o077 == 0
    opens_both(run, tmp_path, paper)
    assert "已存在" in run("backup", "init-key", code=1)
    (app.extensions["butler"].settings.key_dir / "recovery.pub").unlink()
    assert "BUTLER-RECOVERY" not in run("backup", "init-key"), "the escrow's serves again"
    run("backup", "check", *(tmp_path / "backups").glob("butler-backup-*"), "--recovery-file", paper)


def test_the_backups_first(run: Run, tmp_path: Path) -> None:
    key = run("backup", "init-key").strip()
    near = recovery.text_of(X25519PrivateKey.generate())
    for wrong in (near, "nonsense"):
        answer = run("escrow", "init", said=f"{wrong}\n", code=1)
        assert wrong not in answer
    assert key not in run("escrow", "init", said=f"{key.lower()}\n"), "whoever typed it has it"
    paper = tmp_path / "key.txt"
    paper.write_text(key)
    opens_both(run, tmp_path, paper)


def test_two_keys_for_who_wants_them(run: Run, tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.write_text(run("backup", "init-key"))
    second = tmp_path / "second"
    run("escrow", "init", "--own-key", "--recovery-file", second)
    run("escrow", "drill", "--recovery-file", second)
    assert "wrong_recovery_key" in run("escrow", "drill", "--recovery-file", first, code=1)
    run("backup", tmp_path / "backups")
    [folder] = (tmp_path / "backups").glob("butler-backup-*")
    run("backup", "check", folder, "--recovery-file", first)
    run("backup", "check", folder, "--recovery-file", second, code=1)
