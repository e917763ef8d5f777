"""What an agent says of the order. What it says plainly counts; by all else it is unknown what was done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.commands import Command, ResultInput, give_up
from app.kernel.ids import parse_id
from app.kernel.tenancy import SYSTEM
from app.readings import AgentRef
from app.wipe import store
from app.wipe.model import Wipe
from app.wipe.noting import write_step
from app.wipe.rules import Word, reason_words, word_of
from app.wipe.states import NEXT, Event, State


def take_word(
    session: Session,
    agent: AgentRef,
    command: Command,
    result: ResultInput,
    detail: Mapping[str, Any],
    now: dt.datetime,
    *,
    late: bool = False,
) -> bool:
    """Each word of the agent that held the order. True: it was of our last order, and told something.

    Of an earlier order it changes nothing and stands in the history. `late`: the queue had ended the command.
    """
    wipe = wipe_of(session, command)
    if wipe is None:
        return False
    word, by = word_of(result.state, detail), f"agent:{agent.id}"
    step = "late_word" if late else "word"
    known = {"state": result.state, "meaning": word.meaning, "command": str(command.id)}
    if word.lock_cleared and wipe.command_id == command.id and not wipe.lock_cleared:
        store.write(session, wipe, now, lock_cleared=True)
    told = word.stage or word.reason or ""
    write_step(session, wipe, step, reason_words(told), by, now, **known, reason=told)
    if wipe.command_id != command.id:
        return True
    _follow(session, wipe, word, by, now)
    if result.state == "not_now" and not late:
        # Single use: whoever stands at the phone looks again, and releases anew.
        give_up(session, command.id, "not now: released anew", now)
    return True


def _follow(session: Session, wipe: Wipe, word: Word, by: str, now: dt.datetime) -> None:
    """Move the wipe to what the word means, where its state still leaves that open."""
    if word.meaning == "accepted" and _can(wipe, Event.ACKNOWLEDGE):
        store.move(session, wipe, Event.ACKNOWLEDGE, now, acknowledged_at=now, why=None)
        write_step(session, wipe, "acknowledge", "", by, now)
    elif word.meaning == "nothing" and _can(wipe, Event.STOP):
        store.move(session, wipe, Event.STOP, now, why=word.reason, ordered_at=None)
        write_step(session, wipe, "stop", reason_words(word.reason or ""), by, now, reason=word.reason or "")
    elif word.meaning == "unknown" and wipe.state == State.DELIVERED:
        fall_silent(session, wipe, word.reason or "failed", by, now)


def _can(wipe: Wipe, event: Event) -> bool:
    return (State(wipe.state), event) in NEXT


def fall_silent(session: Session, wipe: Wipe, why: str, by: str, now: dt.datetime) -> None:
    """It is unknown whether the order was carried out."""
    store.move(session, wipe, Event.SILENCE, now, silent_at=now, why=why)
    write_step(session, wipe, "silence", reason_words(why), by, now, reason=why)


def command_ended(session: Session, command: Command, now: dt.datetime) -> None:
    """The queue ended the order without a word: before it left nothing was done, afterwards nobody knows."""
    wipe = wipe_of(session, command)
    if wipe is None or wipe.command_id != command.id:
        return
    if wipe.state == State.QUEUED:
        store.move(session, wipe, Event.STOP, now, why="not_taken")
        write_step(session, wipe, "stop", reason_words("not_taken"), SYSTEM.user, now, reason="not_taken")
    elif wipe.state == State.DELIVERED:
        fall_silent(session, wipe, "no_answer", SYSTEM.user, now)


def wipe_of(session: Session, command: Command) -> Wipe | None:
    """The wipe that a command names, if it is of the same phone."""
    given = command.args.get("wipe")
    wipe = store.by_id(session, parse_id(given) if isinstance(given, str) else None)
    return wipe if wipe is not None and wipe.handset_id == command.handset_id else None
