"""Which two phones an order names: what they told of themselves last, and for all later orders what the first named."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from app.commands import Command
from app.kernel.db import db
from app.transfer import TransferState, transfer_state
from tests.support.agents import reading, with_sections

OLD, NEW, OTHER = "00aa11bb22cc33dd", "1111222233334444", "ffff000011112222"


@pytest.fixture
def database_url(one_database: str) -> str:
    """One look at the orders of one phone is the same on both kinds of database."""
    return one_database


def told(world: Any, phone: str, android_id: str | None) -> None:
    identity = {"serial": phone, "imei": [], "android_id": android_id, "sdk": 33, "brand": "x", "model": "y"}
    answer = world.gateway.checkin(readings=[with_sections(reading(phone), identity=identity)])
    assert answer.status_code == 200, answer.text


def named(command: Any) -> tuple[Any, Any]:
    return command.args["expect"], command.args["new"]["expect"]


def again(world: Any) -> Any:
    world.clock.move(3600)
    world.start()
    [command] = [c for c in world.lease() if c.kind == "transfer_data"]
    return command


def standing(world: Any) -> TransferState:
    with world.app.app_context():
        found = transfer_state(db.session(), world.phones["S1"])
        db.session.remove()
    return found


def test_an_order_names_what_was_read_last(world: Any) -> None:
    told(world, "S1", OLD)
    told(world, "S2", NEW)
    command = world.begin()
    assert named(command) == ({"android_id": OLD}, {"android_id": NEW})
    world.final(command)
    world.wechat()
    assert (world.state, standing(world).android_id) == ("verified", OLD)


@pytest.mark.parametrize("android_id", [None, ""])
def test_of_a_phone_that_did_not_tell_nothing_is_expected(world: Any, android_id: str | None) -> None:
    told(world, "S1", android_id)
    command = world.begin()
    assert named(command) == ({}, {})
    world.final(command)
    world.wechat()
    assert standing(world).android_id is None


def test_what_was_begun_with_one_phone_does_not_go_on_with_another(world: Any) -> None:
    """The copy on the gateway is of the first."""
    told(world, "S1", OLD)
    first = world.begin()
    world.tell(first, "failed", outcome="failed", reason="internal", seconds=1.0)
    told(world, "S1", OTHER)
    second = again(world)
    assert named(second)[0] == {"android_id": OLD}
    world.tell(second, "refused", reason="expect")
    assert world.row().note == "expect"
    assert named(again(world))[0] == {"android_id": OLD}


def test_an_order_that_was_refused_at_first_binds_nobody(world: Any) -> None:
    """The phone had been reset, and was not read again before the order."""
    told(world, "S1", OLD)
    world.tell(world.begin(), "refused", reason="expect")
    told(world, "S1", OTHER)
    assert named(again(world))[0] == {"android_id": OTHER}


def test_what_had_begun_before_it_was_refused_binds_all_the_same(world: Any) -> None:
    """Half of it lies in the copy, and then another phone was plugged in."""
    told(world, "S1", OLD)
    first = world.begin()
    world.tell(first, "running", stage="reading")
    world.tell(first, "not_now", reason="dropped")
    world.clock.move(3600)
    [again_leased] = [c for c in world.lease() if c.kind == "transfer_data"]
    assert again_leased.id == first.id
    world.tell(again_leased, "refused", reason="expect")
    told(world, "S1", OTHER)
    assert named(again(world))[0] == {"android_id": OLD}


def test_orders_that_are_kept_no_longer_tell_nothing(world: Any) -> None:
    told(world, "S1", OLD)
    world.final(world.begin())
    world.wechat()
    with world.writing() as session:
        session.execute(update(Command).values(dedup_key="gone"))
    assert standing(world).android_id is None
