"""The agents' own beats, and their words on tests of reach, as a check-in brings them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.commands import FINAL, CommandHooks, ResultInput, apply_result, held_by
from app.kernel.errors import Conflict
from app.observers import Beat, note_beats, parse_beat
from app.probes import take_result
from app.readings import AgentRef, BadEntry

Reject = Callable[[str, int, str, str], None]


def take_beats(
    session: Session, agent: AgentRef, entries: Sequence[Any], reject: Reject, now: dt.datetime
) -> None:
    """Each beat stands and falls alone; `reject(part, index, code, detail)` takes those that are not understood."""
    beats: list[Beat] = []
    for index, entry in enumerate(entries):
        try:
            beats.append(parse_beat(entry))
        except BadEntry as exc:
            reject("beats", index, "bad_entry", str(exc))
    note_beats(session, agent, beats, now)


def take_result_in(
    session: Session, agent: AgentRef, result: ResultInput, hooks: CommandHooks, now: dt.datetime
) -> None:
    """An agent's word on a command, and on the test or the order that it may be. Raise as `apply_result`."""
    try:
        command = apply_result(session, agent, result, now)
    except Conflict:
        if not _late(session, agent, result, hooks, now):
            raise
        return
    take_result(session, agent, result, now)
    hook = hooks.get(command.kind)
    if hook is not None:
        hook.word(session, agent, command, result, now)


def _late(
    session: Session, agent: AgentRef, result: ResultInput, hooks: CommandHooks, now: dt.datetime
) -> bool:
    command = held_by(session, agent, result.id)
    hook = hooks.get(command.kind)
    return command.state in FINAL and hook is not None and hook.late(session, agent, command, result, now)
