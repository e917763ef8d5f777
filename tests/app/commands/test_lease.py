"""What the queue itself refuses, should all before it fail."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.commands import enqueue, lease
from app.commands.model import Command
from app.commands.states import Event, State
from app.commands.store import move
from app.kernel.clock import FixedClock
from app.kernel.errors import Conflict
from app.kernel.tenancy import SYSTEM
from app.readings import AgentRef
from tests.support.fleet import Phones


def test_an_agent_on_a_phone_leases_for_no_other(phones: Phones, session: Session, clock: FixedClock) -> None:
    enqueue(session, SYSTEM, phones["S2"], "read_phone", now=clock.now())
    agent = AgentRef(uuid.uuid4(), phones.centre, "self", phones["S1"])
    assert lease(session, agent, [phones["S1"], phones["S2"]], clock.now(), 10) == []


def test_an_agent_of_another_centre_leases_nothing(
    phones: Phones, session: Session, clock: FixedClock
) -> None:
    enqueue(session, SYSTEM, phones["S2"], "read_phone", now=clock.now())
    agent = AgentRef(uuid.uuid4(), phones.other_centre, "gateway")
    assert lease(session, agent, [phones["S2"]], clock.now(), 10) == []


def test_who_saw_an_older_state_moves_nothing(phones: Phones, session: Session, clock: FixedClock) -> None:
    command, _ = enqueue(session, SYSTEM, phones["S1"], "read_phone", now=clock.now())
    behind = (
        update(Command).values(state=State.LEASED, attempts=1).execution_options(synchronize_session=False)
    )
    session.execute(behind)
    with pytest.raises(Conflict):
        move(session, command, Event.CANCEL)
    session.refresh(command)
    assert command.state == State.LEASED
