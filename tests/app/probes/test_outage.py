"""The server is down for ten minutes, a thousand and one phones are well: nobody is accused.

A well-known monitor, put to the same, called 1,001 of 1,001 down. Its rule stands beside ours, on the same data.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from app.dialling.model import DialCall
from app.kernel.ids import new_id
from app.observers.model import ObserverSpan
from app.probes import failed_probes
from app.probes.model import Probe
from app.probes.service import new_probe
from app.readings.model import PhoneState
from app.registry import Handset
from app.tasks.model import Task
from app.uptime.model import PhoneBoot
from tests.support.site import NOT_REACHED, Site

NUMBER = 1001
GRACE = dt.timedelta(minutes=5)
"""Of the plain rule: longer than three of the gateway's rounds."""
TESTED = 40
M = dt.timedelta(minutes=1)


@pytest.fixture
def fleet(site: Site) -> list[uuid.UUID]:
    """A thousand and one phones, each read by the gateway just now."""
    now = site.clock.now()
    ids = [new_id() for _ in range(NUMBER)]
    with site.session() as session:
        session.execute(update(Handset).values(retired_at=now).where(Handset.serial.in_(["S1", "S2"])))
        phones = [
            {"id": i, "centre_id": site.phones.centre, "asset_tag": f"T-{n}", "serial": f"T{n:05}", "brand": "x",
             "model": "y", "specification": {}, "created_at": now, "updated_at": now, "version": 1}
            for n, i in enumerate(ids)
        ]  # fmt: skip
        session.execute(insert(Handset), phones)
        session.execute(insert(PhoneState), [_state(site, i, now) for i in ids])
        session.execute(insert(PhoneBoot), [_boot(site, i, now) for i in ids])
    return ids


def _state(site: Site, handset: uuid.UUID, at: dt.datetime) -> dict[str, Any]:
    return {
        "handset_id": handset, "centre_id": site.phones.centre, "at": at, "received_at": at, "grade": "gateway",
        "agent_id": uuid.UUID(site.gateway.agent_id), "tags": "{}", "unread": "[]",
    }  # fmt: skip


def _boot(site: Site, handset: uuid.UUID, at: dt.datetime) -> dict[str, Any]:
    return {
        "handset_id": handset, "centre_id": site.phones.centre, "boot_id": new_id(), "grade": "gateway",
        "started_earliest": at - 60 * M, "started_latest": at - 60 * M, "heard_first": at, "read_first": at,
        "read_last": at, "uptime_us": 3_600_000_000,
    }  # fmt: skip


def plan(site: Site, phones: list[uuid.UUID], at: dt.datetime) -> None:
    with site.session() as session:
        rows = [
            new_probe(site.phones.centre, i, "scheduled", at, site.clock.now(), "system", "2026-11-22", 1)
            for i in phones
        ]
        session.execute(insert(Probe), rows)


def silent_longer_than(site: Site, grace: dt.timedelta) -> int:
    """The plain rule: a phone that was not heard for longer than the grace time is down."""
    with site.session() as session:
        query = (
            select(func.count()).select_from(PhoneState).join(Handset, Handset.id == PhoneState.handset_id)
        )
        wanted = query.where(Handset.retired_at.is_(None), PhoneState.at < site.clock.now() - grace)
        return session.scalar(wanted) or 0


def accused(site: Site, tested: list[uuid.UUID], rows: Any) -> int:
    """Phones of which a failed test counts, calls to make and tasks; only phones that were tested can have any."""
    assert {p.handset_id for p in site.probes(Probe.state == "not_reached")} <= set(tested)
    with site.session() as session:
        suspected = sum(bool(failed_probes(session, phone)) for phone in tested)
    return suspected + len(rows(DialCall)) + len(rows(Task))


def all_jobs(site: Site) -> None:
    site.job(
        "beat_server", "watch_sites", "send_probes", "weigh_failed_probes", "watch_reach", "expire_commands"
    )


def test_a_server_that_is_down_for_ten_minutes_accuses_nobody(
    site: Site, fleet: list[uuid.UUID], rows: Any
) -> None:
    assert silent_longer_than(site, GRACE) == 0
    under_way, falls_due = fleet[:TESTED], fleet[TESTED : 2 * TESTED]
    plan(site, under_way, site.clock.now())
    plan(site, falls_due, site.clock.now() + 5 * M)
    site.job("send_probes")
    site.clock.move(1)
    commands = site.checkin() + site.checkin() + site.checkin()
    assert len(commands) == TESTED

    site.clock.move(600)
    assert silent_longer_than(site, GRACE) == NUMBER, "what a plain monitor says: all of them are down"
    all_jobs(site)
    assert accused(site, fleet[: 2 * TESTED], rows) == 0

    # Gateways come back; some claim that the phones which they tested meanwhile did not answer.
    for command in commands:
        site.report(command, NOT_REACHED)
    all_jobs(site)
    for _ in range(3):
        site.clock.move(10)
        all_jobs(site)
    assert accused(site, fleet[: 2 * TESTED], rows) == 0
    site.wait(15 * 60)
    all_jobs(site)
    found = {p.handset_id: p.state for p in site.probes()}
    assert {found[i] for i in under_way} == {"not_reached"}
    assert {found[i] for i in falls_due} == {"missed"}
    assert accused(site, fleet[: 2 * TESTED], rows) == 0


def test_without_the_watch_over_the_server_the_same_claims_would_count(
    site: Site, fleet: list[uuid.UUID], rows: Any
) -> None:
    """The counter-proof: the same phones, the same claims, and a server that was up all the time and heard nothing."""
    with site.session() as session:
        session.execute(update(PhoneState).values(at=site.clock.now() - 30 * M))
        session.execute(
            update(PhoneBoot).values(
                read_first=site.clock.now() - 60 * M, read_last=site.clock.now() - 30 * M
            )
        )
    tested = fleet[:5]
    plan(site, tested, site.clock.now())
    with site.session() as session:
        session.execute(update(ObserverSpan).where(ObserverSpan.state == "down").values(state="up"))
    site.job("send_probes")
    commands = site.checkin()
    assert len(commands) == 5
    site.wait(11 * 60)
    for command in commands:
        site.report(command, NOT_REACHED)
    with site.session() as session:
        assert [len(failed_probes(session, phone)) for phone in tested] == [4] * 5
    assert rows(Task) == []


def test_a_site_that_falls_silent_as_a_whole_accuses_nobody(
    site: Site, fleet: list[uuid.UUID], rows: Any
) -> None:
    """The router died, the gateway by its own uplink goes on: no phone is read, all tests fail."""
    site.live(6 * 60, read=())
    plan(site, fleet[:TESTED], site.clock.now())
    all_jobs(site)
    site.live(26 * 3600, read=())
    all_jobs(site)
    found = site.probes()
    assert {p.state for p in found} == {"missed"}
    assert accused(site, fleet[: 2 * TESTED], rows) == 0
