"""The drill of docs/backup.md, on both databases: back up, lose everything, restore; and how it is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from app.audit import AuditEvent, record, verify
from app.audit.model import AuditRow
from app.backup import database, making, restoring
from app.kernel.db import begin_write, db
from app.registry.model import Employee
from tests.support import postgres, tools

BIG = b"\xff\x00" * 3000


class House:
    """An installation with an employee, two blobs, events, and a recovery key."""

    def __init__(self, make_app, url, tmp_path, clock):
        if url.startswith("postgresql"):
            tools.need("postgresql")
        self.make_app, self.clock, self.tmp = make_app, clock, tmp_path
        self.app, self.place = make_app(url), tmp_path / "backups"
        self.settings = self.app.extensions["butler"].settings
        self.key = tmp_path / "recovery.txt"

    def run(self, *arguments, app=None):
        return (app or self.app).test_cli_runner().invoke(args=[str(part) for part in arguments])

    def ok(self, *arguments, app=None):
        done = self.run(*arguments, app=app)
        assert done.exit_code == 0, done.output
        return done.output

    def note(self, app=None):
        with (app or self.app).app_context():
            session = begin_write(db.session())
            record(session, AuditEvent(at=self.clock.move(1), actor="a", action="x.y", object="o:1"))
            session.commit()
            db.session.remove()

    def backup(self):
        self.clock.move(60)
        self.ok("backup", self.place)
        return max(self.place.glob("butler-backup-*"))


@pytest.fixture
def house(make_app, database_url, tmp_path, clock, org, monkeypatch):
    monkeypatch.setattr("app.kernel.blobs.INLINE_LIMIT", 1000)
    found = House(make_app, database_url, tmp_path, clock)
    found.key.write_text(found.ok("backup", "init-key"))
    with found.app.app_context():
        session = begin_write(db.session())
        blobs = found.app.extensions["butler"].blobs
        found.blobs = {blobs.put(session, data, "image/jpeg", clock.now()): data for data in (BIG, b"small")}
        session.commit()
        db.session.remove()
    found.note()
    found.note()
    return found


@pytest.fixture
def elsewhere(make_app, database_url, tmp_path):
    """`elsewhere()`: a new machine with an empty database of the same kind."""
    with postgres.database() if database_url.startswith("postgresql") else _file(tmp_path) as url:

        def make():
            return make_app(url, init=False, BUTLER_VAR_DIR=str(tmp_path / "new"))

        yield make


class _file:  # noqa: N801 - used as a function
    def __init__(self, folder):
        self.url = f"sqlite:///{folder / 'new' / 'butler.db'}"

    def __enter__(self):
        return self.url

    def __exit__(self, *_):
        return None


def test_the_drill(house, elsewhere, tmp_path):
    folder = house.backup()
    house.ok("backup", "keys", tmp_path / "safe")
    (kept,) = (tmp_path / "safe").glob("butler-keys-*")
    assert "opens" in house.ok("backup", "check", folder, "--recovery-file", house.key)
    new = elsewhere()
    refused = house.run("restore", folder, "--recovery-file", house.key, app=new)
    assert (refused.exit_code, "密钥" in refused.output or "key file" in refused.output) == (1, True)
    house.ok("backup", "restore-keys", kept, "--recovery-file", house.key, app=new)
    said = house.ok("restore", folder, "--recovery-file", house.key, app=new)
    assert "the audit trail is whole" in said
    with new.app_context():
        assert db.session.scalars(select(Employee.number).order_by(Employee.number)).all() == ["E001", "E002"]
        store = new.extensions["butler"].blobs
        assert {name: store.get(db.session(), name)[0] for name in house.blobs} == house.blobs
        assert verify(db.session(), new.extensions["butler"].keys).problem is None
        last = db.session.scalars(select(AuditRow).order_by(AuditRow.seq.desc()).limit(1)).one()
        assert (last.action, json.loads(last.details)["lost"]) == ("backup.restored", 0)
        db.session.remove()
    again = house.run("restore", folder, "--recovery-file", house.key, app=new)
    assert (again.exit_code, "数据库不是空的" in again.output) == (1, True)


def test_nothing_readable_is_in_a_backup(house, tmp_path):
    folder = house.backup()
    house.ok("backup", "keys", tmp_path / "safe")
    secret = (house.settings.key_dir / "audit.key").read_bytes()
    private = house.key.read_text().strip()
    for path in [*folder.iterdir(), *(tmp_path / "safe").glob("*/*")]:
        data = path.read_bytes()
        for word in ("张三".encode(), "锦绣花园".encode(), BIG[:64], secret, private.encode()):
            assert word not in data, path
    assert list(house.settings.var_dir.glob("butler-backup-*")) == []


def test_keys_and_data_are_kept_apart(house, tmp_path):
    house.backup()
    for place in (house.place, house.place / "inside", house.place.parent):
        assert house.run("backup", "keys", place).exit_code == 1
    house.ok("backup", "keys", tmp_path / "safe")
    for place in (
        tmp_path / "safe",
        tmp_path / "safe" / "x",
        house.settings.key_dir,
        house.settings.var_dir / "b",
    ):
        assert house.run("backup", place).exit_code == 1
    assert not (house.settings.var_dir / "b").exists()


def test_another_recovery_key_opens_nothing(house, elsewhere, tmp_path):
    folder = house.backup()
    assert house.run("backup", "init-key").exit_code == 1
    (house.settings.key_dir / "recovery.pub").unlink()
    other = tmp_path / "other.txt"
    other.write_text(house.ok("backup", "init-key"))
    for text in (other, house.settings.key_dir / "recovery.pub"):
        assert house.run("backup", "check", folder, "--recovery-file", text).exit_code == 1
    shutil.copytree(house.settings.key_dir, tmp_path / "new" / "keys")
    new = elsewhere()
    assert house.run("restore", folder, "--recovery-file", other, app=new).exit_code == 1
    assert database.facts_of(new.extensions["butler"].settings.database_url).empty


def _harmed(data):
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    return (bytes(flipped), data[:-17], b"", None)


def test_a_damaged_backup_is_refused_before_anything_is_touched(house):
    folder = house.backup()
    for name in (making.DATABASE, making.BLOBS, "manifest.json"):
        path = folder / name
        whole = path.read_bytes()
        for data in _harmed(whole):
            path.unlink() if data is None else path.write_bytes(data)
            refused = house.run(
                "restore", folder, "--recovery-file", house.key, "--replace", "--accept-older"
            )
            assert refused.exit_code == 1, (name, data and len(data))
        path.write_bytes(whole)
    house.ok("backup", "check", folder, "--recovery-file", house.key)
    with house.app.app_context():
        assert verify(db.session()).size == 3
        db.session.remove()


def test_an_older_backup_says_what_it_means(house, tmp_path):
    folder = house.backup()
    house.note()
    kept = tmp_path / "kept.json"
    house.ok("audit", "checkpoint", "--to", kept)
    refused = house.run("restore", folder, "--recovery-file", house.key, "--checkpoint", kept, "--replace")
    assert refused.exit_code == 1
    assert "之后至少还有 2 个" in refused.output
    house.ok(
        "restore", folder, "--recovery-file", house.key, "--checkpoint", kept, "--replace", "--accept-older"
    )
    with house.app.app_context():
        last = db.session.scalars(select(AuditRow).order_by(AuditRow.seq.desc()).limit(1)).one()
        assert (last.seq, last.action, json.loads(last.details)["lost"]) == (3, "backup.restored", 2)
        db.session.remove()
    assert (
        house.run("audit", "verify", "--checkpoint", kept).exit_code == 1
    )  # it stays provable that something is lost


@pytest.mark.parametrize(
    "step", ["before the blobs", "among the blobs", "before the database", "after the database"]
)
def test_a_restore_that_is_killed_is_finished_by_another(house, elsewhere, tmp_path, monkeypatch, step):
    folder = house.backup()
    shutil.copytree(house.settings.key_dir, tmp_path / "new" / "keys")
    new = elsewhere()

    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if step == "before the blobs":
            patched.setattr(restoring, "_unpack_blobs", die)
        elif step == "among the blobs":
            patched.setattr(Path, "replace", die)
        elif step == "before the database":
            patched.setattr(database, "load", die)
        else:
            patched.setattr("app.backup.cli.check_keys", die)
        assert house.run("restore", folder, "--recovery-file", house.key, app=new).exit_code != 0
    house.ok("restore", folder, "--recovery-file", house.key, app=new)
    with new.app_context():
        assert verify(db.session(), new.extensions["butler"].keys).size == 3
        db.session.remove()


def test_a_backup_that_is_killed_leaves_nothing_that_looks_like_one(house, monkeypatch):
    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(making, "write_manifest", die)
        assert house.run("backup", house.place).exit_code != 0
    (left,) = house.place.iterdir()
    assert left.name.endswith(".partial")
    assert house.run("backup", "check", left).exit_code == 1
    assert house.backup().is_dir()
    assert [path.name for path in house.place.iterdir() if path.name.endswith(".partial")] == []


def test_without_a_recovery_key_or_in_a_taken_place_nothing_is_written(house, make_app, tmp_path):
    folder = house.backup()
    assert house.run("backup", house.place).exit_code == 1  # the same second
    assert folder.is_dir()
    (house.settings.key_dir / "recovery.pub").unlink()
    refused = house.run("backup", tmp_path / "fresh")
    assert (refused.exit_code, "init-key" in refused.output) == (1, True)
    assert house.run("backup", "init-key", "--public", "xy").exit_code == 1
    assert house.run("backup", "init-key", "--public", "00" * 31).exit_code == 1
    house.ok("backup", "init-key", "--public", "09" + "00" * 31)
