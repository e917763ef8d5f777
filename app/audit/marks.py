"""What rows say, bound to the event that wrote them: one hash over all of it stands in the event's details, which
nobody can change. So a row that somebody altered in the database is found.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy.orm import Session

from app.audit.listing import KeptEvent, kept_event
from app.kernel.clock import to_rfc3339

MARK = "mark"
"""The member of an event's details that holds it."""


def facts_of(row: Any, columns: Sequence[str]) -> dict[str, Any]:
    """The named columns of a row as plain values, the same on every database."""
    return {name: _plain(getattr(row, name)) for name in columns}


def _plain(value: Any) -> Any:
    # An instant that was just given and the same one read back may differ in their offset.
    return to_rfc3339(value) if isinstance(value, dt.datetime) else value


def mark_of(facts: Any) -> str:
    """The sha256 over plain values; hexadecimal."""
    return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def trail_problems(event: KeptEvent | None, mark: str, name: str) -> Iterator[str]:
    """What is wrong with rows whose hash is `mark` now, by the event that wrote them: `!` altered, `?` untold."""
    if event is None:
        yield f"! {name}：审计记录中没有这件事"
    elif not event.whole:
        yield f"! {name}：审计记录第 {event.seq} 个事件已被改动"
    elif event.details is None:
        yield f"? {name}：审计记录第 {event.seq} 个事件的详情已按要求删除，不能比对"
    elif MARK not in event.details:
        yield f"? {name}：审计记录第 {event.seq} 个事件没有记下内容的摘要，不能比对"
    elif event.details[MARK] != mark:
        yield f"! {name}：内容与审计记录第 {event.seq} 个事件不同，已被改动"


def against_trail(session: Session, action: str, subject: str, mark: str, name: str) -> Iterator[str]:
    """As `trail_problems`, with the first event of this action on this object."""
    yield from trail_problems(kept_event(session, action, subject), mark, name)
