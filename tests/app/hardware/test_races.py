"""Two hands at once, on both databases: one wins, the other is told."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from app.hardware import deducting, judging, reporting
from app.hardware.model import HardwareCase, Instalment
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.ledger import LedgerEntry
from tests.app.hardware.steps import Way


@pytest.fixture
def together(app):
    """Each act in a transaction of its own, all at once; sorted outcomes: `won` or the refusal's code."""

    def run(acts):
        barrier, outcomes = threading.Barrier(len(acts)), []

        def one(act):
            with app.app_context():
                barrier.wait(20)
                session = begin_write(db.session())
                try:
                    act(session)
                    session.commit()
                    outcomes.append("won")
                except DomainError as exc:
                    session.rollback()
                    outcomes.append(exc.code)
                finally:
                    db.session.remove()

        threads = [threading.Thread(target=one, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return sorted(outcomes)

    return run


@pytest.fixture
def kept(app, place, tools, photo):
    """`kept(lambda way: …)`: steps in a transaction of their own, committed."""

    def run(steps):
        with app.app_context():
            session = begin_write(db.session())
            way = Way(session, tools, place, photo)
            steps(way)
            session.commit()
            found = way.case.id, way.now
            db.session.remove()
        return found

    return run


def _count(app, model):
    with app.app_context():
        found = db.session().scalar(select(func.count()).select_from(model))
        db.session.remove()
    return found


def test_one_month_is_taken_once(app, together, kept, place):
    case_id, now = kept(lambda way: way.deducting().later(8))

    def take(session):
        deducting.confirm_month(
            session, place.finance, case_id, deducting.Confirmed("2026-11", 30_000, True), now
        )

    assert together([take] * 3) == ["already_taken", "already_taken", "won"]
    assert (_count(app, LedgerEntry), _count(app, Instalment)) == (1, 1)


def test_one_phone_has_one_running_case(app, together, place, tools):
    given = reporting.Report(place.phone, "damage", place.now, "碎屏")
    acts = [
        lambda session, who=who: reporting.report(session, who, tools, given, place.now)
        for who in (place.lead, place.operations, place.it)
    ]
    assert together(acts) == ["case_runs", "case_runs", "won"]
    assert _count(app, HardwareCase) == 1


def test_one_decides(app, together, kept, place, tools):
    case_id, now = kept(lambda way: (way.report(), way.state()))
    acts = [
        lambda session, who=who, cause=cause: judging.judge(
            session, who, tools, case_id, judging.Finding(cause, "看过", "replace"), now
        )
        for who, cause in ((place.lead, "human"), (place.second, "wear"))
    ]
    assert together(acts) == ["hardware_state", "won"]
