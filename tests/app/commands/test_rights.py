"""Nobody sees, counts or takes back a command of another centre; a command that moved meanwhile is not moved again."""

from __future__ import annotations

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.commands import active_counts, enqueue, list_commands, store
from app.commands.model import Command
from app.commands.service import cancel, get
from app.commands.states import Event, State
from app.kernel.clock import FixedClock
from app.kernel.errors import Conflict, NotFound
from app.kernel.tenancy import SYSTEM, Principal
from tests.app.conftest import Org
from tests.support.fleet import Phones


@pytest.fixture
def command(phones: Phones, session: Session, clock: FixedClock) -> Command:
    return enqueue(session, SYSTEM, phones["S1"], "read_phone", now=clock.now())[0]


def test_another_centres_commands_are_not_there(
    org: Org, command: Command, session: Session, clock: FixedClock
) -> None:
    mine, foreign = (
        Principal("u", frozenset({"it"}), frozenset({centre})) for centre in (org.centre, org.other_centre)
    )
    assert get(session, mine, command.id).id == command.id
    assert [c.id for c in list_commands(session, mine).items] == [command.id]
    assert active_counts(session, mine, [command.handset_id]) == {command.handset_id: 1}
    assert list_commands(session, foreign).items == []
    assert active_counts(session, foreign, [command.handset_id]) == {}
    for act in (get, lambda *where: cancel(*where, now=clock.now())):
        with pytest.raises(NotFound):
            act(session, foreign, command.id)
    with pytest.raises(NotFound):
        enqueue(session, foreign, command.handset_id, "read_phone", now=clock.now())


@pytest.mark.parametrize("changed", [{"state": State.CANCELLED}, {"attempts": 7}])
def test_a_command_that_moved_meanwhile_is_not_moved(
    command: Command, session: Session, changed: dict[str, object]
) -> None:
    """What this session knows of it is old: another transaction's change, made here past the session."""
    moved = update(Command).where(Command.id == command.id).values(changed)
    session.execute(moved.execution_options(synchronize_session=False))
    with pytest.raises(Conflict):
        store.move(session, command, Event.LEASE)
    session.refresh(command)
    assert {name: getattr(command, name) for name in changed} == changed
