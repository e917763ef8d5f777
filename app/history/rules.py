"""A timeline as a list: put in order, narrowed, cut into pages. Plain values only."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.kernel.timeline import LifeEvent

Key = tuple[int, str]


@dataclass(frozen=True)
class Wanted:
    """ "" and None do not narrow. `[start, end)`: events at an instant in it, and what lasted into it."""

    room: str = ""
    words: str = ""
    start: dt.datetime | None = None
    end: dt.datetime | None = None


def ordered(events: Iterable[LifeEvent]) -> list[LifeEvent]:
    """The newest first; of one instant always in the same order, told twice only once."""
    return sorted(dict.fromkeys(events), key=key_of)


def key_of(event: LifeEvent) -> Key:
    """Its place, unique but for events that tell the very same; hashed, for it travels in addresses and so to logs."""
    text = f"{event.title}\0{event.detail}\0{event.link or ''}"
    return -_us(event.at), f"{event.room}:{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def narrowed(events: Iterable[LifeEvent], wanted: Wanted) -> list[LifeEvent]:
    return [event for event in events if _is_wanted(event, wanted)]


def _is_wanted(event: LifeEvent, wanted: Wanted) -> bool:
    if wanted.room and event.room != wanted.room:
        return False
    if wanted.words and wanted.words.casefold() not in f"{event.title}\0{event.detail}".casefold():
        return False
    if wanted.end is not None and event.at >= wanted.end:
        return False
    return wanted.start is None or event.at >= wanted.start or (event.until or event.at) > wanted.start


def after(events: Sequence[LifeEvent], key: Key | None, limit: int) -> tuple[list[LifeEvent], Key | None]:
    """The page that follows the event of this key, and the key of its last when another page follows."""
    rest = [event for event in events if key is None or key_of(event) > key]
    page = rest[:limit]
    return page, key_of(page[-1]) if len(rest) > limit else None


def _us(instant: dt.datetime) -> int:
    return (instant - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
