"""Open, end and take back tasks. A cause has one open task at a time, however often it says so."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.kernel.errors import Conflict, NotFound
from app.kernel.ids import new_id
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import ROLES, Principal
from app.kernel.texts import one_line
from app.policy import PolicyFiles, effective
from app.tasks import store
from app.tasks.model import Task
from app.tasks.rules import DECIDED, pack_roles, place, unpack_roles
from app.tasks.states import Event, State

MAX_NOTE = 500


def open_task(
    session: Session,
    *,
    key: str,
    kind: str,
    centre_id: uuid.UUID,
    title: str,
    body: str = "",
    link: str | None = None,
    handset_id: uuid.UUID | None = None,
    due_at: dt.datetime | None = None,
    roles: tuple[str, ...] = ("operations",),
    now: dt.datetime,
) -> bool:
    """Ask for something to be done; False, and nothing changed, while a task with this key is open.

    `key` names the cause, e.g. `plug_in:<handset>`; `link` is a path on this server. Raise `ValueError` for a role that
    there is not. Internal: callers act for the system or have checked their principal.
    """
    values = {
        "id": new_id(), "centre_id": centre_id, "key": key, "kind": kind, "title": one_line(title, 200), "body": body,
        "link": link, "handset_id": handset_id, "roles": pack_roles(roles, ROLES), "state": State.OPEN,
        "opened_at": now, "due_at": due_at, "place": place(due_at, now),
    }  # fmt: skip
    return store.insert_new(session, values)


def close_task(session: Session, key: str, *, how: str, by: str, now: dt.datetime) -> bool:
    """End the open task with this key because its cause is gone; False when none is open. Internal, as `open_task`."""
    task = store.open_one(session, key)
    if task is None:
        return False
    try:
        store.move(session, task, Event.CLOSE, ended_at=now, ended_by=by, how=one_line(how, MAX_NOTE))
    except Conflict:
        return False  # somebody completed it in the same moment
    return True


def open_tasks(
    session: Session,
    principal: Principal,
    *,
    mine: bool = False,
    kind: str | None = None,
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    words: str = "",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[Task]:
    """What is to be done in the caller's centres, longest overdue first; with `mine` only what his roles are asked."""
    query = store.query(
        principal, mine=mine, kind=kind, centre_id=centre_id, handset_id=handset_id, words=words
    )
    keys = [SortKey("place", Task.place), SortKey("id", Task.id)]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def ended_tasks(
    session: Session,
    principal: Principal,
    *,
    mine: bool = False,
    kind: str | None = None,
    centre_id: uuid.UUID | None = None,
    words: str = "",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[Task]:
    """What was done or needs doing no more, the latest first."""
    query = store.query(principal, state=None, mine=mine, kind=kind, centre_id=centre_id, words=words)
    keys = [SortKey("ended_at", Task.ended_at, descending=True), SortKey("id", Task.id, descending=True)]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def get(session: Session, principal: Principal, task_id: uuid.UUID) -> Task:
    """Raise `NotFound`, also for a foreign centre's."""
    task = store.find(session, principal, task_id)
    if task is None:
        raise NotFound("没有这件待办 / no such task")
    return task


def complete(
    session: Session, principal: Principal, task_id: uuid.UUID, *, note: str, now: dt.datetime
) -> Task:
    """A person says that it is done. Raise `NotFound`, `Forbidden` for whom it is not for, `Conflict` when it ended,
    or ends only with the decision that it asks for.
    """
    task = get(session, principal, task_id)
    principal.require_role(task.centre_id, *unpack_roles(task.roles))
    if task.kind in DECIDED:
        raise Conflict(
            "请打开它作出处理，处理后待办自动结束 / deal with the matter itself: that ends the task",
            code="task_decided",
        )
    words = one_line(note, MAX_NOTE)
    store.move(session, task, Event.COMPLETE, ended_at=now, ended_by=principal.user, how=words)
    _note(session, principal, task, "task.complete", now, words)
    return task


def undo_minutes(session: Session, policies: PolicyFiles, centre_id: uuid.UUID) -> int:
    """For how long a completion can be taken back in a centre."""
    return int(effective(session, policies, "tasks", centre_id).body["undo_minutes"])


def may_reopen(principal: Principal, task: Task, within_minutes: int, now: dt.datetime) -> bool:
    """Whether the caller may take the completion back now."""
    late = task.ended_at is None or now - task.ended_at > dt.timedelta(minutes=within_minutes)
    return task.state == State.DONE and not late and principal.may(task.centre_id, *unpack_roles(task.roles))


def reopen(
    session: Session, principal: Principal, task_id: uuid.UUID, *, policies: PolicyFiles, now: dt.datetime
) -> Task:
    """Take a completion back within policy's minutes; the audit trail keeps both. Raise as `complete`."""
    task = get(session, principal, task_id)
    principal.require_role(task.centre_id, *unpack_roles(task.roles))
    if not may_reopen(principal, task, undo_minutes(session, policies, task.centre_id), now):
        raise Conflict("已超过可撤销的时间 / the time to take it back is over", code="too_late")
    if store.open_one(session, task.key) is not None:
        raise _newer()
    try:
        with session.begin_nested():
            store.move(session, task, Event.REOPEN, ended_at=None, ended_by=None, how=None)
    except IntegrityError as exc:  # its cause opened a new one in this very moment
        raise _newer() from exc
    _note(session, principal, task, "task.reopen", now)
    return task


def _newer() -> Conflict:
    return Conflict("同一原因已有新的待办 / its cause has a newer task", code="task_open")


def figures(session: Session, principal: Principal, now: dt.datetime) -> dict[str, int]:
    """How many are open, for the caller's own roles, overdue of those."""
    mine = store.query(principal, mine=True)
    late = store.query(principal, mine=True, due_before=now)
    return {
        "open": store.count(session, store.query(principal)),
        "mine": store.count(session, mine),
        "overdue": store.count(session, late),
    }


def _note(
    session: Session, principal: Principal, task: Task, action: str, now: dt.datetime, reason: str = ""
) -> None:
    details: dict[str, Sequence[str] | str] = {"kind": task.kind, "key": task.key}
    record(
        session,
        AuditEvent(
            at=now, actor=principal.user, action=action, object=f"task:{task.id}", centre_id=task.centre_id,
            reason=reason, details=details,
        ),
    )  # fmt: skip
