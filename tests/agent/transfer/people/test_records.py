"""Calls and messages: counted, brought where the phone takes them, and said where it does not."""

from __future__ import annotations

import random

import pytest

from tests.agent.transfer.people.rig import Moving, StartFleet, again, two
from tests.agent.transfer.people.test_cuts import Cutting


def test_calls_arrive_beside_those_that_are_there(start: StartFleet) -> None:
    moving = Moving(two(start, old={"calls": 70}, new={"calls": 3}), "calls")
    report = moving.all()
    assert (report.outcome, report.found, report.verified, report.differs) == ("verified", 70, 70, 0)
    assert moving.all().outcome == "verified"
    assert moving.count("calls") == 73


@pytest.mark.parametrize("lie", ["calls_ignored", "write_denied"])
def test_a_phone_that_takes_no_calls_is_asked_once(start: StartFleet, lie: str) -> None:
    moving = Moving(two(start, old={"calls": 9}, new={"provider_lies": [lie]}), "calls")
    report = moving.all()
    reason = "insert_ignored" if lie == "calls_ignored" else "denied"
    assert (report.outcome, report.reason, report.verified, report.differs) == ("not_offered", reason, 0, 9)
    assert [line["path"] for line in report.differences] == [f"calls/{n}" for n in range(1, 10)]


def test_messages_are_counted_where_only_the_default_app_may_write_them(start: StartFleet) -> None:
    moving = Moving(two(start, old={"messages": 12}), "messages")
    report = moving.all()
    assert (report.outcome, report.reason) == ("not_offered", "default_sms_app")
    assert (report.found, report.moved, report.differs) == (12, 0, 12)
    assert moving.count("sms") == 0


def test_messages_arrive_where_the_phone_takes_them(start: StartFleet) -> None:
    moving = Moving(two(start, old={"messages": 12}, new={"provider_lies": ["sms_taken"]}), "messages")
    report = moving.all()
    assert (report.outcome, report.verified, report.reason) == ("verified", 12, None)


def test_multimedia_messages_are_told_and_not_forgotten(start: StartFleet) -> None:
    moving = Moving(
        two(start, old={"messages": 2, "mms": 3}, new={"provider_lies": ["sms_taken"]}), "messages"
    )
    report = moving.all()
    assert (report.outcome, report.reason, report.differs) == ("differences", "mms_not_moved", 0)
    assert [line["path"] for line in report.differences] == ["messages/mms"]


@pytest.mark.parametrize("name", ["calls", "messages"])
def test_what_may_not_be_read_is_not_offered_and_not_empty(start: StartFleet, name: str) -> None:
    moving = Moving(two(start, old={name: None}), name)
    report = moving.all()
    assert (report.outcome, report.found, report.reason) == ("not_offered", None, "denied")


def test_a_new_phone_that_may_not_be_read_is_not_verified(start: StartFleet) -> None:
    moving = Moving(two(start, old={"calls": 3}, new={"calls": None}), "calls")
    report = moving.all()
    assert (report.outcome, report.verified, report.reason) == ("failed", None, "new_denied")


def test_over_the_limit_the_rest_is_listed(start: StartFleet) -> None:
    moving = Moving(two(start, old={"calls": 9}), "calls", insert_rows=4)
    report = moving.all()
    assert (report.outcome, report.reason, report.verified) == ("differences", "over_limit", 4)


def test_nothing_is_verified_of_what_was_never_read(start: StartFleet) -> None:
    for name in ("calls", "contacts"):
        moving = Moving(two(start, old={}), name)
        assert moving.deliver().reason == "not_collected"
        assert (moving.verify().outcome, moving.verify().reason) == ("not_offered", "not_collected")


@pytest.mark.parametrize("seed", range(4))
def test_cuts_at_random_places(start: StartFleet, seed: int) -> None:
    moving = Moving(two(start, old={"calls": 90}), "calls")
    rng = random.Random(seed)
    moving.wrap = lambda inner: Cutting(inner, rng, 0.06)
    again(moving.collect)
    again(moving.deliver)
    assert again(moving.verify).outcome == "verified"
    assert moving.count("calls") == 90
