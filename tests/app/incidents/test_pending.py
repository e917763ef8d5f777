"""What changes elsewhere is found within minutes, and a phone that cannot be ruled does not stay so unnoticed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from app.incidents import settling, unsettled
from app.incidents.jobs import JOBS
from app.kernel.tenancy import SYSTEM
from app.registry import RESOURCES, tie
from app.registry.tie_service import end_tie, void_tie
from app.tasks.model import Task
from tests.app.conftest import Org
from tests.app.incidents.support import MINUTE, Phone, at

_KIT, _HOLDING = RESOURCES["kit-assignments"], RESOURCES["post-holdings"]
_JOB = {job.name: job for job in JOBS}


def kit(phone: Phone, org: Org, start: dt.datetime, now: dt.datetime) -> Any:
    values = {"post_id": org.post, "handset_id": phone.id, "valid_from": start, "valid_to": None}
    return tie(phone.session, SYSTEM, _KIT, values, now)


def holds(
    phone: Phone, org: Org, who: Any, start: dt.datetime, end: dt.datetime | None, now: dt.datetime
) -> Any:
    values = {"post_id": org.post, "employee_id": who, "valid_from": start, "valid_to": end}
    return tie(phone.session, SYSTEM, _HOLDING, values, now)


def live(phone: Phone, start: dt.datetime, minutes: float) -> dt.datetime:
    """Let the scheduler work for some minutes, each job as often as it asks for."""
    end = start + minutes * MINUTE
    now = start
    while now <= end:
        for name in ("queue_changed_phones", "settle_incidents"):
            if (now - start).total_seconds() % _JOB[name].every_s == 0:
                phone.clock.set(now)
                _JOB[name].run(phone.session, now)
        now += dt.timedelta(seconds=10)
    return now


def struck(phone: Phone) -> set[Any]:
    return {strike.employee_id for strike in phone.strikes()}


def test_custody_that_was_written_late_moves_the_strike_within_two_minutes(phone: Phone, org: Org) -> None:
    """The registry's own services; each change is back-dated to before the incident."""
    phone.was_off(0, 6)
    phone.dialled(1)
    live(phone, at(10), 2)
    assert struck(phone) == {None}, "nobody held it: it costs nobody"

    first = kit(phone, org, at(-24), at(20))
    zhang = holds(phone, org, org.zhang, at(-24), None, at(20))
    live(phone, at(20), 2)
    assert struck(phone) == {org.zhang}

    void_tie(phone.session, SYSTEM, _HOLDING, zhang.id, zhang.version, at(30), reason="登记错了人")
    holds(phone, org, org.li, at(-24), None, at(30))
    live(phone, at(30), 2)
    assert struck(phone) == {org.li}

    void_tie(phone.session, SYSTEM, _KIT, first.id, first.version, at(40), reason="配错了岗位")
    live(phone, at(40), 2)
    assert struck(phone) == {None}


def test_an_end_in_the_past_ends_what_he_answers_for(phone: Phone, org: Org) -> None:
    phone.was_off(0, 6)
    phone.dialled(1)
    kit(phone, org, at(-24), at(10))
    held = holds(phone, org, org.zhang, at(-24), None, at(10))
    live(phone, at(10), 2)
    assert struck(phone) == {org.zhang}
    end_tie(phone.session, SYSTEM, _HOLDING, held.id, held.version, at(20), at=at(-1), reason="已离岗")
    live(phone, at(20), 2)
    assert struck(phone) == {None}


def test_a_tie_that_is_committed_after_a_ruling_is_not_missed(phone: Phone, org: Org) -> None:
    """Its request began before the ruling and ended after it."""
    phone.was_off(0, 6)
    phone.dialled(1)
    kit(phone, org, at(-24), at(10))
    live(phone, at(10), 10)
    phone.settle(20)
    holds(phone, org, org.zhang, at(-24), None, at(20) - 2 * MINUTE)
    assert unsettled(phone.session, org.centre, at(20)) == 1, "the month cannot be closed on what it was"
    live(phone, at(20) + MINUTE, 2)
    assert struck(phone) == {org.zhang}
    live(phone, at(20) + 4 * MINUTE, 2)
    assert unsettled(phone.session, org.centre, at(21)) == 0


def test_a_phone_that_cannot_be_ruled_is_told_and_holds_the_month_open(
    phone: Phone, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone.was_off(0, 6)
    whole = settling.gather

    def broken(*_: Any) -> None:
        raise ArithmeticError("13800138000")

    def asked() -> list[tuple[str, str, str]]:
        rows = phone.session.scalars(select(Task).where(Task.kind == "unruled")).all()
        return [(row.state, row.title, row.roles) for row in rows]

    monkeypatch.setattr(settling, "gather", broken)
    assert (phone.run_job(10), phone.run_job(10.1)) == (0, 0), "not tried again before its time"
    assert phone.run_job(10.3) == 0
    assert asked() == []
    assert unsettled(phone.session, org.centre, at(10.31)) == 1
    assert phone.run_job(10.6) == 0
    assert phone.run_job(11) == 0
    ((state, title, roles),) = asked()
    assert (state, roles) == ("open", "|admin|it|")
    assert "无法裁定" in title
    monkeypatch.setattr(settling, "gather", whole)
    assert phone.run_job(12) == 1
    assert asked()[0][0] == "closed"
    assert unsettled(phone.session, org.centre, at(12)) == 0
    phone.settle(13)
    assert len(asked()) == 1


def test_failures_are_counted_in_a_row(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    phone.was_off(0, 6)
    whole = settling.gather
    for hour in (10, 20, 30, 40):
        monkeypatch.setattr(settling, "gather", lambda *_: 1 / 0)
        assert phone.run_job(hour) == 0
        assert phone.run_job(hour + 1) == 0
        monkeypatch.setattr(settling, "gather", whole)
        assert phone.run_job(hour + 2) == 1
        phone.dialled(hour + 3)
    assert phone.session.scalars(select(Task).where(Task.kind == "unruled")).all() == []
