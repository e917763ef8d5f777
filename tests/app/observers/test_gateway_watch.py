"""A gateway that stays down is somebody's task, until it is back."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import update

from app.fleet.model import Agent
from app.tasks.model import Task
from tests.support.site import Site, beat

HOUR = 3600.0


def asked(rows: Any) -> list[Task]:
    return sorted(rows(Task, Task.kind == "gateway"), key=lambda row: row.opened_at)


def quiet(site: Site, hours: float) -> int:
    """The server is up, nobody says anything; then the scheduler looks."""
    site.wait(hours * HOUR)
    site.job("beat_server")
    return site.job("watch_gateways")


def test_a_gateway_that_stays_down_is_a_task_for_it_until_it_is_back(site: Site, rows: Any) -> None:
    assert quiet(site, 1.5) == 0
    assert asked(rows) == []
    assert quiet(site, 1) == 1
    assert quiet(site, 1) == 1
    (task,) = asked(rows)
    assert (task.state, task.roles, task.centre_id) == ("open", "|it|", site.phones.centre)
    assert task.link == f"/observers?centre={site.phones.centre}"
    site.live(60)
    assert site.job("watch_gateways") == 0
    (task,) = asked(rows)
    assert (task.state, task.how) == ("closed", "自检又通过了")


def test_its_own_word_for_why_is_told(site: Site, rows: Any) -> None:
    """It is heard, yet its self-check fails."""
    for _ in range(3):
        site.wait(HOUR)
        site.job("beat_server")
        site.gateway.checkin(beats=[beat(up=False, reason="canary")])
    assert site.job("watch_gateways") == 1
    (task,) = asked(rows)
    assert "对照手机" in task.body


def test_one_that_never_was_up_counts_from_its_enrolment(
    app: Any, clock: Any, phones: Any, gateway: Any, rows: Any
) -> None:
    site = Site(app, clock, phones, gateway)
    site.job("beat_server")
    assert quiet(site, 1.9) == 0
    assert quiet(site, 0.2) == 1
    assert "从未通过" in asked(rows)[0].body


def test_a_server_that_just_came_back_asks_nobody(site: Site, rows: Any) -> None:
    site.clock.move(5 * HOUR)
    site.job("beat_server")
    assert site.job("watch_gateways") == 0
    site.live(11 * 60)
    assert site.job("watch_gateways") == 0
    assert asked(rows) == []


def test_a_revoked_gateway_is_nobodys_task(site: Site, rows: Any) -> None:
    assert quiet(site, 3) == 1
    with site.session() as session:
        session.execute(update(Agent).values(revoked_at=site.clock.now() - dt.timedelta(minutes=1)))
    assert site.job("watch_gateways") == 0
    (task,) = asked(rows)
    assert (task.state, task.how) == ("closed", "网关已吊销")
