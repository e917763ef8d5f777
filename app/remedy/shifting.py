"""The one way in which a case moves: its state, its history, its task."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from app.kernel.tenancy import SYSTEM
from app.remedy import store
from app.remedy.model import RemedyCase
from app.remedy.noting import write_step
from app.remedy.states import OPEN, Event, State, advance
from app.remedy.telling import ask_people, stop_asking
from app.remedy.tools import Tools
from app.remedy.words import STEPS


def shift(
    session: Session,
    tools: Tools,
    case: RemedyCase,
    event: Event,
    now: dt.datetime,
    *,
    step: str = "",
    say: str = "",
    by: str = SYSTEM.user,
    noted: str = "ok",
    details: dict[str, Any] | None = None,
    **changes: Any,
) -> State:
    """Raise `Conflict` as `store.move`. What ends has its end; a task is open exactly while the state is `task`.

    `changes` are columns; `noted`: the outcome in the audit trail.
    """
    step, before = step or str(event), State(case.state)
    after = advance(before, event)
    changes.setdefault("due_at", None)
    if after not in OPEN:
        changes |= {"ended_at": now, "ended_by": by, "end_reason": (say or STEPS[step])[:500]}
    elif before not in OPEN:
        changes |= {"ended_at": None, "ended_by": None, "end_reason": None}
    store.move(session, case, event, **changes)
    write_step(session, case, step, say, by, now, outcome=noted, **(details or {}))
    if before == State.TASK and after != State.TASK:
        stop_asking(session, case, say or STEPS[step], by, now)
    if after == State.TASK and before != State.TASK:
        ask_people(session, tools, case, say, now)
    return after
