"""Tasks as people see them: with names, and what the reader may do."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.kernel.paging import Page
from app.kernel.tenancy import Principal
from app.people import ROLE_WORDS, names_of
from app.policy import PolicyFiles
from app.registry import live_centres
from app.tasks import service, store
from app.tasks.model import Task
from app.tasks.rules import DECIDED, unpack_roles


@dataclass(frozen=True)
class TaskLine:
    """A task with its words; `may_end`, `may_reopen`: by the one who looks, now."""

    task: Task
    centre: str
    phone: str
    roles: str
    ended_by: str
    overdue: bool
    may_end: bool
    may_reopen: bool


def task_lines(
    session: Session,
    principal: Principal,
    *,
    ended: bool,
    mine: bool,
    kind: str | None,
    centre_id: uuid.UUID | None,
    words: str,
    cursor: str | None,
    policies: PolicyFiles,
    now: dt.datetime,
) -> Page[TaskLine]:
    """One page of the open or of the ended tasks."""
    find = service.ended_tasks if ended else service.open_tasks
    page = find(session, principal, mine=mine, kind=kind, centre_id=centre_id, words=words, cursor=cursor)
    centre_names = dict(live_centres(session, principal))
    tags = store.phone_tags(session, principal, {t.handset_id for t in page.items if t.handset_id})
    actors = names_of(session, {t.ended_by for t in page.items if t.ended_by})
    minutes = {
        c: service.undo_minutes(session, policies, c) for c in {t.centre_id for t in page.items if ended}
    }
    lines = [
        TaskLine(
            task=task,
            centre=centre_names.get(task.centre_id, ""),
            phone=tags.get(task.handset_id, "") if task.handset_id else "",
            roles="、".join(ROLE_WORDS.get(role, role) for role in unpack_roles(task.roles)),
            ended_by=actors.get(task.ended_by, task.ended_by) if task.ended_by else "",
            overdue=task.due_at is not None and task.due_at < now and not ended,
            may_end=task.kind not in DECIDED and principal.may(task.centre_id, *unpack_roles(task.roles)),
            may_reopen=ended and service.may_reopen(principal, task, minutes[task.centre_id], now),
        )
        for task in page.items
    ]
    return Page(lines, page.next_cursor)


def kinds(session: Session, principal: Principal) -> list[str]:
    return store.kinds(session, principal)
