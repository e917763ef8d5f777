"""The chain: appended with the act, gone with a rollback, and every tampering found."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from sqlalchemy import delete, event, select, update

from app.audit import AuditEvent, record, verify
from app.audit.model import AuditHead, AuditRow
from app.kernel.db import begin_write, db


def _append(session, clock, count=5):
    for i in range(count):
        record(
            session,
            AuditEvent(
                at=clock.now(),
                actor="张三",
                action="test.done",
                object=f"thing:{i}",
                details={"n": i, "名": "㐀"},
            ),
        )
    session.commit()
    begin_write(session)


def test_a_chain_is_whole_and_gapless(session, clock):
    assert verify(session).problem is None
    _append(session, clock)
    _append(session, clock, 2)
    result = verify(session)
    assert (result.size, result.problem) == (7, None)
    assert [r.seq for r in session.scalars(select(AuditRow).order_by(AuditRow.seq))] == [1, 2, 3, 4, 5, 6, 7]


def test_an_event_is_gone_with_its_actions_rollback(session, clock):
    record(session, AuditEvent(at=clock.now(), actor="a", action="x.y", object="o"))
    session.rollback()
    begin_write(session)
    _append(session, clock, 1)
    assert verify(session).size == 1


def test_a_savepoint_takes_only_its_own_events_with_it_and_locks_no_head(session, clock):
    def note(name):
        record(session, AuditEvent(at=clock.now(), actor=name, action="x.y", object="o"))

    note("before")
    with session.begin_nested():
        note("kept")
    assert session.get(AuditHead, 1) is None  # nothing is appended before the real commit
    savepoint = session.begin_nested()
    note("undone")
    inner = session.begin_nested()
    note("undone too")
    inner.commit()
    savepoint.rollback()
    note("after")
    session.commit()
    begin_write(session)
    actors = session.scalars(select(AuditRow.actor).order_by(AuditRow.seq)).all()
    assert actors == ["before", "kept", "after"]
    assert verify(session).problem is None


@pytest.mark.parametrize(
    "column",
    [
        "actor",
        "ip",
        "action",
        "object",
        "reason",
        "outcome",
        "details",
        "at",
        "centre_id",
        "prev_hash",
        "hash",
    ],
)
def test_every_changed_field_is_found(session, clock, org, column):
    _append(session, clock)
    values = {
        "at": clock.move(1),
        "centre_id": org.centre,
        "prev_hash": bytes(32),
        "hash": bytes(32),
    }
    session.execute(update(AuditRow).where(AuditRow.seq == 3).values({column: values.get(column, "forged")}))
    assert verify(session).problem is not None


def test_removed_events_are_found_wherever_they_stood(session, clock):
    _append(session, clock)
    for seq in (1, 3, 5):
        savepoint = session.begin_nested()
        session.execute(delete(AuditRow).where(AuditRow.seq == seq))
        assert "missing" in (verify(session).problem or "")
        savepoint.rollback()
    session.execute(delete(AuditRow))
    assert verify(session).problem is not None


def test_a_head_set_back_is_found(session, clock):
    _append(session, clock)
    third = session.get_one(AuditRow, 3)
    session.execute(update(AuditHead).values(size=3, hash=third.hash))
    session.expire_all()
    assert "set back" in (verify(session).problem or "")


def test_many_writers_at_once_make_one_chain(app, clock):
    failures = []

    def work(name: int) -> None:
        with app.app_context():
            try:
                for i in range(2):
                    session = begin_write(db.session())
                    record(
                        session, AuditEvent(at=clock.now(), actor=str(name), action="x.y", object=f"o:{i}")
                    )
                    session.commit()
            except Exception as exc:  # noqa: BLE001  # any failure of a thread fails the test
                failures.append(exc)
            db.session.remove()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    with app.app_context():
        result = verify(db.session())
        assert (result.size, result.problem) == (100, None)


def _appended(app, clock, step):
    """Two events of one act, in a child that kills itself outright at a step; whether it was killed before its end.

    Steps lie before and after each statement, and before and after the commit.
    """
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    child = os.fork()
    if child == 0:
        left = [step]

        def tick(*_):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            with app.app_context():
                for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
                    event.listen(db.engine, name, tick)
                session = begin_write(db.session())
                for i in range(2):
                    record(session, AuditEvent(at=clock.now(), actor="x", action="x.y", object=f"o:{i}"))
                session.commit()
                tick()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_killed_at_each_step_of_an_append(app, clock):
    """Both events stand or neither, and the next one goes on from there."""
    step = 0
    while _appended(app, clock, step):
        with app.app_context():
            result = verify(db.session())
            assert result.problem is None, step
            assert result.size % 2 == 0, step
            db.session.remove()
        step += 1
    with app.app_context():
        result = verify(db.session())
    # Committed: by the child that was killed after its commit, and by the last one.
    assert (result.size, result.problem) == (4, None)
    assert step >= 8


def test_the_command_line_names_the_break_and_fails(app, clock):
    with app.app_context():
        session = begin_write(db.session())
        record(session, AuditEvent(at=clock.now(), actor="a", action="x.y", object="o"))
        session.commit()
        runner = app.test_cli_runner()
        assert runner.invoke(args=["audit", "verify"]).exit_code == 0
        session.execute(update(AuditRow).values(actor="b"))
        session.commit()
        result = runner.invoke(args=["audit", "verify"])
    assert (result.exit_code, "event 1 was altered" in result.output) == (1, True)
