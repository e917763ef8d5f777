"""A test's whole way: started, sent, told, weighed; and everything that must accuse nobody."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from app.commands.model import Command
from app.dialling.model import DialCall
from app.kernel.errors import Conflict, Forbidden, NotFound
from app.kernel.tenancy import SYSTEM, Principal
from app.probes import ProbeFact, failed_probes, finished_probes, start_probe
from app.probes.states import State
from app.uptime.model import SettleQueue
from tests.support.site import NOT_REACHED, Site, told

M = dt.timedelta(minutes=1)


def facts(site: Site, serial: str = "S1") -> list[ProbeFact]:
    with site.session() as session:
        return failed_probes(session, site.phones[serial])


def fail(
    site: Site, detail: dict[str, Any] = NOT_REACHED, *, age_s: float | None = 0.0, silent_s: int = 360
) -> None:
    """S1 falls silent, a test is sent, and ten minutes later the gateway tells `detail`."""
    site.live(silent_s, read=("S2",))
    command = site.begin(read=("S2",))
    site.live(630, read=("S2",))
    site.report(command, detail, age_s=age_s)


def test_a_phone_that_answers_is_reached(site: Site, rows: Any) -> None:
    command = site.begin()
    assert command.args["again_s"] == [120, 300, 600]
    site.report(command, told("reached", None))
    (probe,) = site.probes()
    assert (probe.state, probe.reason, probe.cause) == ("reached", None, "report")
    assert str(probe.id) == command.args["probe"]
    assert probe.numbers is not None
    assert probe.policy_version == 1
    assert facts(site) == []
    assert rows(DialCall) == []


def test_a_phone_that_stays_silent_is_asked_about(site: Site, rows: Any) -> None:
    fail(site)
    (probe,) = site.probes()
    assert probe.state == State.NOT_REACHED
    found = facts(site)
    now = site.clock.now()
    assert [(now - f.at).total_seconds() for f in found] == [600, 480, 300, 0]
    assert {f.observer for f in found} == {f"agent:{site.gateway.agent_id}"}
    assert all(f.reason == "unreachable" and f.observer_up_at and f.observer_up_at <= f.at for f in found)
    (queued,) = rows(SettleQueue, SettleQueue.handset_id == site.phones["S1"])
    assert queued.due_at <= now, "it is ruled on again at once"
    site.job("weigh_failed_probes")
    assert rows(DialCall) == [], "the phone still has time to be heard"
    site.live(11 * 60, read=("S2",))
    assert site.job("weigh_failed_probes") == 1
    assert [call.handset_id for call in rows(DialCall)] == [site.phones["S1"]]
    assert site.job("weigh_failed_probes") == 0


def test_a_phone_that_was_heard_around_the_test_is_not_suspected(site: Site, rows: Any) -> None:
    """By whatever way and however late: here another gateway's spool comes hours after the test was weighed."""
    fail(site)
    site.live(11 * 60, read=("S2",))
    site.job("weigh_failed_probes")
    assert len(facts(site)) == 4
    late = site.clock.now() - site.probes()[0].finished_at  # type: ignore[operator]
    entry = site.reading("S1") | {"age_s": late.total_seconds() + 300, "uptime_s": 9000.0}
    site.gateway.checkin(readings=[entry])
    assert facts(site) == []
    assert {one.state for one in site.probes()} == {"not_reached"}, "what the gateway said stays on record"


def test_heard_shortly_before_is_heard(site: Site) -> None:
    command = site.begin()
    site.live(630, read=("S2",))
    site.report(command, NOT_REACHED)
    assert [(site.clock.now() - f.at).total_seconds() for f in facts(site)] == [300, 0]


def test_what_is_not_understood_is_inconclusive(site: Site) -> None:
    fail(site, told("off", None))
    (probe,) = site.probes()
    assert (probe.state, probe.reason) == ("inconclusive", "bad_detail")
    assert facts(site) == []


def test_a_gateway_that_restarted_before_it_could_report_proves_nothing(site: Site) -> None:
    fail(site, age_s=None)
    assert [(p.state, p.reason) for p in site.probes()] == [("inconclusive", "undated")]


def test_a_command_that_was_refused_is_inconclusive(site: Site) -> None:
    command = site.begin()
    site.report(command, {"reason": "unknown_kind"}, state="refused")
    assert [(p.state, p.reason) for p in site.probes()] == [("inconclusive", "refused")]


def test_a_gateway_that_had_just_come_up_suspects_nobody(site: Site) -> None:
    fail(site, told("not_reached", None, 600.0, 480.0, 300.0, 0.0, up_for_s=300.0))
    assert site.probes()[0].state == "not_reached"
    assert facts(site) == []


def test_a_server_that_paused_around_the_test_suspects_nobody(site: Site) -> None:
    site.live(360, read=("S2",))
    command = site.begin(read=("S2",))
    site.clock.move(60)
    site.live(570, read=("S2",))
    site.report(command, NOT_REACHED)
    assert site.probes()[0].state == "not_reached"
    assert facts(site) == []


def test_a_test_that_nobody_takes_is_missed(site: Site, rows: Any) -> None:
    site.start()
    site.job("send_probes")
    site.wait(9 * 60)
    site.job("send_probes")
    assert site.probes()[0].state == "sent"
    site.wait(2 * 60)
    site.job("send_probes")
    assert [(p.state, p.reason) for p in site.probes()] == [("missed", "not_taken")]
    assert [c.state for c in rows(Command)] == ["cancelled"]
    assert facts(site) == []


def test_a_gateway_that_takes_it_and_falls_silent_is_inconclusive(site: Site) -> None:
    site.begin()
    site.wait(3100)
    site.job("expire_commands", "send_probes")
    assert [(p.state, p.reason) for p in site.probes()] == [("inconclusive", "failed")]


def test_a_result_that_comes_after_the_test_was_given_up_changes_nothing(site: Site) -> None:
    command = site.begin()
    site.wait(3700)
    site.job("expire_commands", "send_probes")
    before = [(p.state, p.reason) for p in site.probes()]
    answer = site.gateway.checkin(
        results=[{"id": command.id, "state": "succeeded", "age_s": 0.0, "detail": NOT_REACHED}]
    )
    assert answer.get_json()["rejected"][0]["code"] == "command_finished"
    assert [(p.state, p.reason) for p in site.probes()] == before


def test_one_test_of_a_phone_at_a_time(site: Site) -> None:
    first = site.start()
    assert site.start() == first
    site.job("send_probes")
    assert site.start(cause="report") == first
    assert len(site.probes()) == 1
    (command,) = site.checkin(read=("S1",))
    site.report(command, told("reached", None))
    assert site.start() != first


def test_who_may_start_one(site: Site, phones: Any) -> None:
    def start(principal: Principal, serial: str = "S1") -> uuid.UUID:
        with site.session() as session:
            return start_probe(session, principal, phones[serial], "person", site.clock.now())

    lead = Principal(
        "u1", frozenset({"lead"}), frozenset({phones.centre}), rights=frozenset({("lead", phones.centre)})
    )
    assert start(lead)
    with pytest.raises(NotFound):
        start(lead, "F1")
    butler = Principal("u2", frozenset({"butler"}), frozenset({phones.centre}))
    with pytest.raises(Forbidden):
        start(butler)


def test_a_retired_phone_is_not_tested(site: Site) -> None:
    from app.registry import Handset

    waiting = site.start("S2")
    with site.session() as session:
        for serial in ("S1", "S2"):
            session.get_one(Handset, site.phones[serial]).retired_at = site.clock.now()
    with pytest.raises(Conflict):
        site.start("S1")
    site.job("send_probes")
    assert [(p.id, p.state, p.reason) for p in site.probes()] == [(waiting, "missed", "retired")]


def test_a_batch_that_comes_again_ends_no_test_twice(site: Site) -> None:
    command = site.begin()
    result = {"id": command.id, "state": "succeeded", "age_s": 0.0, "detail": told("reached", None)}
    batch = str(uuid.uuid4())
    for _ in range(2):
        assert site.gateway.checkin(batch=batch, results=[result]).get_json()["accepted"] == 1
    assert [p.state for p in site.probes()] == ["reached"]


def test_a_holder_is_shown_only_what_has_ended(site: Site) -> None:
    command = site.begin()
    start, end = site.clock.now() - 60 * M, site.clock.now() + 60 * M
    with site.session() as session:
        assert finished_probes(session, SYSTEM, site.phones["S1"], start, end) == []
    site.report(command, told("reached", None))
    with site.session() as session:
        assert [f.state for f in finished_probes(session, SYSTEM, site.phones["S1"], start, end)] == [
            "reached"
        ]


def test_people_cannot_queue_the_command_past_its_record(site: Site, client: Any) -> None:
    path = f"/api/v1/handsets/{site.phones['S1']}/commands"
    answer = client.post(path, json={"kind": "probe", "args": {"probe": "x", "again_s": [1]}})
    assert answer.status_code == 422
