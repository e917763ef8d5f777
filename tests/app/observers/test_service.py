"""Beats become stretches; server, site and gateway are believed only after they have been up for some time."""

from __future__ import annotations

import datetime as dt
from typing import Any

from app.kernel.tenancy import SYSTEM, Principal
from app.observers import outages, server_up_since, trusted
from app.observers.model import ObserverSpan
from tests.support.site import Site, beat

M = dt.timedelta(minutes=1)


def believed(site: Site) -> bool:
    with site.session() as session:
        return trusted(session, site.phones.centre, site.clock.now())


def told(site: Site, hours: float = 24) -> list[tuple[str, int | None, str]]:
    """Outages as name, length in seconds and reason."""
    now = site.clock.now()
    with site.session() as session:
        found = outages(session, SYSTEM, site.phones.centre, now - dt.timedelta(hours=hours), now)
    return [
        (o.name, None if o.end is None else round((o.end - o.start).total_seconds()), o.reason) for o in found
    ]


def test_after_some_quiet_life_a_phone_may_be_suspected(site: Site) -> None:
    assert believed(site)
    assert told(site) == []


def test_a_day_of_beats_is_one_row(site: Site, rows: Any) -> None:
    for _ in range(5):
        site.live(60)
    ups = [r for r in rows(ObserverSpan) if r.state == "up"]
    assert sorted(r.observer.partition(":")[0] for r in ups) == ["agent", "server"]


def test_nobody_watches_before_the_scheduler_runs(app: Any, clock: Any, phones: Any, gateway: Any) -> None:
    site = Site(app, clock, phones, gateway)
    site.checkin(read=("S1",))
    assert not believed(site)
    with site.session() as session:
        assert server_up_since(session, clock.now()) is None


def test_a_server_that_paused_begins_anew(site: Site) -> None:
    with site.session() as session:
        before = server_up_since(session, site.clock.now())
    site.clock.move(31)
    with site.session() as session:
        assert server_up_since(session, site.clock.now()) is None
    site.job("beat_server")
    with site.session() as session:
        assert server_up_since(session, site.clock.now()) == site.clock.now()
    assert before is not None
    assert not believed(site)
    site.live(9 * 60)
    assert not believed(site), "not before the time of recovery has passed"
    site.live(2 * 60)
    assert believed(site)
    assert told(site)[0] == ("服务器", 31, "paused")


def test_a_gateway_that_was_cut_off_makes_no_suspicion(site: Site) -> None:
    site.live(11 * 60, beats=False)
    assert not believed(site), "its last beat is too old"
    # It was up all the time, only its beats did not come: the next one says so.
    site.checkin()
    assert believed(site)
    assert told(site) == []


def test_a_gateway_that_restarted_begins_anew(site: Site) -> None:
    site.wait(660)
    site.up_for_s = 0
    site.checkin()
    site.live(8 * 60)
    assert not believed(site)
    assert [o for o in told(site) if o[0] == "前台网关"] == [("前台网关", 660, "silent")]
    site.live(3 * 60)
    assert believed(site)


def test_the_beats_that_said_down_give_the_outage_its_reason(site: Site) -> None:
    for _ in range(3):
        site.wait(120)
        site.gateway.checkin(beats=[beat(up=False, reason="canary")])
    site.wait(60)
    site.up_for_s = 0
    site.checkin()
    assert ("前台网关", 420, "canary") in told(site)


def test_an_outage_that_lasts_has_no_end(site: Site) -> None:
    site.live(11 * 60, beats=False, read=())
    assert ("前台网关", None, "silent") in told(site)


def test_beats_that_come_late_and_mixed_are_dated_by_their_age(site: Site) -> None:
    site.live(20 * 60, beats=False)
    late = [beat(up_for_s=60, age_s=60.0 * n) for n in (3, 1, 0, 2, 1)]
    site.gateway.checkin(beats=late)
    assert ("前台网关", 960, "silent") in told(site), "only four minutes of the twenty are vouched for"


def test_an_undated_beat_says_nothing(site: Site, rows: Any) -> None:
    before = len(rows(ObserverSpan))
    site.gateway.checkin(beats=[beat(age_s=None), beat(up=False, age_s=None, reason="server")])
    assert len(rows(ObserverSpan)) == before


def test_a_beat_that_is_not_understood_stands_alone(site: Site) -> None:
    answer = site.gateway.checkin(beats=[beat(up_for_s=1), {**beat(), "up": 1}, 7]).get_json()
    assert answer["accepted"] == 1
    assert [(r["part"], r["index"], r["code"]) for r in answer["rejected"]] == [
        ("beats", 1, "bad_entry"),
        ("beats", 2, "bad_entry"),
    ]


def test_another_centre_is_told_nothing(site: Site) -> None:
    site.live(11 * 60, beats=False)
    foreign = Principal("x", frozenset({"lead"}), frozenset({site.phones.other_centre}))
    now = site.clock.now()
    with site.session() as session:
        assert outages(session, foreign, site.phones.centre, now - 60 * M, now) == []
        assert outages(session, SYSTEM, site.phones.centre, now, now - M) == []


def test_the_page_and_the_api_tell_the_outages(site: Site, client: Any, as_user: Any) -> None:
    site.live(11 * 60, beats=False, read=())
    page = client.get("/observers?days=30")
    assert page.status_code == 200
    assert "前台网关" in page.text
    assert "仍在中断" in page.text
    centre = site.phones.centre
    span = "&from=2026-11-22T00:00:00Z&to=2026-11-30T00:00:00Z"
    found = client.get(f"/api/v1/observers/outages?centre_id={centre}{span}").get_json()
    assert [(o["name"], o["to"]) for o in found["items"]] == [("前台网关", None)]
    assert client.get(f"/api/v1/observers?centre_id={centre}").get_json()["trusted"] is False
    assert as_user("butler", centre).get("/observers").status_code == 403
    assert as_user("lead", site.phones.other_centre).get("/observers").text.count("前台网关") == 0
