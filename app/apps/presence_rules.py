"""What becomes of the rows of a phone's apps, step by step. Plain values only; instants in microseconds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from app.apps.rules import App, Step

Row = dict[str, Any]
Key = tuple[int, str]
Rows = dict[Key, Row]
"""User and package → a row's columns but its keys."""
TIMES = ("first_at", "since_from", "since_at", "changed_at", "unseen_at", "gone_from", "gone_at")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def row_of(stored: Mapping[str, Any]) -> Row:
    """A row as it was stored, with its instants as microseconds."""
    row = {name: stored[name] for name in App._fields}
    return row | {name: _us(stored[name]) for name in TIMES}


def _us(instant: dt.datetime | None) -> int | None:
    return None if instant is None else (instant - _EPOCH) // dt.timedelta(microseconds=1)


def apply_step(rows: Rows, step: Step) -> set[Key]:
    """Change `rows` by one step; the keys of the rows that are otherwise now."""
    key = (step.user, step.package)
    if step.act == "renew":
        return _leave(rows, step, set(rows))
    if step.act == "left":
        return _leave(rows, step, _of_user(rows, step.user))
    if step.act in ("away", "back"):
        return _reach(rows, step)
    if step.act == "gone":
        return _leave(rows, step, {key} & rows.keys())
    known = rows.get(key)
    there = known is not None and known["gone_at"] is None
    if (step.act == "touch" and not there) or (step.act == "add" and there) or step.app is None:
        return set()
    rows[key] = _changed(known, step) if known is not None and there else _arrived(known, step)
    return {key}


def _of_user(rows: Rows, user: int) -> set[Key]:
    return {key for key in rows if key[0] == user}


def _leave(rows: Rows, step: Step, keys: set[Key]) -> set[Key]:
    leaving = {key for key in keys if rows[key]["gone_at"] is None}
    for key in leaving:
        rows[key] |= {"gone_from": step.since, "gone_at": step.at, "changed_at": step.at, "unseen_at": None}
    return leaving


def _reach(rows: Rows, step: Step) -> set[Key]:
    moved = {key for key in _of_user(rows, step.user) if rows[key]["gone_at"] is None}
    for key in moved:
        # "Not since": without a last time, since the reading that first could not.
        seen_last = step.at if step.since is None else step.since
        rows[key]["unseen_at"] = seen_last if step.act == "away" else None
    return moved


def _changed(known: Row, step: Step) -> Row:
    assert step.app is not None
    return known | step.app._asdict() | {"changed_at": step.at}


def _arrived(known: Row | None, step: Step) -> Row:
    """A new stay; the app may have been there before. On a phone that begins anew nothing was."""
    assert step.app is not None
    first = step.at if known is None else known["first_at"]
    return {
        **step.app._asdict(),
        "first_at": first,
        "since_from": step.since,
        "since_at": step.at,
        "changed_at": step.at,
        "unseen_at": None,
        "gone_from": None,
        "gone_at": None,
    }
