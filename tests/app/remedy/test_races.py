"""Two at once, on both databases: one wins, the other is told; what is cut off leaves nothing half done."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from app.commands import Command
from app.kernel.errors import Conflict
from app.kernel.ids import new_id
from app.remedy import store
from app.remedy.hook import tools
from app.remedy.model import RemedyCase
from app.remedy.ordering import order
from app.remedy.states import Event
from app.remedy.timing import sweep
from tests.app.remedy.remedy_world import World


def test_two_who_saw_the_same_state(world: World) -> None:
    world.to("told_butler")
    with world.writing() as session:
        seen = store.by_id(session, world.case_id())
        assert seen is not None
        # Another moved it after this one was read.
        session.execute(
            update(RemedyCase)
            .values(version=RemedyCase.version + 1)
            .execution_options(synchronize_session=False)
        )
        with pytest.raises(Conflict) as told:
            store.move(session, seen, Event.DISMISS)
        assert told.value.code == "remedy_state"


def test_the_database_holds_one_open_case_and_one_at_work(world: World) -> None:
    world.to("ordered")
    case = world.case()
    with world.writing() as session:
        values = {c.key: getattr(case, c.key) for c in RemedyCase.__table__.columns} | {"id": new_id()}
        assert store.insert_new(session, values) is None, "the same finding"
        twin = {**values, "code": "app_sideloaded", "state": "told_lead", "command_id": None}
        other = store.insert_new(session, twin)
        assert other is not None
        with pytest.raises(Conflict) as told:
            store.move(session, other, Event.ORDER)
        assert told.value.code == "app_at_work"


def test_cut_off_in_the_middle_nothing_stands(world: World) -> None:
    """An order, and a step of the ladder, that never came to their commit."""
    world.to("told_butler")
    with world.app.app_context():
        from app.kernel.db import begin_write, db

        session = begin_write(db.session())
        order(
            session,
            world.who("lead"),
            tools(),
            world.case_id(),
            reason="x",
            accept_loss=True,
            now=world.clock.now(),
        )
        session.rollback()
        db.session.remove()
    assert world.state == "told_butler"
    with world.writing() as session:
        kinds = session.scalars(select(Command.kind)).all()
        assert "remove_app" not in kinds
    assert world.trail() == []
    before = len(world.notices())
    with world.app.app_context():
        world.clock.move(5 * 3600)
        session = begin_write(db.session())
        sweep(session, tools(), world.clock.now())
        session.rollback()
        db.session.remove()
    assert (world.state, len(world.notices())) == ("told_butler", before)
    world.run()
    assert world.state == "told_lead", "the next run does it once"
