"""Two people at the same contract, assessment or request at once: one wins, the other is told. On both databases."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.contracts import contract_service, request_service, work_store
from app.contracts.assessment_service import void
from app.contracts.model import Assessment
from app.contracts.request_service import Wanted, ask
from app.contracts.states import AssessmentEvent
from app.kernel.db import begin_write, db
from app.kernel.errors import Conflict, DomainError
from tests.app.contracts.conftest import terms


def both(app, *acts):
    """Run each in a transaction of its own, at once; the names of what was refused, in order of the acts."""
    outcomes: list[str] = [""] * len(acts)
    start = threading.Barrier(len(acts))

    def run(place, act):
        with app.app_context(), Session(db.engine) as session:
            start.wait()
            begin_write(session)
            try:
                act(session)
                session.commit()
            except DomainError as exc:
                session.rollback()
                outcomes[place] = exc.code

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes


def test_two_contracts_of_one_number_at_once(app, kit, clock):
    def enter(who):
        return lambda session: contract_service.enter(session, who, kit.number, terms(), now=clock.now())

    assert sorted(both(app, enter(kit.ops), enter(kit.lead))) == ["", "overlap"]


def test_one_request_an_assessment_and_one_decision(app, kit, clock, session, here, assess):
    """Through the unique index where two ask at once, through the state where two decide."""
    row_id = assess().id
    session.commit()
    wanted = Wanted("Redmi", "13C", 99_900)

    def asks(who):
        return lambda s: ask(s, who, row_id, wanted, policies=here.policies, now=clock.now())

    assert sorted(both(app, asks(kit.lead), asks(kit.ops))) == ["", "requested"]
    with Session(db.engine) as reader:
        request = work_store.live_request(reader, row_id)
    asker = request.requested_by
    others = [who for who in (kit.lead, kit.ops, kit.ops2) if who.user != asker]
    outcome = both(
        app,
        lambda s: request_service.approve(s, others[0], request.id, keys=here.keys, now=clock.now()),
        lambda s: request_service.reject(s, others[1], request.id, reason="不用", now=clock.now()),
    )
    assert sorted(outcome) == ["", "contract_state"]


def test_a_row_that_moved_meanwhile_is_not_written_again(session, kit, clock, assess):
    row = assess("keep", confirmed=False)
    other = update(Assessment).where(Assessment.id == row.id).values(version=99)
    session.execute(other.execution_options(synchronize_session=False))
    with pytest.raises(Conflict):
        work_store.write(session, row, reason="别的")
    with pytest.raises(Conflict):
        work_store.move_assessment(session, row, AssessmentEvent.CANCEL)


def test_void_and_ask_at_once_leave_no_request_of_a_void_assessment(app, kit, clock, session, here, assess):
    row = assess()
    row_id, version = row.id, row.version
    session.commit()
    outcome = both(
        app,
        lambda s: void(s, kit.ops2, row_id, reason="看错", version=version, now=clock.now()),
        lambda s: ask(
            s, kit.lead, row_id, Wanted("Redmi", "13C", 99_900), policies=here.policies, now=clock.now()
        ),
    )
    assert sorted(bool(code) for code in outcome) == [False, True]
