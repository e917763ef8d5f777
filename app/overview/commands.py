"""Commands as people see them: with the phone's and the gateway's name, and why one ended."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.commands import ACTIVE, Command, State, list_commands
from app.kernel.paging import Page
from app.kernel.tenancy import Principal
from app.overview import store
from app.overview.words import UNREACHED
from app.people import names_of

_WAITING = (State.QUEUED, State.NOT_NOW)


@dataclass(frozen=True)
class CommandLine:
    """`why`: the agent's reason where it gave one; `created_by`: a name; `cancellable` as long as no agent holds it."""

    id: uuid.UUID
    handset_id: uuid.UUID
    phone: str
    kind: str
    state: str
    why: str
    created_at: dt.datetime
    created_by: str
    due_at: dt.datetime
    expires_at: dt.datetime
    finished_at: dt.datetime | None
    attempts: int
    max_attempts: int
    not_now_times: int
    gateway: str
    active: bool
    cancellable: bool


def command_lines(
    session: Session,
    principal: Principal,
    agents: Mapping[uuid.UUID, str],
    *,
    states: Sequence[str] = (),
    handset_id: uuid.UUID | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[CommandLine]:
    """Newest first. Raise `Invalid` for a cursor of another list."""
    page = list_commands(session, principal, states=states, handset_id=handset_id, cursor=cursor, limit=limit)
    names = store.phone_names(session, principal, [command.handset_id for command in page.items])
    people = names_of(session, {command.created_by for command in page.items})
    return Page([_line(command, names, agents, people) for command in page.items], page.next_cursor)


def _line(
    command: Command,
    names: Mapping[uuid.UUID, str],
    agents: Mapping[uuid.UUID, str],
    people: Mapping[str, str],
) -> CommandLine:
    return CommandLine(
        id=command.id,
        handset_id=command.handset_id,
        phone=names.get(command.handset_id, ""),
        kind=command.kind,
        state=command.state,
        why=_why(command.result),
        created_at=command.created_at,
        created_by=people[command.created_by],
        due_at=command.due_at,
        expires_at=command.expires_at,
        finished_at=command.finished_at,
        attempts=command.attempts,
        max_attempts=command.max_attempts,
        not_now_times=command.not_now_times,
        gateway=agents.get(command.agent_id, "") if command.agent_id else "",
        active=command.state in ACTIVE,
        cancellable=command.state in _WAITING,
    )


def _why(result: Mapping[str, Any] | None) -> str:
    """The reason in an agent's last word; what an agent says is shown as text, whatever it is."""
    detail = (result or {}).get("detail")
    reason = detail.get("reason") if isinstance(detail, dict) else None
    return UNREACHED.get(str(reason), str(reason)[:200]) if reason else ""
