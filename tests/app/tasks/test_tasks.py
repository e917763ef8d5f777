"""A cause has one open task; a person ends it and may take that back for a while; nobody sees a foreign centre's."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.model import AuditRow
from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.kernel.errors import Conflict, Forbidden, NotFound
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import PolicyFiles
from app.tasks import Task, close_task, figures, open_task, open_tasks
from app.tasks.rules import pack_roles
from app.tasks.service import complete, ended_tasks, get, reopen
from app.tasks.states import NEXT, Event, State, advance
from tests.app.conftest import Caller, Org

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def policies(app: Any) -> PolicyFiles:
    return app.extensions["butler"].policies  # type: ignore[no-any-return]


def _open(session: Session, org: Org, clock: FixedClock, key: str = "k", **more: Any) -> bool:
    values: dict[str, Any] = {
        "key": key,
        "kind": "dial",
        "centre_id": org.centre,
        "title": f"做 {key}",
        "now": clock.now(),
    }
    return open_task(session, **{**values, **more})


def _one(session: Session, key: str = "k") -> Task:
    return session.scalars(select(Task).where(Task.key == key).order_by(Task.opened_at.desc())).first()  # type: ignore[return-value]


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_every_state_and_event(state: State, event: Event) -> None:
    if (state, event) in NEXT:
        assert advance(state, event) is NEXT[state, event]
    else:
        with pytest.raises(Conflict):
            advance(state, event)


def test_a_cause_has_one_open_task(session: Session, org: Org, clock: FixedClock) -> None:
    assert _open(session, org, clock)
    assert not _open(session, org, clock, title="再说一次")
    assert _one(session).title == "做 k"
    assert close_task(session, "k", how="原因已消失", by="system", now=clock.now())
    assert not close_task(session, "k", how="again", by="system", now=clock.now())
    assert _one(session).state == State.CLOSED
    assert _open(session, org, clock), "the cause came again"


def test_longest_overdue_first_and_those_without_a_time_last(
    session: Session, org: Org, clock: FixedClock
) -> None:
    for key, due in (("none", None), ("soon", clock.now() + HOUR), ("late", clock.now() - HOUR)):
        _open(session, org, clock, key, due_at=due)
    assert [t.key for t in open_tasks(session, SYSTEM).items] == ["late", "soon", "none"]
    first = open_tasks(session, SYSTEM, limit=2)
    rest = open_tasks(session, SYSTEM, limit=2, cursor=first.next_cursor)
    assert [t.key for t in [*first.items, *rest.items]] == ["late", "soon", "none"]


def test_tasks_are_for_roles_in_their_centre(session: Session, org: Org, clock: FixedClock) -> None:
    _open(session, org, clock, "ops")
    _open(session, org, clock, "lead", roles=("lead", "it"))
    _open(session, org, clock, "there", centre_id=org.other_centre)
    rights = frozenset({("lead", org.centre), ("operations", org.other_centre)})
    who = Principal(
        "u",
        frozenset({"lead", "operations"}),
        frozenset({org.centre, org.other_centre}),
        rights=rights,
    )
    assert {t.key for t in open_tasks(session, who, mine=True).items} == {"lead", "there"}
    assert figures(session, who, clock.now()) == {"open": 3, "mine": 2, "overdue": 0}
    assert {t.key for t in open_tasks(session, SYSTEM, mine=True).items} == {"ops", "lead", "there"}
    with pytest.raises(Forbidden):
        complete(session, who, _one(session, "ops").id, note="", now=clock.now())
    with pytest.raises(ValueError, match="roles"):
        pack_roles(("nobody",), ("lead",))


def test_a_foreign_centres_task_is_not_there(session: Session, org: Org, clock: FixedClock) -> None:
    _open(session, org, clock)
    foreign = Principal("f", frozenset({"operations"}), frozenset({org.other_centre}))
    assert not open_tasks(session, foreign).items
    with pytest.raises(NotFound):
        get(session, foreign, _one(session).id)
    with pytest.raises(NotFound):
        complete(session, foreign, _one(session).id, note="", now=clock.now())


def test_a_completion_can_be_taken_back_for_a_while(
    session: Session, org: Org, clock: FixedClock, policies: PolicyFiles
) -> None:
    _open(session, org, clock)
    task = _one(session)
    complete(session, SYSTEM, task.id, note=" 打过\x00了 ", now=clock.now())
    assert (task.state, task.how) == (State.DONE, "打过了")
    with pytest.raises(Conflict):
        complete(session, SYSTEM, task.id, note="", now=clock.now())
    reopen(session, SYSTEM, task.id, policies=policies, now=clock.move(3600))
    assert (task.state, task.ended_at) == (State.OPEN, None)
    complete(session, SYSTEM, task.id, note="", now=clock.now())
    with pytest.raises(Conflict):
        reopen(session, SYSTEM, task.id, policies=policies, now=clock.move(3601))
    session.commit()
    acts = [row.action for row in session.scalars(select(AuditRow).order_by(AuditRow.seq))]
    assert acts[-3:] == ["task.complete", "task.reopen", "task.complete"]


def test_a_newer_task_of_the_cause_stands_in_the_way(
    session: Session, org: Org, clock: FixedClock, policies: PolicyFiles
) -> None:
    _open(session, org, clock)
    old = _one(session)
    complete(session, SYSTEM, old.id, note="", now=clock.now())
    clock.move(1)
    _open(session, org, clock)
    with pytest.raises(Conflict):
        reopen(session, SYSTEM, old.id, policies=policies, now=clock.now())


def test_words_and_kind_narrow_the_list(session: Session, org: Org, clock: FixedClock) -> None:
    _open(session, org, clock, "a", title="拨测 GJ-0001", kind="dial")
    _open(session, org, clock, "b", body="房号 100%_\\", kind="report")
    assert [t.key for t in open_tasks(session, SYSTEM, words="gj-0001").items] == ["a"]
    assert [t.key for t in open_tasks(session, SYSTEM, words="%_\\").items] == ["b"]
    assert [t.key for t in open_tasks(session, SYSTEM, kind="report").items] == ["b"]
    close_task(session, "a", how="", by="system", now=clock.now())
    assert [t.key for t in ended_tasks(session, SYSTEM).items] == ["a"]


@pytest.fixture
def task_id(app: Flask, org: Org, clock: FixedClock) -> uuid.UUID:
    with app.app_context():
        session = begin_write(db.session())
        _open(session, org, clock, due_at=clock.now() - HOUR)
        session.commit()
        found = _one(session).id
        db.session.remove()
    return found


def test_the_api_by_role(task_id: uuid.UUID, org: Org, as_user: Callable[..., Caller]) -> None:
    operations, auditor = as_user("operations", org.centre), as_user("auditor", org.centre)
    assert as_user("butler", org.centre).get("/api/v1/tasks").status_code == 403
    assert len(auditor.get("/api/v1/tasks").json["items"]) == 1
    assert auditor.get("/api/v1/tasks?mine=true").json["items"] == []
    path = f"/api/v1/tasks/{task_id}"
    assert auditor.post(f"{path}/complete", json={}).status_code == 403
    assert as_user("operations", org.other_centre).get(path).status_code == 404
    done = operations.post(f"{path}/complete", json={"note": "好"})
    assert (done.status_code, done.json["state"], done.json["roles"]) == (200, "done", ["operations"])
    assert operations.post(f"{path}/complete", json={}).status_code == 409
    assert len(operations.get("/api/v1/tasks?state=ended").json["items"]) == 1
    assert operations.post(f"{path}/reopen").json["state"] == "open"


@pytest.mark.parametrize("kind", ["incident", "report", "excuse"])
def test_what_must_be_decided_is_not_ticked_off(
    session: Session, org: Org, clock: FixedClock, kind: str
) -> None:
    _open(session, org, clock, kind=kind, roles=("lead",))
    with pytest.raises(Conflict) as refused:
        complete(session, SYSTEM, _one(session).id, note="看过了", now=clock.now())
    assert refused.value.code == "task_decided"
    assert close_task(session, "k", how="已有结论", by="system", now=clock.now())
