"""Lists: filters, search, order and pages; the same conditions serve exports."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.kernel.errors import FieldError, Invalid
from app.kernel.paging import Page, SortKey, paginate
from app.kernel.spans import holds_at
from app.kernel.tenancy import Principal
from app.registry import store
from app.registry.resource import Resource

STATES = ("active", "retired", "any")
TIE_STATES = ("valid", "voided", "any")
_EXPORT_PAGE = 1000


@dataclass(frozen=True)
class Query:
    """`filters` are exact; `q` is sought in every searchable field; `at`: ties that hold at this instant."""

    filters: Mapping[str, Any] = field(default_factory=dict)
    q: str = ""
    sort: str = ""
    state: str = ""
    at: dt.datetime | None = None


def states(resource: Resource) -> tuple[str, ...]:
    """The states that a list may be asked for; the first is the usual one."""
    return TIE_STATES if resource.tie else STATES


def sorts(resource: Resource) -> list[str]:
    names = [f.name for f in resource.fields if f.sort] + ["created_at"]
    return [sign + name for name in names for sign in ("", "-")]


def list_rows(
    session: Session,
    principal: Principal,
    resource: Resource,
    query: Query,
    *,
    cursor: str | None,
    limit: int,
) -> Page[Any]:
    wanted = store.selected(resource, principal).where(*_conditions(resource, query))
    return paginate(session, wanted, _keys(resource, query.sort), cursor=cursor, limit=limit)


def every_id(
    session: Session, principal: Principal, resource: Resource, query: Query
) -> Iterator[list[uuid.UUID]]:
    """The ids of all rows of a list in its order, a thousand at a time."""
    keys = _keys(resource, query.sort)
    order = [k.column.desc() if k.descending else k.column.asc() for k in keys]
    ids = select(resource.column("id")).where(store.scope(resource, principal), *_conditions(resource, query))
    found = list(session.scalars(ids.order_by(*order)))
    for start in range(0, len(found), _EXPORT_PAGE):
        yield found[start : start + _EXPORT_PAGE]


def _keys(resource: Resource, sort: str) -> list[SortKey]:
    sort = sort or resource.order[0]
    if sort not in sorts(resource):
        raise Invalid(
            "不能按此排序 / no such order",
            fields=[FieldError("sort", "unknown", "one of: " + ", ".join(sorts(resource)))],
        )
    name = sort.removeprefix("-")
    down = sort.startswith("-")
    return [SortKey(name, resource.column(name), down), SortKey("id", resource.column("id"), down)]


def _conditions(resource: Resource, query: Query) -> list[ColumnElement[bool]]:
    found = [store.field_is(resource, name, value) for name, value in query.filters.items()]
    for word in query.q.split():
        hits = [store.field_contains(resource, f.name, word) for f in resource.fields if f.search]
        found.append(or_(*hits))
    state = query.state or states(resource)[0]
    if state != "any":
        mark = resource.column("voided_at" if resource.tie else "retired_at")
        found.append(mark.is_not(None) if state in ("retired", "voided") else mark.is_(None))
    if query.at is not None and resource.tie:
        found.append(holds_at(resource.column("valid_from"), resource.column("valid_to"), query.at))
    return found


def count(session: Session, principal: Principal, resource: Resource) -> int:
    """How many rows a list shows without any filter."""
    rows = select(func.count()).select_from(resource.model)
    wanted = rows.where(store.scope(resource, principal), *_conditions(resource, Query()))
    return session.scalar(wanted) or 0
