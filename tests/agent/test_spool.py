from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.database import Database, SpoolError
from agent.spool import Entry, Limits, Spool, insert
from tests.agent.builders import Box


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path / "spool.db")
    yield box
    box.database.close()


def uptimes(box: Box) -> list[float]:
    return [reading["uptime_s"] for reading in box.send()["readings"]]


def contents(box: Box) -> int:
    with box.database.transaction() as db:
        return int(db.execute("SELECT count(*) FROM content").fetchone()[0])


def test_file_is_for_the_owner_only(box: Box) -> None:
    box.spool.add([box.result()])
    files = list(box.path.parent.glob("spool.db*"))
    assert files
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}


def test_a_commit_waits_for_the_disk(box: Box) -> None:
    """2 is FULL: less would lose the id of an executed command with the gateway's power."""
    assert box.database._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert box.database._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_entries_outlast_a_restart(box: Box) -> None:
    box.spool.add([box.reading(), box.unreached(), box.result()])
    box.restart()
    body = box.send()
    assert [len(body[part]) for part in ("readings", "unreached", "results")] == [1, 1, 1]


def test_many_threads_lose_nothing(box: Box) -> None:
    def work(number: int) -> None:
        for step in range(25):
            box.spool.add([box.reading(f"S{number}", uptime_s=step)])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [(r["phone"], r["uptime_s"]) for r in box.send()["readings"]]
    assert sorted(found) == sorted((f"S{n}", s) for n in range(8) for s in range(25))


def test_a_failed_write_is_told_to_whoever_waited_for_it(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("agent.spool.insert", full)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        box.spool.add([box.reading()])
    monkeypatch.undo()
    box.spool.add([box.result()])
    assert box.spool.count() == 1


def test_serials_are_remembered_by_target(box: Box) -> None:
    box.spool.add([box.reading("S1"), box.reading("S2")])
    box.restart()
    assert box.spool.serials() == {"server:S1": "S1", "server:S2": "S2"}


# --- bounds -------------------------------------------------------------------


def test_full_drops_what_lies_between_first_and_last_of_a_boot(tmp_path: Path) -> None:
    box = Box(tmp_path / "s.db", limits=Limits(rows=10))
    for step in range(8):
        box.spool.add([box.reading(uptime_s=step)])
    box.spool.add([box.reading("S2", uptime_s=100), box.reading("S1", "b2", uptime_s=200)])
    assert box.spool.dropped == 0
    box.spool.add([box.reading(uptime_s=8)])
    assert box.spool.dropped == 2
    assert uptimes(box) == [0, 3, 4, 5, 6, 7, 100, 200, 8]
    box.database.close()


def test_full_never_drops_results_nor_a_cut_batch(tmp_path: Path) -> None:
    box = Box(tmp_path / "s.db", limits=Limits(rows=5))
    box.spool.add([box.reading(uptime_s=step) for step in range(4)])
    batch = box.batches.next()
    box.spool.add([box.result(f"c{n}") for n in range(20)])
    box.spool.add([box.journal(boot_id=f"b{n}") for n in range(20)])
    box.spool.add([box.reading("S2", f"b{n}") for n in range(20)])
    assert [r["uptime_s"] for r in box.body(batch)["readings"]] == [0, 1, 2, 3]
    box.acknowledge(batch)
    body = box.send()
    assert len(body["results"]) == len(body["journals"]) == 20
    assert body["readings"] == []
    assert box.spool.dropped == 20
    box.database.close()


def test_failed_probes_of_one_series_thin_out_too(tmp_path: Path) -> None:
    box = Box(tmp_path / "s.db", limits=Limits(rows=10))
    box.spool.add([box.unreached() for _ in range(10)])
    box.spool.add([box.unreached("tcp:h:2")])
    body = box.send()
    assert len(body["unreached"]) == 9
    assert body["unreached"][-1]["target"] == "tcp:h:2"
    box.database.close()


def test_full_by_bytes_counts_section_texts(tmp_path: Path) -> None:
    box = Box(tmp_path / "s.db", limits=Limits(bytes=12_000))
    for step in range(20):
        box.spool.add(
            [box.reading("S1", "b1", step, packages=[{"n": f"{step}-{i * 7919 % 997}"} for i in range(300)])]
        )
    assert 0 < box.spool.dropped < 20
    readings = box.send()["readings"]
    assert [readings[0]["uptime_s"], readings[-1]["uptime_s"]] == [0, 19]
    assert all("packages" in r["sections"] for r in readings)
    box.database.close()


def test_when_nothing_lies_between_the_oldest_goes(tmp_path: Path) -> None:
    box = Box(tmp_path / "s.db", limits=Limits(rows=10))
    for step in range(11):
        box.spool.add([box.reading(f"S{step}", uptime_s=step)])
    assert uptimes(box) == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    box.database.close()


# --- section texts --------------------------------------------------------------


def test_a_section_is_stored_once_however_often_it_is_read(box: Box) -> None:
    for step in range(5):
        box.spool.add([box.reading(uptime_s=step, packages=["a"], users=[0])])
    assert contents(box) == 2


def test_old_section_texts_go_when_no_reading_needs_them(box: Box) -> None:
    for packages in (["a"], ["b"], ["a"], ["c"]):
        box.spool.add([box.reading(packages=packages)])
    assert contents(box) == 3
    sections = [r["sections"]["packages"] for r in box.send()["readings"]]
    assert sections == [["a"], ["b"], ["a"], ["c"]]
    assert contents(box) == 1


# --- a file that is not good ------------------------------------------------------


@pytest.mark.parametrize("rubbish", [b"no database at all" * 100, b"SQLite format 3\0" + bytes(5000)])
def test_a_damaged_spool_is_kept_and_a_new_one_begun(tmp_path: Path, rubbish: bytes) -> None:
    path = tmp_path / "spool.db"
    path.write_bytes(rubbish)
    database = Database(path)
    assert Spool(database).count() == 0
    database.close()
    assert (tmp_path / "spool.db.broken").read_bytes() == rubbish


def test_a_page_that_was_overwritten_is_noticed(tmp_path: Path) -> None:
    box = Box(tmp_path / "spool.db")
    box.spool.add([box.reading(f"S{n}", packages=["x" * 500]) for n in range(200)])
    box.database.close()
    content = bytearray(box.path.read_bytes())
    content[8192:40960] = b"\xff" * 32768
    box.path.write_bytes(content)
    box.restart()
    assert box.spool.count() == 0
    assert box.path.with_name("spool.db.broken").exists()
    box.database.close()


_ENTRY_1 = """
DROP TABLE collected; DROP TABLE entry; DELETE FROM sqlite_sequence;
CREATE TABLE entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    part TEXT NOT NULL CHECK (part IN ('readings', 'unreached', 'results')),
    series TEXT, phone TEXT, body TEXT NOT NULL, size INTEGER NOT NULL,
    at_s REAL NOT NULL, at_boot TEXT NOT NULL, batch INTEGER REFERENCES batch (id)
);
CREATE INDEX entry_batch ON entry (batch, id);
CREATE INDEX entry_size ON entry (size);
CREATE INDEX entry_phone ON entry (phone, id) WHERE phone IS NOT NULL;
PRAGMA user_version = 1;
"""


def test_the_first_versions_spool_is_taken_over_with_all_it_holds(box: Box) -> None:
    """What a kill left of version 1: a cut batch, texts that name entries by id, entries behind it."""
    with box.database.transaction() as db:
        for line in _ENTRY_1.split(";"):
            db.execute(line)
    box.spool.add([box.reading(boot_id=f"b{n}", packages=[n]) for n in range(3)])
    batch = box.batches.next()
    box.spool.add([box.unreached(), box.result()])
    box.spool.add([box.result("gone")])
    with box.database.transaction() as db:
        db.execute("DELETE FROM entry WHERE id = (SELECT max(id) FROM entry)")
    box.restart()
    assert box.batches.next() == replace(batch, more=True)
    assert [r["sections"] for r in box.body(batch)["readings"]] == [{"packages": [n]} for n in range(3)]
    box.acknowledge(batch)
    box.spool.add([box.journal()])
    with box.database.transaction() as db:
        (newest,) = db.execute("SELECT max(id) FROM entry").fetchone()
    assert newest == 7, "an id that was used is not used again"
    body = box.send()
    assert [len(body[part]) for part in ("unreached", "results", "journals", "beats")] == [1, 1, 1, 0]


def test_journals_come_with_their_reading_and_name_what_the_phone_may_forget(box: Box) -> None:
    first = replace(box.reading(), journals=(box.journal(),), collected=("t1", "t2"))
    box.spool.add([first])
    box.restart()
    assert box.spool.collected("S1") == ["t1", "t2"]
    assert box.spool.collected("S2") == []
    box.spool.add([box.reading()])
    assert box.spool.collected("S1") == ["t1", "t2"], "a reading without the journal says nothing of it"
    box.spool.add([replace(box.reading(), collected=("t2",))])
    assert box.spool.collected("S1") == ["t2"]
    assert len(box.send()["journals"]) == 1


def test_nothing_may_be_forgotten_that_is_not_on_the_disk(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    real = insert
    entry = replace(box.reading(), journals=(box.journal(),), collected=("t1",))

    def full(db: sqlite3.Connection, entries: Iterable[Entry]) -> int:
        real(db, entries)
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("agent.spool.insert", full)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        box.spool.add([entry])
    assert box.spool.collected("S1") == []
    assert box.spool.count() == 0


def test_a_spool_of_a_later_agent_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SpoolError, match="another version"):
        Database(path)
    assert not (tmp_path / "spool.db.broken").exists()


def test_a_directory_in_the_spools_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "spool.db").mkdir()
    with pytest.raises(SpoolError, match="cannot open"):
        Database(tmp_path / "spool.db")


def test_a_commit_that_fails_leaves_no_transaction_open(box: Box) -> None:
    def commit_nonsense() -> None:
        with box.database.transaction() as db:
            db.execute("PRAGMA defer_foreign_keys = ON")
            db.execute(
                "INSERT INTO entry (part, body, size, at_s, at_boot, batch) VALUES ('results', '{}', 2, 0, 'g', 99)"
            )

    with pytest.raises(sqlite3.IntegrityError):
        commit_nonsense()
    box.spool.add([box.reading()])
    assert box.spool.count() == 1


def test_a_full_disk_is_told_and_gets_well_again(tmp_path: Path) -> None:
    """SQLite's own limit stands for the disk: its error and what it does to the transaction are the same."""
    box = Box(tmp_path / "s.db")
    (pages,) = box.database._connection.execute("PRAGMA page_count").fetchone()
    box.database._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        box.spool.add([box.reading(packages=["x" * 50] * 5000, n=n) for n in range(300)])
    box.database._connection.execute("PRAGMA max_page_count = 1000000")
    box.spool.add([box.reading()])
    assert box.spool.count() == 1
    box.database.close()
