"""Whose word an order leaves by: not one that was taken back, made longer, or given by who may no longer."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import update

from app.people.model import RoleGrant, User
from app.wipe import asking, releasing
from app.wipe.model import Wipe
from app.wipe.rails import Look
from tests.app.wipe.wipe_world import SIX, TAG, World

TYPED: dict[str, Any] = {"typed_tag": TAG, "typed_imei6": SIX, "imei_typed": None}


def employ(world: World, role: str) -> uuid.UUID:
    with world.writing() as session:
        now = world.clock.now()
        user = User(login=role, name=role, created_at=now, updated_at=now)
        session.add(user)
        session.flush()
        since = now - dt.timedelta(days=1)
        session.add(RoleGrant(user_id=user.id, role=role, centre_id=world.centre, valid_from=since))
        return uuid.UUID(str(user.id))


@pytest.mark.parametrize("undone", [asking.withdraw, asking.cancel])
def test_an_approval_that_was_taken_back_is_not_put_back_by_a_row(world: World, undone: Any) -> None:
    """The row as it was approved matches its event for ever; what came after stands in the trail, too."""
    world.to("armed")
    with world.writing() as session:
        wipe = session.get_one(Wipe, world.id)
        names = [column.key for column in Wipe.__table__.columns if column.key not in ("id", "version")]
        was = {name: getattr(wipe, name) for name in names}
    world.act(undone, world.who("lead", "u-asker"), reason="弄错了")
    with world.writing() as session:
        session.execute(update(Wipe).values(was))
    world.read_phone()
    assert world.refused(releasing.release, world.who("it"), **TYPED) == "blocked"
    assert world.look(Look.RELEASE) == ["tampered"]


def test_an_approval_is_not_made_to_last(world: World) -> None:
    world.to("armed")
    with world.writing() as session:
        session.execute(update(Wipe).values(lapses_at=world.clock.now() + dt.timedelta(days=900)))
    assert world.look(Look.RELEASE) == ["tampered"]


@pytest.mark.parametrize("how", ["inactive", "role"])
@pytest.mark.parametrize("part", ["approver", "performer"])
def test_who_may_no_longer_holds_it_back(world: World, part: str, how: str) -> None:
    """Between the approval and the moment in which the order leaves."""
    people = {"approver": employ(world, "lead"), "performer": employ(world, "it")}
    world.to("requested")
    world.approve(world.who("lead", str(people["approver"])))
    world.arm()
    world.read_phone()
    world.release(world.who("it", str(people["performer"])))
    assert world.look(Look.LEASE) == []
    with world.writing() as session:
        if how == "inactive":
            session.execute(update(User).where(User.id == people[part]).values(active=False))
        else:
            ended = world.clock.now() - dt.timedelta(seconds=1)
            session.execute(update(RoleGrant).where(RoleGrant.user_id == people[part]).values(valid_to=ended))
    assert world.look(Look.LEASE) == [f"{part}_gone"]
    assert world.offered() == []
    assert (world.state, world.row().why) == ("armed", f"{part}_gone")
