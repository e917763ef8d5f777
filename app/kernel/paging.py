"""Cursor paging: stable under inserts, no counting, no offsets that grow slow."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson
from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.orm import Session

from app.kernel.errors import FieldError, Invalid

T = TypeVar("T")
DEFAULT_LIMIT = 50
MAX_LIMIT = 200


@dataclass(frozen=True)
class Page(Generic[T]):
    items: Sequence[T]
    next_cursor: str | None


@dataclass(frozen=True)
class SortKey:
    """One column of the order. The last key of an order must be unique, or rows could be skipped."""

    name: str
    column: Any
    descending: bool = False


def encode_cursor(order: str, values: Sequence[object]) -> str:
    raw = orjson.dumps([order, *[str(v) if v is not None else None for v in values]])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode_cursor(cursor: str, order: str, size: int) -> list[str | None]:
    """Values of the last row seen. Raise `Invalid` for a cursor that is not of this list and order."""
    found: object = None
    values: list[str | None] = []
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        found, *values = orjson.loads(raw)
    except (ValueError, TypeError):
        found = None
    if found != order or len(values) != size or not all(v is None or isinstance(v, str) for v in values):
        raise Invalid(
            "the cursor is not of this list and order: start again without it",
            code="bad_cursor",
            fields=[FieldError("cursor", "bad_cursor", "start again without a cursor")],
        )
    return values


def paginate(
    session: Session,
    query: Select[T],
    keys: Sequence[SortKey],
    *,
    cursor: str | None,
    limit: int,
) -> Page[T]:
    """One page of `query` in the order of `keys`, none of which may be null.

    One row more is read, to know whether another page follows.
    """
    order = ",".join(("-" if k.descending else "") + k.name for k in keys)
    if cursor:
        query = query.where(_after(keys, _typed(keys, decode_cursor(cursor, order, len(keys)))))
    query = query.order_by(*[k.column.desc() if k.descending else k.column.asc() for k in keys])
    rows = list(session.scalars(query.limit(limit + 1)))
    if len(rows) <= limit:
        return Page(rows, None)
    rows = rows[:limit]
    last = [_raw(k, rows[-1]) for k in keys]
    return Page(rows, encode_cursor(order, last))


def _raw(key: SortKey, row: object) -> object:
    value = getattr(row, key.column.key)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _typed(keys: Sequence[SortKey], values: Sequence[str | None]) -> list[Any]:
    """Give cursor texts back the Python type of their column. Raise `Invalid` where one does not fit."""
    typed: list[Any] = []
    for key, value in zip(keys, values, strict=True):
        kind = key.column.type.python_type
        try:
            if value is None:
                raise ValueError("null")
            found = kind.fromisoformat(value) if hasattr(kind, "fromisoformat") else kind(value)
            _check_bindable(found)
            typed.append(found)
        except (ValueError, TypeError) as exc:
            raise Invalid("the cursor is damaged: start again without it", code="bad_cursor") from exc
    return typed


def _check_bindable(value: Any) -> None:
    """Raise `ValueError` for what a forged cursor may hold and no database can be asked."""
    naive = isinstance(value, dt.datetime) and value.tzinfo is None
    endless = isinstance(value, int) and not -(2**63) <= value < 2**63
    if naive or endless or (isinstance(value, str) and "\0" in value):
        raise ValueError("not a value of a column")


def _after(keys: Sequence[SortKey], values: Sequence[Any]) -> ColumnElement[bool]:
    """Rows strictly after `values` in lexicographic order; spelled out, for SQLite and mixed directions."""
    ways: list[ColumnElement[bool]] = []
    for i, key in enumerate(keys):
        same = [keys[j].column == values[j] for j in range(i)]
        step = key.column < values[i] if key.descending else key.column > values[i]
        ways.append(and_(*same, step))
    return or_(*ways)
