"""On both databases: the whole way, a manifest of several pages, and two hands at once."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.transfer import deciding, running, stopping, transfer_state
from app.transfer.model import ManifestEntry, Transfer
from app.transfer.opening import Wanted, open_transfer
from app.transfer.views import entry_page, transfer_page
from tests.app.transfer.conftest import detail, entry


@pytest.fixture
def together(world):
    """Each act in a transaction of its own, all at once; sorted outcomes: `won` or the refusal's code."""

    def run(*acts):
        barrier, outcomes = threading.Barrier(len(acts)), []

        def one(act):
            with world.app.app_context():
                barrier.wait(20)
                session = begin_write(db.session())
                try:
                    act(session)
                    session.commit()
                    outcomes.append("won")
                except DomainError as exc:
                    session.rollback()
                    outcomes.append(exc.code)
                finally:
                    db.session.remove()

        threads = [threading.Thread(target=one, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        return sorted(outcomes)

    return run


def count(world, model):
    with world.app.app_context():
        found = db.session().scalar(select(func.count()).select_from(model))
        db.session.remove()
    return found


def test_the_whole_way_with_a_manifest_of_two_pages(world):
    command = world.begin()
    entries = [entry(i, path=f"/sdcard/DCIM/图 '{i}'\n.jpg") for i in range(5_003)]
    entries[7] |= {"state": "differs", "reason": "hash"}
    answers = world.pages(command, entries, [1, 0, 1])
    assert [a.status_code for a in answers] == [200, 200, 200]
    world.final(command, entries, "differences", manifest=False)
    assert (world.row().note, world.row().manifest_entries) == ("differs", 5_003)
    with world.app.app_context():
        _, page = entry_page(db.session(), world.who("lead"), world.id, words="'7'")
        assert [e.place for e in page.items] == [7]
        _, first = entry_page(db.session(), world.who("it"), world.id, states=(), limit=100)
        _, second = entry_page(
            db.session(), world.who("it"), world.id, states=(), limit=100, cursor=first.next_cursor
        )
        assert not {e.place for e in first.items} & {e.place for e in second.items}
        for sort in ("state", "-part", "-path"):
            entry_page(db.session(), world.who("it"), world.id, states=(), sort=sort)
        assert (
            len(transfer_page(db.session(), world.who("auditor"), sort="state", words="GJ-0000").items) == 1
        )
        db.session.remove()
    world.act(deciding.accept_data, world.who("lead"), reason="已另存")
    world.wechat()
    world.run_jobs()
    with world.app.app_context():
        assert transfer_state(db.session(), world.phones["S1"]).code == "accepted"
        db.session.remove()
    assert world.row().paper_id


def test_two_open_the_same_phone(world, together):
    def act(session):
        wanted = Wanted(world.phones["S1"], world.phones["S2"], "换机")
        open_transfer(session, world.who("it"), world.tools, wanted, world.clock.now())

    assert together(act, act) == ["transfer_open", "won"]
    assert count(world, Transfer) == 1


def test_two_start_it(world, together):
    world.open()

    def act(session):
        running.start(session, world.who("it"), world.tools, world.id, world.clock.now())

    outcomes = together(act, act)
    assert outcomes.count("won") == 1
    assert world.row().runs == 1


def test_accepted_and_started_again_in_one_moment(world, together):
    command = world.begin()
    world.final(command, [entry(0, "failed")], "differences")

    def accept(session):
        deciding.accept_data(session, world.who("lead"), world.id, reason="重复", now=world.clock.now())

    def start(session):
        running.start(session, world.who("it"), world.tools, world.id, world.clock.now())

    outcomes = together(accept, start)
    assert outcomes.count("won") == 1
    row = world.row()
    assert (row.state == "moved") == (row.data_accepted_at is not None)


def test_waived_and_started_in_one_moment(world, together):
    world.open()
    world.act(deciding.ask_waiver, world.who("it"), reason="读不出来")

    def waive(session):
        deciding.decide_waiver(session, world.who("lead"), world.id, grant=True, now=world.clock.now())

    def start(session):
        running.start(session, world.who("it"), world.tools, world.id, world.clock.now())

    outcomes = together(waive, start)
    assert outcomes.count("won") == 1
    assert world.state in {"waived", "queued"}


def test_cancelled_and_leased_in_one_moment(world, together):
    world.open()
    world.start()

    def cancel(session):
        running.cancel(session, world.who("it"), world.id, reason="不迁移了", now=world.clock.now())

    found = []
    thread = threading.Thread(target=lambda: found.extend(world.lease()))
    thread.start()
    outcome = together(cancel)
    thread.join(30)
    # Either it went out and cannot be taken back, or it was taken back and did not go out.
    assert (outcome == ["won"]) == (world.state == "cancelled")
    assert bool(found) == (world.state != "cancelled")


def at_work(world):
    command = world.begin()
    told = dict.fromkeys(
        ("done_bytes", "total_bytes", "done_files", "total_files", "rate_bps", "left_s", "note")
    )
    world.tell(command, "running", stage="reading", **told)
    return command


def stopped(world, copy="keep"):
    def act(session):
        stopping.stop(session, world.who("it"), world.id, copy=copy, reason="不等了", now=world.clock.now())

    return act


def test_two_stop_it(world, together):
    at_work(world)
    outcomes = together(stopped(world), stopped(world, "discard"))
    assert outcomes == ["transfer_state", "won"]
    stops = [c.kind for c in world.lease()]
    assert (world.state, stops) == ("stopping", ["stop_transfer"])


def test_stopped_as_its_gateway_says_that_all_is_verified(world, together):
    command = at_work(world)
    entries = [entry(i) for i in range(3)]
    world.pages(command, entries)
    refused = []
    thread = threading.Thread(
        target=lambda: refused.append(world.tell(command, "succeeded", **detail(entries)))
    )
    thread.start()
    outcome = together(stopped(world))
    thread.join(30)
    # A word that is refused is never told again.
    assert refused == [[]]
    assert outcome in (["won"], ["transfer_state"])
    assert (world.state, world.row().verdict) == ("moved", "verified")
    assert world.lease() == []


def test_the_whole_way_of_a_stop(world):
    command = at_work(world)
    with world.writing() as session:
        stopped(world)(session)
    [told] = world.lease()
    world.tell(told, "succeeded", outcome="none", old_phone="clean", new_phone="clean")
    assert world.state == "stopping"
    world.clock.move(16 * 60)
    world.run_jobs()
    world.run_jobs()
    assert world.state == "stopped"
    assert command.id == str(world.row().command_id)


def test_pages_by_two_hands_at_once(world):
    command = world.begin()
    entries = [entry(i) for i in range(10)]
    threads = [threading.Thread(target=world.pages, args=(command, entries)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert count(world, ManifestEntry) == 10
    assert world.row().manifest_entries == 10
