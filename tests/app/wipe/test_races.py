"""Two hands at once, on both databases: one wins, the other is told, and the phone gets at most one order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.commands import Command
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.wipe import asking, drafting, releasing, timing
from app.wipe.hook import tools
from app.wipe.model import Wipe
from tests.app.wipe.wipe_world import SIX, TAG, World

Act = Callable[[Session], Any]


@pytest.fixture
def together(app: Any) -> Callable[[Sequence[Act]], list[str]]:
    """Each act in a transaction of its own, all at once; sorted outcomes: `won`, the refusal's code, or `busy`."""

    def run(acts: Sequence[Act]) -> list[str]:
        barrier, outcomes = threading.Barrier(len(acts)), []

        def one(act: Act) -> None:
            with app.app_context():
                barrier.wait(20)
                session = db.session()
                try:
                    begin_write(session)
                    act(session)
                    session.commit()
                    outcomes.append("won")
                except DomainError as exc:
                    session.rollback()
                    outcomes.append(exc.code)
                except OperationalError:
                    session.rollback()
                    outcomes.append("busy")
                finally:
                    db.session.remove()

        threads = [threading.Thread(target=one, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return sorted(outcomes)

    return run


Together = Callable[[Sequence[Act]], list[str]]


def doing(world: World, what: Any, by: Any, *, with_tools: bool = False, **named: Any) -> Act:
    def act(session: Session) -> None:
        given = (session, by, tools()) if with_tools else (session, by)
        what(*given, world.id, **named, now=world.clock.now())

    return act


def release(world: World, user: str = "u-it") -> Act:
    typed = {"typed_tag": TAG, "typed_imei6": SIX, "imei_typed": None}
    return doing(world, releasing.release, world.who("it", user), with_tools=True, **typed)


def orders(world: World) -> int:
    with world.writing() as session:
        return (
            session.scalar(select(func.count()).select_from(Command).where(Command.kind == "wipe_phone")) or 0
        )


def test_two_drafts(world: World, together: Together) -> None:
    def act(session: Session) -> None:
        drafting.open_wipe(session, world.who("it"), tools(), world.phones["S1"], now=world.clock.now())

    together([act] * 4)
    with world.writing() as session:
        assert session.scalar(select(func.count()).select_from(Wipe)) == 1


def test_two_approvers(world: World, together: Together) -> None:
    world.to("requested")
    acts = [doing(world, asking.approve, world.who("lead", f"l{n}"), with_tools=True) for n in range(4)]
    assert together(acts).count("won") == 1
    assert world.trail().count("approve") == 1


def test_approved_and_withdrawn(world: World, together: Together) -> None:
    world.to("requested")
    found = together(
        [
            doing(world, asking.approve, world.who("lead"), with_tools=True),
            doing(world, asking.withdraw, world.who("it", "u-asker")),
        ]
    )
    assert "won" in found
    row = world.row()
    assert (row.state, row.approved_by) in (("approved", "u-lead"), ("draft", None))


def test_released_twice(world: World, together: Together) -> None:
    world.to("armed")
    world.read_phone()
    assert together([release(world, f"it{n}") for n in range(4)]).count("won") == 1
    assert orders(world) == 1
    assert len(world.offered()) == 1


def test_released_and_cancelled(world: World, together: Together) -> None:
    world.to("armed")
    world.read_phone()
    cancel = doing(world, asking.cancel, world.who("lead"), reason="停")
    found = together([release(world), cancel])
    assert "won" in found
    sent = world.offered()
    if world.state == "cancelled":
        assert sent == []
    else:
        assert (world.state, len(sent)) == ("delivered", 1)


def test_leased_and_cancelled(world: World, together: Together) -> None:
    """Whoever comes first: an order that left is not called cancelled, and one that is cancelled does not leave."""
    world.to("queued")
    sent: list[Any] = []

    def lease(_: Session) -> None:
        db.session.remove()
        sent.extend(world.offered())

    together([lease, doing(world, asking.cancel, world.who("it"), reason="停")])
    state = world.state
    assert (state, len(sent)) in (("delivered", 1), ("cancelled", 0))


def test_leased_by_two_check_ins(world: World, together: Together) -> None:
    world.to("queued")
    sent: list[Any] = []

    def lease(_: Session) -> None:
        db.session.remove()
        sent.extend(world.offered())

    together([lease] * 3)
    assert (len(sent), world.state) == (1, "delivered")


def test_a_lapse_and_a_release(world: World, together: Together) -> None:
    world.to("armed")
    world.read_phone()
    with world.writing() as session:
        session.execute(update(Wipe).values(lapses_at=world.clock.now()))
    found = together([release(world), lambda session: timing.lapse(session, world.clock.now())])
    assert found.count("won") >= 1
    assert (world.state, orders(world)) == ("expired", 0)


def test_the_caps_hold_for_two_at_once(world: World, together: Together, monkeypatch: Any) -> None:
    """Of two phones' releases by one person at his last allowed one, one goes through."""
    world.to("armed")
    for _ in range(9):
        world.read_phone()
        world.release()
        world.act(releasing.recall, world.who("it"))
    world.read_phone()
    found = together([release(world), release(world)])
    assert found.count("won") == 1
    assert world.trail().count("release") == 10
