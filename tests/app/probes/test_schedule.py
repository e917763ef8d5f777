"""The day's tests: unforeseeable, registered before they run, never shown before; sent only by who can be believed."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

from app.duty.model import Excuse
from app.duty.states import Excuse as ExcuseState
from app.probes.model import OutOfReach, Probe
from app.probes.rules import local_day
from app.tasks.model import Task
from tests.support.site import Site

H = dt.timedelta(hours=1)


def planned(site: Site) -> list[Probe]:
    return site.probes(Probe.state == "planned")


def test_each_phone_that_was_ever_read_has_its_tests(site: Site) -> None:
    assert site.job("plan_probes") == 6
    found = site.probes()
    assert {p.handset_id for p in found} == {site.phones["S1"], site.phones["S2"]}
    assert {p.day for p in found} == {local_day(site.clock.now()).isoformat()}
    assert all(p.created_by == "system" and p.cause == "scheduled" for p in found)
    for serial in ("S1", "S2"):
        times = [p.planned_at for p in found if p.handset_id == site.phones[serial]]
        assert all(b - a >= 1.5 * H for a, b in pairwise(times))


def test_planning_again_changes_nothing(site: Site) -> None:
    site.job("plan_probes")
    before = [(p.id, p.planned_at) for p in site.probes()]
    site.clock.move(600)
    assert site.job("plan_probes") == 0
    assert [(p.id, p.planned_at) for p in site.probes()] == before


def test_times_that_have_passed_are_missed_and_not_drawn_again(site: Site) -> None:
    site.clock.set(dt.datetime(2026, 11, 22, 14, 30, tzinfo=dt.UTC))  # 22:30 in Shanghai
    site.job("plan_probes")
    late = [p for p in site.probes() if p.planned_at <= site.clock.now()]
    assert late, "with three times in a day, some of two phones lie before half past ten at night"
    assert {(p.state, p.reason) for p in late} == {("missed", "planned_late")}
    assert site.job("plan_probes") == 0


def test_the_next_day_is_planned_before_it_begins(site: Site) -> None:
    site.clock.set(dt.datetime(2026, 11, 22, 15, 30, tzinfo=dt.UTC))
    site.job("plan_probes")
    assert {p.day for p in site.probes()} == {"2026-11-22", "2026-11-23"}
    assert all(p.state == "planned" for p in site.probes() if p.day == "2026-11-23")


def test_a_test_is_sent_when_it_is_due_and_not_before(site: Site) -> None:
    site.job("plan_probes")
    first = planned(site)[0]
    site.live((first.planned_at - site.clock.now()).total_seconds() - 5)
    site.job("send_probes")
    assert site.probes(Probe.state == "sent") == []
    site.live(10)
    site.job("send_probes")
    assert [p.id for p in site.probes(Probe.state == "sent")] == [first.id]


def test_after_an_outage_no_test_is_sent_until_all_have_recovered(site: Site) -> None:
    site.job("plan_probes")
    first = planned(site)[0]
    site.live((first.planned_at - site.clock.now()).total_seconds() - 60)
    site.clock.move(61)  # the server pauses
    site.live(120)
    site.job("send_probes")
    assert site.probes(Probe.state == "sent") == []
    site.live(10 * 60)
    site.job("send_probes")
    assert [(p.state, p.reason) for p in site.probes(Probe.id == first.id)] == [("missed", "late")]


def test_policy_may_have_no_tests(site: Site, client: Any) -> None:
    layer = {"per_day": 0}
    path = f"/api/v1/policies/probing/layers/centre/{site.phones.centre}"
    answer = client.put(path, json={"body": layer, "reason": "试点"}, headers={"If-Match": '"v0"'})
    assert answer.status_code == 200, answer.get_json()
    assert site.job("plan_probes") == 0


def test_long_out_of_reach_asks_to_plug_it_in_then_to_look(site: Site, rows: Any) -> None:
    def tasks() -> list[tuple[str, str]]:
        return sorted((t.kind, t.state) for t in rows(Task))

    site.live(23 * 3600, read=("S2",))
    site.job("watch_reach")
    assert tasks() == []
    site.live(2 * 3600, read=("S2",))
    site.job("watch_reach")
    site.job("watch_reach")
    assert tasks() == [("plug_in", "open")]
    site.live(24 * 3600, read=("S2",))
    assert site.job("watch_reach") == 1
    assert tasks() == [("look", "open"), ("plug_in", "open")]
    assert rows(Task)[0].handset_id == site.phones["S1"]
    site.live(60)
    assert site.job("watch_reach") == 0
    assert [state for _, state in tasks()] == ["closed", "closed"]
    assert rows(OutOfReach) == []


def test_a_phone_in_repair_need_not_be_plugged_in(site: Site, rows: Any) -> None:
    now = site.clock.now()
    with site.session() as session:
        session.add(
            Excuse(
                centre_id=site.phones.centre, handset_id=site.phones["S1"], reason="repair", starts_at=now,
                ends_at=None, state=ExcuseState.APPROVED, note="", filed_by="x", filed_at=now, decided_by="y",
                decided_at=now,
            )
        )  # fmt: skip
    site.live(25 * 3600, read=("S2",))
    assert site.job("watch_reach") == 0
    assert rows(Task) == []


def test_no_task_while_the_silence_may_be_ours(site: Site, rows: Any) -> None:
    site.clock.move(30 * 3600)  # the server was down for a day and more
    site.job("beat_server", "watch_sites", "watch_reach")
    assert rows(Task) == []
