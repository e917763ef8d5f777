"""Half-open spans of time `[from, to)`; `to` None is open. One meaning of "overlap" and "at" for every room."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import InstrumentedAttribute


def overlaps(
    start: InstrumentedAttribute[dt.datetime],
    end: InstrumentedAttribute[dt.datetime | None],
    wanted_from: dt.datetime,
    wanted_to: dt.datetime | None,
) -> ColumnElement[bool]:
    """Rows whose span shares an instant with `[wanted_from, wanted_to)`."""
    after = or_(end.is_(None), end > wanted_from)
    return after if wanted_to is None else and_(after, start < wanted_to)


def holds_at(
    start: InstrumentedAttribute[dt.datetime],
    end: InstrumentedAttribute[dt.datetime | None],
    instant: dt.datetime,
) -> ColumnElement[bool]:
    """Rows whose span holds the instant."""
    return and_(start <= instant, or_(end.is_(None), end > instant))
