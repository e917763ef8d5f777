"""Two at once, on both databases: one wins, the other is told; what is cut off leaves nothing half done."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.commands import Command
from app.kernel.errors import Conflict
from app.kernel.ids import new_id
from app.remedy import store
from app.remedy.hook import tools
from app.remedy.model import RemedyCase, RemedyStep
from app.remedy.ordering import order
from app.remedy.states import Event
from app.remedy.timing import follow, sweep
from tests.app.remedy.remedy_world import BAD, World
from tests.support.agents import package


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


def test_following_again_changes_nothing(world: World) -> None:
    """A crash between the jobs, or two runs over the same changes."""
    world.find(package(BAD))
    for _ in range(3):
        with world.writing() as session:
            store.set_cursor(session, world.clock.now().replace(year=2020), None)
            assert follow(session, tools(), world.clock.now()) >= 1
    assert (len(world.all()), world.state, len(world.notices())) == (1, "told_butler", 1)
    with world.writing() as session:
        assert session.scalar(select(func.count()).select_from(RemedyStep)) == 3


def test_a_change_that_commits_late_is_followed(world: World, monkeypatch: Any) -> None:
    """The cursor stays behind the present: what began earlier and is seen later is not passed over."""
    world.find(package(BAD))
    with world.writing() as session:
        at, _ = store.cursor(session)
    assert (world.clock.now() - at).total_seconds() == 30
    world.clock.move(3600)
    world.run()
    with world.writing() as session:
        at, after = store.cursor(session)
    assert at < world.clock.now()
    assert after is not None
