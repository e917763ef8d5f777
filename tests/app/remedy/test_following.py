"""The cursor over verdicts: nothing is passed over, and nothing is done twice."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.remedy import following, store, timing
from app.remedy.hook import tools
from app.remedy.model import RemedyCase, RemedyStep
from app.remedy.timing import follow
from tests.app.remedy.remedy_world import BAD, World
from tests.support.agents import package


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_following_again_changes_nothing(world: World) -> None:
    """A crash between the jobs, or two runs over the same changes."""
    world.to("told_butler")
    for _ in range(3):
        with world.writing() as session:
            store.set_cursor(session, world.clock.now().replace(year=2020), None)
            assert follow(session, tools(), world.clock.now())[0] >= 1
    assert (len(world.all()), world.state, len(world.notices())) == (1, "told_butler", 1)
    with world.writing() as session:
        assert session.scalar(select(func.count()).select_from(RemedyStep)) == 3


def test_a_change_that_commits_late_is_followed(world: World) -> None:
    """The cursor stays behind the present: what began earlier and is seen later is not passed over."""
    world.to("told_butler")
    with world.writing() as session:
        at, _ = store.cursor(session)
    assert (world.clock.now() - at).total_seconds() == 30
    world.clock.move(3600)
    world.run()
    with world.writing() as session:
        at, after = store.cursor(session)
    assert at < world.clock.now()
    assert after is not None


def test_many_are_taken_in_short_transactions_until_none_is_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "PHONES", 1)
    world.read(package(BAD))
    world.clock.move(1)
    world.read(package(BAD), serial="S2")
    world.clock.move(60)
    rests: list[float] = []
    with world.app.app_context():
        taken = timing.follow_all(world.writing, world.clock, tools(), pause=rests.append)
    assert (taken, len(rests)) == (2, 2)
    with world.writing() as session:
        assert (
            session.scalar(select(func.count()).select_from(RemedyCase).where(RemedyCase.subject == BAD)) == 2
        )
    world.clock.move(3600 * 5)
    with world.app.app_context():
        assert timing.sweep_all(world.writing, world.clock, tools(), pause=rests.append) >= 2
    assert world.state == "told_lead"


def test_a_phone_that_makes_up_thousands_of_apps_stops_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gravest begin; what else there is waits until some have ended."""
    monkeypatch.setattr(following, "MOST_OPEN", 3)
    many = [package(f"com.example.a{n}") for n in range(9)]
    world.find(*many, package(BAD))
    assert len(world.all()) == 3
    assert world.state == "told_butler"
    world.find(*many[3:])
    assert len([case for case in world.all() if case.state == "early"]) == 3
