"""A removal is for the phone whose reading was judged: not for a clone, and not for what a reset made of it."""

from __future__ import annotations

from typing import Any

import pytest

from app.remedy.restoring import restore
from tests.app.remedy.remedy_world import BAD, OWNER, World, seen
from tests.support.agents import package

CLONE = "ffffffffffffffff"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_an_order_does_not_leave_for_a_phone_that_answers_in_its_place(world: World) -> None:
    world.layer("remedy", {"known_days": 0})
    world.to("ordered")
    assert world.offered(package(BAD), android_id=CLONE) == []
    assert (world.state, world.case().why) == ("task", "not_sent")
    assert "stop" in world.steps()


@pytest.mark.parametrize("told", [None, ""])
def test_a_phone_that_does_not_tell_who_it_is_loses_nothing(world: World, told: Any) -> None:
    world.find(package(BAD), android_id=told)
    assert world.look() == ["not_met"]


def test_who_it_was_before_says_nothing_of_who_it_is(world: World) -> None:
    """Its apps were read, itself was not."""
    world.to("told_butler")
    world.clock.move(20)
    entry = [{"section": "identity", "reason": "timeout"}]
    world.read(package(BAD), unread=entry, identity=False)
    assert "not_met" in world.look()


def test_after_a_reset_a_day_goes_by_and_then_it_is_that_phone(world: World) -> None:
    world.to("told_butler")
    world.clock.move(20)
    world.find(package(BAD), android_id=CLONE)
    assert world.look() == ["too_new"]
    world.run(hours=24)
    world.find(package(BAD), android_id=CLONE)
    assert world.look() == []
    world.order()
    [command] = world.offered(package(BAD), android_id=CLONE)
    assert command.args["expect"] == {"android_id": CLONE}


def test_the_next_users_turn_is_for_the_same_phone(world: World) -> None:
    """Between the first and the second a clone came: nobody ordered anything for it."""
    world.layer("remedy", {"known_days": 0})
    both = [package(BAD), package(BAD, user=999)]
    users = [*OWNER, {"id": 999, "name": "双开", "running": True}]
    world.find(*both, users=users)
    world.order()
    [first] = world.offered(*both, users=users)
    world.read(*both, users=users, android_id=CLONE)
    world.gone()
    assert (world.state, world.case().why) == ("task", "not_sent")
    assert world.command().args == first.args | {"user": 999}


def test_a_gateway_that_finds_another_phone_makes_it_a_task_and_a_reading(world: World) -> None:
    world.to("removing")
    assert world.tell("refused", reason="expect") == []
    case = world.case()
    assert (case.state, case.why, case.outcome) == ("task", "refused", "unknown")
    assert "read_phone" in world.queued()
    assert world.steps()[-2:] == ["word", "stop"]
    world.clock.move(20)
    world.find(android_id=CLONE)
    assert world.state == "gone", "what it was reset to has no such app"


def test_a_reading_of_another_phone_proves_no_removal(world: World) -> None:
    world.to("checking")
    world.clock.move(20)
    world.find(android_id=CLONE)
    assert (world.state, "verify" in world.steps()) == ("gone", False)


def test_nor_that_it_was_not_done(world: World) -> None:
    world.to("checking")
    world.clock.move(20)
    world.find(package(BAD), android_id=CLONE)
    assert (world.state, world.case().why) == ("task", "other_identity")


def test_nor_does_a_list_of_which_nobody_knows_whose_it_is(world: World) -> None:
    world.to("checking")
    world.clock.move(20)
    world.read(identity=False, unread=[{"section": "identity", "reason": "timeout"}])
    world.run()
    assert world.state == "checking"
    world.clock.move(20)
    world.find()
    assert world.state == "removed"


def test_nothing_is_brought_back_on_another_phone(world: World) -> None:
    world.to("removing")
    world.tell("succeeded", "disabled", seen(enabled=3))
    world.clock.move(20)
    off = package(BAD, enabled=False)
    world.find(off)
    world.act(restore, reason="要用")
    assert world.offered(off, android_id=CLONE) == []
    assert (world.state, world.steps()[-1]) == ("removed", "keep")
    assert world.refused(restore, reason="要用") == "blocked"
