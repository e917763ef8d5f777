from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import wire
from agent.batches import MAX_ASIDE, MAX_BYTES, Batches
from tests.agent.builders import Box
from tests.agent.stub_server import HMAC_KEY


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path / "spool.db")
    yield box
    box.database.close()


def aside(box: Box) -> list[tuple[str, str, str]]:
    with box.database.transaction() as db:
        return db.execute("SELECT uuid, why, body FROM aside ORDER BY id").fetchall()


def test_an_empty_check_in_has_an_id_and_nothing_else(box: Box) -> None:
    batch = box.batches.next()
    body = box.body(batch)
    assert body == {
        "schema": 1,
        "batch": batch.uuid,
        "agent": {"version": "0", "spooled": 0, "targets": 0, "adb_server": None},
        "readings": [],
        "unreached": [],
        "results": [],
        "journals": [],
        "beats": [],
    }
    assert box.batches.next().uuid != batch.uuid


def test_a_cut_batch_keeps_id_and_entries_until_it_is_acknowledged(box: Box) -> None:
    box.spool.add([box.reading("S1")])
    batch = box.batches.next()
    box.spool.add([box.reading("S2")])
    box.restart()
    again = box.batches.next()
    assert again.uuid == batch.uuid
    assert [r["phone"] for r in box.body(again)["readings"]] == ["S1"]
    box.acknowledge(again)
    assert [r["phone"] for r in box.send()["readings"]] == ["S2"]
    assert box.spool.count() == 0


def test_ages_are_counted_anew_at_each_sending(box: Box) -> None:
    box.spool.add([box.reading()])
    batch = box.batches.next()
    box.steady.now += 3.25
    assert box.body(batch)["readings"][0]["age_s"] == 3.25
    box.steady.now += 100
    box.restart()
    assert box.body(box.batches.next())["readings"][0]["age_s"] == 103.25


def test_after_a_restart_of_the_gateway_the_age_is_not_known(box: Box) -> None:
    box.spool.add([box.reading(), box.unreached(), box.result()])
    box.restart(boot="g2")
    box.steady.now = 5.0
    box.spool.add([box.reading("S2")])
    body = box.send()
    assert [r["age_s"] for r in body["readings"]] == [None, 0.0]
    assert body["unreached"][0]["age_s"] is None
    assert body["results"][0]["age_s"] is None


def test_the_oldest_go_first_and_results_before_all(box: Box) -> None:
    box.batches = Batches(box.spool, box.clock, max_entries=3)
    box.spool.add([box.reading(uptime_s=n) for n in range(4)])
    box.spool.add([box.result()])
    batch = box.batches.next()
    assert batch.more
    body = box.send()
    assert len(body["results"]) == 1
    assert [r["uptime_s"] for r in body["readings"]] == [0, 1]
    assert body["agent"]["spooled"] == 2
    assert [r["uptime_s"] for r in box.send()["readings"]] == [2, 3]


def test_a_batch_stays_far_below_the_servers_limits(box: Box) -> None:
    packages = [{"name": f"com.example.app{n}", "v": n} for n in range(5000)]
    size = len(wire.canonical_json(packages))
    for n in range(30):
        box.spool.add([box.reading(f"S{n}", packages=[n, *packages])])
    sent = 0
    while sent < 30:
        batch = box.batches.next()
        body = box.batches.body(batch, {"version": "0", "spooled": 0, "targets": 0, "adb_server": None})
        assert len(body) < MAX_BYTES + size
        sent += batch.size
        box.acknowledge(batch)
    assert sent == 30


def test_an_entry_larger_than_a_batch_goes_alone(box: Box) -> None:
    box.spool.add([box.reading("S1", packages="x" * (MAX_BYTES + 1)), box.reading("S2")])
    assert [r["phone"] for r in box.send()["readings"]] == ["S1"]
    assert [r["phone"] for r in box.send()["readings"]] == ["S2"]


# --- sections -------------------------------------------------------------------


def sent_sections(body: dict[str, list[dict[str, object]]]) -> list[object]:
    return [reading.get("sections") for reading in body["readings"]]


def test_a_section_travels_only_when_the_server_lacks_it(box: Box) -> None:
    box.spool.add([box.reading(packages=["微信"], users=[0]), box.reading(packages=["微信"], users=[0])])
    assert sent_sections(box.send()) == [{"packages": ["微信"], "users": [0]}, None]
    box.spool.add([box.reading(packages=["微信"], users=[0])])
    body = box.send()
    assert sent_sections(body) == [None]
    assert set(body["readings"][0]["tags"]) == {"packages", "users"}
    box.spool.add([box.reading(packages=["微信"], users=[0, 10])])
    assert sent_sections(box.send()) == [{"users": [0, 10]}]


def test_phones_do_not_share_what_was_acknowledged(box: Box) -> None:
    box.spool.add([box.reading("S1", users=[0]), box.reading("S2", users=[0])])
    assert sent_sections(box.send()) == [{"users": [0]}, {"users": [0]}]


def test_nothing_counts_as_known_before_it_is_acknowledged(box: Box) -> None:
    box.spool.add([box.reading(users=[0])])
    batch = box.batches.next()
    assert sent_sections(box.body(batch)) == [{"users": [0]}]
    box.restart()
    assert sent_sections(box.body(box.batches.next())) == [{"users": [0]}]


def test_what_the_server_wants_travels_with_the_next_reading(box: Box) -> None:
    box.spool.add([box.reading(users=[0], packages=["a"])])
    box.send(want=[{"phone": "S1", "sections": ["packages"]}])
    box.spool.add([box.reading(users=[0], packages=["a"])])
    assert sent_sections(box.send()) == [{"packages": ["a"]}]


def test_a_wanted_section_that_is_spooled_already_is_sent_from_the_spool(box: Box) -> None:
    box.spool.add([box.reading(users=[0])])
    batch = box.batches.next()
    box.spool.add([box.reading(users=[0])])
    box.acknowledge(batch, want=[{"phone": "S1", "sections": ["users"]}])
    assert sent_sections(box.send()) == [{"users": [0]}]


def test_a_change_back_and_forth_is_told_in_full(box: Box) -> None:
    box.spool.add([box.reading(packages=p) for p in (["a"], ["b"], ["a"])])
    assert sent_sections(box.send()) == [{"packages": ["a"]}, {"packages": ["b"]}, {"packages": ["a"]}]


# --- refused batches ------------------------------------------------------------


def test_halving_makes_two_batches_of_the_same_entries_in_order(box: Box) -> None:
    box.spool.add([box.reading(uptime_s=n) for n in range(5)])
    batch = box.batches.next()
    assert box.batches.halve(batch)
    box.restart()
    first, second = box.send(), box.send()
    assert [r["uptime_s"] for r in first["readings"]] == [0, 1]
    assert [r["uptime_s"] for r in second["readings"]] == [2, 3, 4]
    assert len({first["batch"], second["batch"], batch.uuid}) == 3


def test_a_single_entry_cannot_be_halved(box: Box) -> None:
    box.spool.add([box.reading()])
    assert not box.batches.halve(box.batches.next())


def test_a_batch_set_aside_is_out_of_the_way_and_kept(box: Box) -> None:
    box.spool.add([box.reading("S1")])
    batch = box.batches.next()
    box.spool.add([box.reading("S2")])
    box.batches.set_aside(batch, "400 bad_body")
    assert [r["phone"] for r in box.send()["readings"]] == ["S2"]
    ((uuid, why, body),) = aside(box)
    assert (uuid, why) == (batch.uuid, "400 bad_body")
    assert '"S1"' in body


def test_what_is_set_aside_is_bounded(box: Box) -> None:
    for n in range(MAX_ASIDE + 5):
        box.spool.add([box.reading(f"S{n}")])
        box.batches.set_aside(box.batches.next(), "400")
    kept = aside(box)
    assert len(kept) == MAX_ASIDE
    assert f'"S{MAX_ASIDE + 4}"' in kept[-1][2]


# --- what the answer brings -----------------------------------------------------


def test_the_installations_key_is_kept(box: Box) -> None:
    assert box.batches.hmac_key() is None
    box.send()
    box.restart()
    assert box.batches.hmac_key() == HMAC_KEY
