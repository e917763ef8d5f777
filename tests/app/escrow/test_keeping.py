"""Keys: set up once, changed while it serves, killed anywhere, lost and recovered."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.audit import AuditRow
from app.escrow import filing, keeping
from app.escrow.keyring_rules import KekState
from app.escrow.model import EscrowHead, SecretVersion
from app.escrow.sealing import open_escrow
from app.kernel.db import begin_write, db
from app.kernel.errors import Conflict, Unavailable
from app.kernel.tenancy import SYSTEM
from app.registry import Handset

PINS = [f"{n * 7919 + 260_413:06d}" for n in range(12)]


@contextmanager
def writing(app: Flask, *, commits: bool = True) -> Iterator[Any]:
    with app.app_context():
        session = begin_write(db.session())
        try:
            yield session
            if commits:
                session.commit()
        finally:
            session.rollback()
            db.session.remove()


@pytest.fixture
def filed(app: Flask, kit: Any, org: Any, clock: Any) -> Any:
    """A dozen phones with their PINs."""
    here = app.extensions["butler"]
    stamp = {"created_at": clock.now(), "updated_at": clock.now()}
    with writing(app) as session:
        for number, pin in enumerate(PINS):
            phone = Handset(
                centre_id=org.centre,
                asset_tag=f"R-{number}",
                serial=f"R{number}",
                brand="x",
                model="y",
                **stamp,
            )
            session.add(phone)
            session.flush()
            wanted = filing.Filed("handset", phone.id, "screen_lock", pin, in_force=True)
            filing.file_secret(
                session, SYSTEM, wanted, vault=here.vault, policies=here.policies, now=clock.now()
            )
    return kit


def run(app: Flask, *arguments: str, said: str | None = None) -> Any:
    with app.app_context():
        db.session.remove()
    answer = FlaskCliRunner(app).invoke(args=["escrow", *arguments], input=said)
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer


def keks_in_use(app: Flask) -> set[int]:
    with app.app_context():
        found = set(db.session.scalars(select(SecretVersion.kek_id)))
        db.session.remove()
    return found


def states_of(app: Flask) -> list[str]:
    return [str(k.state) for k in app.extensions["butler"].vault.opened().ring.keks]


def test_keys_are_made_once(app: Flask, kit: Any, clock: Any) -> None:
    here = app.extensions["butler"]
    with writing(app) as session, pytest.raises(Conflict):
        keeping.set_up(session, here.vault, None, clock.now())
    assert run(app, "init").exit_code == 1
    here.vault.path.unlink()
    assert run(app, "init").exit_code == 1, "nor when the keyring was lost"
    assert run(app, "verify").exit_code == 1


def test_rotating(app: Flask, filed: Any) -> None:
    answer = run(app, "rotate")
    assert (answer.exit_code, f"key 2: {len(PINS)} records" in answer.output) == (0, True), answer.output
    assert keks_in_use(app) == {2}
    assert states_of(app) == ["decrypt_only", "active"]
    assert f"{len(PINS)} records open" in run(app, "verify").output
    assert run(app, "rotate", "--destroy", "2").exit_code == 1
    assert run(app, "rotate", "--destroy", "1").exit_code == 0
    assert states_of(app) == ["destroyed", "active"]
    assert run(app, "rotate").exit_code == 0
    assert keks_in_use(app) == {3}
    assert run(app, "drill", said=f"{filed.recovery}\n").exit_code == 0
    assert "key 3\tactive\t12 records" in run(app, "status").output


def test_a_damaged_record_is_named_and_left(app: Flask, filed: Any) -> None:
    with writing(app) as session:
        row = session.scalars(select(SecretVersion).limit(1)).one()
        spoilt = row.record[:30] + bytes([row.record[30] ^ 1]) + row.record[31:]
        session.execute(update(SecretVersion).where(SecretVersion.id == row.id).values(record=spoilt))
    answer = run(app, "verify")
    assert answer.exit_code == 1
    assert "11 records open" in answer.output
    assert "v1: wrap" in answer.output
    with app.app_context():
        assert db.session.scalar(select(AuditRow.object).where(AuditRow.action == "escrow.tampered"))
        db.session.remove()
    answer = run(app, "rotate")
    assert answer.exit_code == 1
    assert keks_in_use(app) == {1, 2}
    assert run(app, "rotate").exit_code == 1
    assert states_of(app) == ["decrypt_only", "active"], "no further key while records are left"
    assert run(app, "rotate", "--anyway").exit_code == 1
    assert keks_in_use(app) == {1, 3}


def killed_at(app: Flask, step: int, work: Callable[[], object]) -> bool:
    """Do the work in a child that kills itself outright at the given step; False when it came to its end before.

    Steps lie before and after each file that is put in its place, and each commit.
    """
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    child = os.fork()
    if child == 0:
        left = [step]
        Path.rename = _ticking(Path.rename, left)  # type: ignore[method-assign]
        Session.commit = _ticking(Session.commit, left)  # type: ignore[method-assign]
        try:
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _ticking(whole: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
    def tick() -> None:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def call(*args: Any, **kwargs: Any) -> Any:
        tick()
        done = whole(*args, **kwargs)
        tick()
        return done

    return call


def test_killed_at_each_step_of_a_rotation(app: Flask, filed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "_BATCH", 5)
    step, killed = 0, 0
    while killed_at(app, step, lambda: run(app, "rotate")):
        killed += 1
        answer = run(app, "verify")
        assert (answer.exit_code, "12 records open" in answer.output) == (0, True), answer.output
        assert run(app, "rotate").exit_code == 0
        in_use = keks_in_use(app)
        assert len(in_use) == 1
        ring = app.extensions["butler"].vault.opened().ring
        assert in_use == {ring.active.kek_id}
        assert ring.in_state(KekState.PENDING) is None
        assert run(app, "drill", said=f"{filed.recovery}\n").exit_code == 0
        step += 1
    # Two files and four commits at least: the new key, its activation, the head, three batches and the last, empty one.
    assert killed >= 14


def test_killed_while_it_is_set_up(app: Flask, org: Any, tmp_path: Path) -> None:
    """No step leaves an escrow whose recovery key nobody ever saw, and the next try always succeeds."""
    step = 0
    while True:
        paper = tmp_path / f"recovery-{step}"
        if not killed_at(
            app, step, lambda paper=paper: run(app, "init", "--own-key", "--recovery-file", str(paper))
        ):
            break
        with app.app_context():
            set_up = db.session.get(EscrowHead, 1) is not None
            db.session.remove()
        assert not set_up or paper.exists()
        if set_up:
            assert run(app, "drill", "--recovery-file", str(paper)).exit_code == 0
            with writing(app) as session:
                session.execute(delete(EscrowHead))
        step += 1
    assert step >= 6
    assert run(app, "drill", "--recovery-file", str(paper)).exit_code == 0


def test_it_serves_while_keys_change(app: Flask, filed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers with a keyring read before the change, during and after it: none fails."""
    monkeypatch.setattr(keeping, "_BATCH", 2)
    over, read, failed = threading.Event(), [0], []

    def reader() -> None:
        with app.app_context():
            while not over.is_set():
                here = app.extensions["butler"]
                try:
                    result = keeping.verify(db.session(), open_escrow(db.session(), here.vault))
                    read[0] += result.opened
                    failed.extend(result.broken)
                finally:
                    db.session.rollback()
            db.session.remove()

    thread = threading.Thread(target=reader)
    thread.start()
    try:
        for _ in range(4):
            assert run(app, "rotate").exit_code == 0
    finally:
        over.set()
        thread.join()
    assert failed == []
    assert read[0] > 0


def test_two_rotations_at_once(app: Flask, filed: Any) -> None:
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(run(app, "rotate"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [a.exit_code for a in answers] == [0, 0]
    assert len(keks_in_use(app)) == 1
    assert "12 records open" in run(app, "verify").output


def test_an_older_keyring_is_refused(app: Flask, filed: Any) -> None:
    """Restored from a backup before the last change: it would seal with a key that is to be forgotten."""
    here = app.extensions["butler"]
    old = here.vault.path.read_bytes()
    assert run(app, "rotate").exit_code == 0
    here.vault.path.write_bytes(old)
    with writing(app, commits=False) as session, pytest.raises(Unavailable) as caught:
        open_escrow(session, here.vault)
    assert caught.value.code == "keyring_old"
    assert ready(app) == (503, "keyring_old"), "a balancer takes this process out"
    answer = run(app, "drill", said=f"{filed.recovery}\n")
    assert (answer.exit_code, "keyring_old" in answer.output) == (1, True)


def test_who_is_ready(app: Flask, filed: Any) -> None:
    """Sealed, or with its keyring gone or damaged, all but passwords is served; an old one is known sealed too."""
    here = app.extensions["butler"]
    old = here.vault.path.read_bytes()
    assert run(app, "rotate").exit_code == 0
    good = here.vault.path.read_bytes()
    assert ready(app) == (200, "")
    assert run(app, "seal").exit_code == 0
    assert ready(app) == (200, "")
    here.vault.path.write_bytes(old)
    assert ready(app) == (503, "keyring_old")
    here.vault.path.write_bytes(good[:-9])
    assert ready(app) == (200, "")
    here.vault.path.unlink()
    assert ready(app) == (200, "")
    here.vault.path.write_bytes(good)
    with writing(app) as session:
        session.execute(update(EscrowHead).values(root_id="0" * 64))
    assert ready(app) == (503, "keyring_foreign")


def ready(app: Flask) -> tuple[int, str]:
    answer = app.test_client().get("/readyz", base_url="http://127.0.0.1")
    return answer.status_code, answer.json.get("code", "")


def test_a_foreign_keyring_is_refused(app: Flask, filed: Any, tmp_path: Path) -> None:
    here = app.extensions["butler"]
    with writing(app, commits=False) as session:
        session.execute(update(EscrowHead).values(root_id="0" * 64))
        with pytest.raises(Unavailable) as caught:
            open_escrow(session, here.vault)
    assert caught.value.code == "keyring_foreign"


def test_lost_root(app: Flask, filed: Any) -> None:
    here = app.extensions["butler"]
    assert run(app, "seal").exit_code == 0
    assert run(app, "seal").exit_code == 1
    assert run(app, "verify").exit_code == 1
    assert run(app, "unseal", said="x\n").exit_code == 1, "there is no passphrase"
    # Another letter than the one that stands there: a fixed one would be the right key once in a while.
    other = "B" if filed.recovery[-6] == "A" else "A"
    near = filed.recovery[:-6] + other + filed.recovery[-5:]
    for wrong in ("nonsense", "BUTLER-RECOVERY-1-AAAA", near):
        answer = run(app, "recover", said=f"{wrong}\n")
        assert answer.exit_code == 1
        assert wrong not in answer.output
    assert run(app, "drill", said=f"{filed.recovery.lower()}\n").exit_code == 0
    assert not here.vault.root_file.exists(), "a drill writes nothing"
    assert run(app, "recover", said=f"{filed.recovery}\n").exit_code == 0
    assert "12 records open" in run(app, "verify").output
    words = "correct horse battery"
    assert run(app, "passphrase", said="short\nshort\n").exit_code == 1
    assert run(app, "passphrase", said=f"{words}\n{words}\n").exit_code == 0
    assert run(app, "seal").exit_code == 0
    answer = run(app, "unseal", said="correct horse batterz\n")
    assert (answer.exit_code, "wrong_passphrase" in answer.output) == (1, True)
    assert run(app, "unseal", said=f"{words}\n").exit_code == 0
    assert "12 records open" in run(app, "verify").output


def test_set_up_with_a_passphrase_is_sealed(app: Flask, org: Any) -> None:
    words = "correct horse battery"
    answer = run(app, "init", "--passphrase", said=f"{words}\n{words}\n")
    assert (answer.exit_code, "BUTLER-RECOVERY-1-" in answer.output) == (0, True)
    assert run(app, "status").exit_code == 1
    assert run(app, "unseal", said=f"{words}\n").exit_code == 0
    assert run(app, "status").exit_code == 0


def test_keys_go_apart_from_data(app: Flask, filed: Any, tmp_path: Path) -> None:
    settings = app.extensions["butler"].settings
    full = tmp_path / "full"
    full.mkdir()
    (full / "backup").write_text("x")
    for place in (settings.var_dir, settings.var_dir / "keys-copy", settings.var_dir.parent, full):
        assert run(app, "export", str(place)).exit_code == 1, place
    apart = tmp_path / "apart"
    assert run(app, "export", str(apart)).exit_code == 0
    vault = app.extensions["butler"].vault
    assert (apart / "keyring.json").read_bytes() == vault.path.read_bytes()
    assert vault.root_file.read_bytes().strip() not in (apart / "keyring.json").read_bytes()
    vault.path.unlink()
    assert run(app, "drill", said=f"{filed.recovery}\n").exit_code == 1
    vault.path.write_bytes((apart / "keyring.json").read_bytes())
    assert "12 records open" in run(app, "drill", said=f"{filed.recovery}\n").output
