"""Queries over any registered resource, scoped to the caller; inserts and compare-and-set updates."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Table,
    delete,
    exists,
    false,
    insert,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from app.kernel.db import Base
from app.kernel.ids import new_id
from app.kernel.tenancy import Principal, within
from app.registry.catalogue import RESOURCES
from app.registry.model import District, Handset, HandsetImei, ServiceCentre
from app.registry.resource import Resource

CHUNK = 400
T = TypeVar("T")
_IMEIS = ("imei1", "imei2")


def scope(resource: Resource, principal: Principal) -> ColumnElement[bool]:
    """What of a resource the caller may see."""
    if principal.centres is None:
        return true()
    if resource.has_centre:
        return within(principal, resource.column("centre_id"))
    if resource.model is ServiceCentre:
        return within(principal, ServiceCentre.id)
    if resource.model is District:
        mine = select(ServiceCentre.district_id).where(within(principal, ServiceCentre.id))
        return District.id.in_(mine)
    return true()


def selected(resource: Resource, principal: Principal) -> Any:
    return select(resource.model).where(scope(resource, principal))


def find(
    session: Session, resource: Resource, principal: Principal, row_id: uuid.UUID, *, lock: str = ""
) -> Base | None:
    """One row, fresh when locked. `lock`: `update` (for us alone) or `share` (it must not change meanwhile)."""
    query = selected(resource, principal).where(resource.column("id") == row_id)
    if lock:
        query = query.with_for_update(read=lock == "share").execution_options(populate_existing=True)
    row: Base | None = session.scalar(query)
    return row


def lock_rows(session: Session, resource: Resource, ids: Collection[uuid.UUID]) -> None:
    """Lock many rows in one order, so that two writers never wait for each other."""
    column = resource.column("id")
    for part in chunks(sorted(ids)):
        session.execute(select(column).where(column.in_(part)).order_by(column).with_for_update()).all()


def field_is(resource: Resource, name: str, value: Any) -> ColumnElement[bool]:
    if resource.model is Handset and name in _IMEIS:
        return _imei_where(HandsetImei.imei == value, HandsetImei.slot == int(name[-1]))
    return bool_(resource.column(name) == value)


def field_contains(resource: Resource, name: str, text: str) -> ColumnElement[bool]:
    if resource.model is Handset and name in _IMEIS:
        return _imei_where(HandsetImei.imei.contains(text, autoescape=True)) if name == "imei1" else false()
    return bool_(resource.column(name).icontains(text, autoescape=True))


def bool_(condition: Any) -> ColumnElement[bool]:
    """Types the comparison of a column that is chosen by name."""
    chosen: ColumnElement[bool] = condition
    return chosen


def _imei_where(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return bool_(exists().where(HandsetImei.handset_id == Handset.id, *conditions))


def owners(
    session: Session, resource: Resource, names: tuple[str, ...], keys: Collection[tuple[Any, ...]]
) -> dict[tuple[Any, ...], uuid.UUID]:
    """Which row has each of these values of the fields `names`; of all centres: they are unique in the company."""
    found: dict[tuple[Any, ...], uuid.UUID] = {}
    columns, row_id = _unique_columns(resource, names)
    for part in chunks(list(keys)):
        fits = columns[0].in_([key[0] for key in part]) if len(columns) == 1 else tuple_(*columns).in_(part)
        for *values, owner in session.execute(select(*columns, row_id).where(fits)):
            found[tuple(values)] = owner
    return found


def _unique_columns(resource: Resource, names: tuple[str, ...]) -> tuple[list[Any], Any]:
    if names == ("imei",):
        return [HandsetImei.imei], HandsetImei.handset_id
    return [resource.column(name) for name in names], resource.column("id")


def live_dependants(session: Session, resource: Resource, row_id: uuid.UUID, now: dt.datetime) -> list[str]:
    """The resources that still have live rows (for ties: not over yet) which name this one."""
    found = []
    for dependant in resource.dependants:
        other = RESOURCES[dependant.resource]
        live = other.column("retired_at").is_(None) if not other.tie else _not_over(other, now)
        query = select(exists().where(other.column(dependant.column) == row_id, live))
        if session.scalar(query):
            found.append(dependant.resource)
    return found


def _not_over(tie: Resource, now: dt.datetime) -> ColumnElement[bool]:
    end = tie.column("valid_to")
    return bool_(tie.column("voided_at").is_(None) & or_(end.is_(None), end > now))


def insert_rows(
    session: Session, resource: Resource, rows: Sequence[Mapping[str, Any]], now: dt.datetime
) -> list[uuid.UUID]:
    """Insert in bulk; the new ids in the order of `rows`. `IntegrityError`: a unique value was taken meanwhile."""
    ids = [new_id() for _ in rows]
    stamp = {"version": 1, "created_at": now, "updated_at": now}
    columns = set(resource.model.__table__.columns.keys())
    values = [
        {**{k: v for k, v in row.items() if k in columns}, **stamp, "id": row_id}
        for row, row_id in zip(rows, ids, strict=True)
    ]
    if values:
        session.execute(insert(cast(Table, resource.model.__table__)), values)
    _insert_imeis(session, zip(ids, rows, strict=True))
    return ids


def update_row(
    session: Session,
    resource: Resource,
    row_id: uuid.UUID,
    version: int,
    values: Mapping[str, Any],
    now: dt.datetime,
) -> bool:
    """Write `values` if the row still has this version; False when it has not."""
    columns = set(resource.model.__table__.columns.keys())
    changed = {k: v for k, v in values.items() if k in columns}
    row_is = (resource.column("id") == row_id) & (resource.column("version") == version)
    statement = update(resource.model).where(row_is)
    done = session.execute(
        statement.values(**changed, version=version + 1, updated_at=now).execution_options(
            synchronize_session=False
        )
    )
    if not isinstance(done, CursorResult) or done.rowcount != 1:
        return False
    slots = [int(name[-1]) for name in _IMEIS if name in values]
    if slots:
        session.execute(
            delete(HandsetImei)
            .where(HandsetImei.handset_id == row_id, HandsetImei.slot.in_(slots))
            .execution_options(synchronize_session=False)
        )
        _insert_imeis(session, [(row_id, values)])
    return True


def _insert_imeis(session: Session, rows: Iterable[tuple[uuid.UUID, Mapping[str, Any]]]) -> None:
    imeis = [
        {"imei": row[name], "handset_id": row_id, "slot": int(name[-1])}
        for row_id, row in rows
        for name in _IMEIS
        if row.get(name) is not None
    ]
    if imeis:
        session.execute(insert(cast(Table, HandsetImei.__table__)), imeis)


def load_values(
    session: Session, resource: Resource, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, dict[str, Any]]:
    """The stored columns of many rows as plain dicts, for imports and exports: no mapped objects, bounded memory."""
    columns = list(resource.model.__table__.columns)
    found: dict[uuid.UUID, dict[str, Any]] = {}
    for part in chunks(list(ids)):
        for row in session.execute(select(*columns).where(resource.column("id").in_(part))).mappings():
            found[row["id"]] = dict(row)
        if resource.model is Handset:
            query = select(HandsetImei.handset_id, HandsetImei.slot, HandsetImei.imei)
            for row_id, slot, imei in session.execute(query.where(HandsetImei.handset_id.in_(part))):
                found[row_id][f"imei{slot}"] = imei
    return found


def in_use(
    session: Session, resource: Resource, principal: Principal, centre: uuid.UUID | None, limit: int
) -> dict[uuid.UUID, dict[str, Any]]:
    """The first rows that are not retired, by id, in the resource's order; of one centre where one is given."""
    query = select(resource.column("id")).where(
        scope(resource, principal), resource.column("retired_at").is_(None)
    )
    if centre is not None and resource.has_centre:
        query = query.where(resource.column("centre_id") == centre)
    order = [resource.column(name) for name in resource.order]
    ids = list(session.scalars(query.order_by(*order).limit(limit)))
    values = load_values(session, resource, ids)
    return {row_id: values[row_id] for row_id in ids}


def chunks(items: Sequence[T], size: int = CHUNK) -> Iterable[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
