"""Queries of boots and of the latest proofs. A batch is one statement, whatever its size."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    BigInteger,
    BindParameter,
    ColumnClause,
    ColumnElement,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    column,
    delete,
    func,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine

from app.kernel.tenancy import Principal, within
from app.uptime.boots import BOUNDS, Boot
from app.uptime.model import PhoneBoot, PhonePower, SettleQueue

_MAX_IDS = 5000
_ROWS: BindParameter[str] = bindparam("rows", type_=Text())
Columns = Mapping[str, str]
_BOOT_COLUMNS: Columns = {
    "handset_id": "uuid",
    "boot_id": "uuid",
    "grade": "text",
    "centre_id": "uuid",
} | dict.fromkeys(BOUNDS, "bigint")
_POWER_COLUMNS: Columns = {
    "handset_id": "uuid",
    "boot_id": "uuid",
    "centre_id": "uuid",
    "proof_last": "bigint",
}


def widen_boots(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert boots or widen their bounds; ids are 32 hexadecimal digits, instants microseconds.

    The database itself takes the lower or higher value, so batches that arrive at once lose nothing to each other;
    callers sort their rows, so that two of them lock in one order and never wait for each other in a circle.
    """
    execute_rows(session, _wider_boots(is_postgres(session)), rows)


@cache
def _wider_boots(postgres: bool) -> Any:
    """Made once: to put it together costs as much as to run it."""
    table = table_of(PhoneBoot)
    statement = insert_from(postgres, table, list(_BOOT_COLUMNS), json_rows(postgres, _BOOT_COLUMNS))
    pairs = {name: (table.c[name], statement.excluded[name]) for name in BOUNDS}
    names = {"min": "least", "max": "greatest"} if postgres else {"min": "min", "max": "max"}
    wider = {
        # SQLite's min() and max() are null if either side is.
        name: getattr(func, names[BOUNDS[name]])(func.coalesce(old, new), func.coalesce(new, old))
        for name, (old, new) in pairs.items()
    }
    return statement.on_conflict_do_update(
        index_elements=[table.c.handset_id, table.c.boot_id, table.c.grade], set_=wider
    )


def advance_power(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set each phone's latest proof, unless a later one stands already. Values as in `widen_boots`."""
    execute_rows(session, _later_power(is_postgres(session)), rows)


@cache
def _later_power(postgres: bool) -> Any:
    table = table_of(PhonePower)
    statement = insert_from(postgres, table, list(_POWER_COLUMNS), json_rows(postgres, _POWER_COLUMNS))
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[table.c.handset_id],
        set_={name: new[name] for name in ("centre_id", "boot_id", "proof_last")},
        where=new.proof_last > table.c.proof_last,
    )


def boots_of(session: Session, principal: Principal, handset_id: uuid.UUID) -> list[tuple[str, Boot]]:
    """Every boot of a phone with the grade of its evidence; within the caller's centres."""
    bounds = [type_coerce(getattr(PhoneBoot, name), BigInteger()) for name in BOUNDS]
    query = select(PhoneBoot.grade, PhoneBoot.boot_id, *bounds).where(
        PhoneBoot.handset_id == handset_id, within(principal, PhoneBoot.centre_id)
    )
    return [(grade, Boot(str(boot_id), *rest)) for grade, boot_id, *rest in session.execute(query)]


_SEEN = ("read_first", "read_last", "started_latest", "open_us", "shutdown_last_us")


def latest_boots(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID] | None
) -> Iterator[Sequence[Any]]:
    """Handset and `_SEEN` of each phone's latest boot as gateways know it; only of those with a dated reading."""
    query = (
        select(PhoneBoot.handset_id, *[type_coerce(getattr(PhoneBoot, name), BigInteger()) for name in _SEEN])
        .join(
            PhonePower,
            and_(PhonePower.handset_id == PhoneBoot.handset_id, PhonePower.boot_id == PhoneBoot.boot_id),
        )
        .where(
            PhoneBoot.grade == "gateway",
            PhoneBoot.read_last.is_not(None),
            within(principal, PhoneBoot.centre_id),
        )
    )
    if handset_ids is None:
        yield from session.execute(query)
        return
    ids = iter(handset_ids)
    while chunk := list(islice(ids, _MAX_IDS)):
        yield from session.execute(query.where(PhoneBoot.handset_id.in_(chunk)))


@dataclass(frozen=True, slots=True)
class LatestProof:
    """`started` is the earliest estimate of the boot's start; instants are microseconds."""

    handset_id: uuid.UUID
    centre_id: uuid.UUID
    boot_id: uuid.UUID
    proof_last: int
    started: int


def latest_proofs(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID]
) -> Iterator[LatestProof]:
    ids = iter(handset_ids)
    while chunk := list(islice(ids, _MAX_IDS)):
        key = (PhonePower.handset_id, PhonePower.centre_id, PhonePower.boot_id)
        query = (
            select(*key, _us(PhonePower.proof_last), _us(func.min(PhoneBoot.started_earliest)))
            .join(
                PhoneBoot,
                and_(PhoneBoot.handset_id == PhonePower.handset_id, PhoneBoot.boot_id == PhonePower.boot_id),
            )
            .where(PhonePower.handset_id.in_(chunk), within(principal, PhonePower.centre_id))
            .group_by(*key, PhonePower.proof_last)
        )
        for row in session.execute(query):
            yield LatestProof(*row)


def proofs_by_centre(session: Session, principal: Principal) -> dict[uuid.UUID, int]:
    """Phones with any proof at all, by centre."""
    query = (
        select(PhonePower.centre_id, func.count())
        .where(within(principal, PhonePower.centre_id))
        .group_by(PhonePower.centre_id)
    )
    return dict(session.execute(query).all())


def old_boots(
    session: Session, before: int, limit: int
) -> dict[tuple[uuid.UUID, uuid.UUID], list[uuid.UUID]]:
    """Boots whose last dated reading lies before an instant, by phone and centre, of at most `limit` phones.

    The phone's latest boot is none of them: what a list of the fleet shows is made from it.
    """
    last = func.max(PhoneBoot.read_last)
    grouped = (
        select(PhoneBoot.handset_id, PhoneBoot.centre_id, PhoneBoot.boot_id)
        .outerjoin(
            PhonePower,
            and_(PhonePower.handset_id == PhoneBoot.handset_id, PhonePower.boot_id == PhoneBoot.boot_id),
        )
        .where(PhonePower.handset_id.is_(None))
        .group_by(PhoneBoot.handset_id, PhoneBoot.centre_id, PhoneBoot.boot_id)
        .having(_us(last) < before)
        .order_by(PhoneBoot.handset_id)
    )
    found: dict[tuple[uuid.UUID, uuid.UUID], list[uuid.UUID]] = {}
    for handset_id, centre_id, boot_id in session.execute(grouped):
        if (handset_id, centre_id) not in found and len(found) == limit:
            break
        found.setdefault((handset_id, centre_id), []).append(boot_id)
    return found


def forget_boots(session: Session, handset_id: uuid.UUID, boot_ids: Collection[uuid.UUID]) -> None:
    session.execute(
        delete(PhoneBoot).where(PhoneBoot.handset_id == handset_id, PhoneBoot.boot_id.in_(boot_ids))
    )


def count_fresh(session: Session, centre_id: uuid.UUID, since: int, until: int) -> int:
    """Phones of a centre whose latest proof lies in `[since, until]`."""
    proof = _us(PhonePower.proof_last)
    query = select(func.count()).where(PhonePower.centre_id == centre_id, proof.between(since, until))
    return session.scalar(query) or 0


def _us(column: InstrumentedAttribute[Any] | ColumnElement[Any]) -> ColumnElement[int]:
    return type_coerce(column, BigInteger())


def table_of(mapped: type[PhoneBoot | PhonePower | SettleQueue]) -> Table:
    table = mapped.__table__
    assert isinstance(table, Table)
    return table


def is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def json_rows(postgres: bool, columns: Columns) -> Select[Any]:
    """The rows of `execute_rows` as a query: a bound value a cell would cost the server more than all the rest."""
    if postgres:
        types: dict[str, TypeEngine[Any]] = {"uuid": Uuid(), "text": Text(), "bigint": BigInteger()}
        cells: list[ColumnClause[Any]] = [column(name, types[kind]) for name, kind in columns.items()]
        rows = func.json_to_recordset(cast(_ROWS, JSON)).table_valued(*cells).render_derived(with_types=True)
        return select(*rows.c)
    each = func.json_each(_ROWS).table_valued("value")
    # Without a WHERE, SQLite reads "ON CONFLICT" as the condition of a join.
    return select(*[func.json_extract(each.c.value, f"$.{name}").label(name) for name in columns]).where(
        true()
    )


def insert_from(postgres: bool, table: Table, columns: Sequence[str], query: Select[Any]) -> Any:
    """The database's own INSERT, which knows ON CONFLICT, of what a query gives."""
    insert = pg_insert if postgres else sqlite_insert
    return insert(table).from_select(list(columns), query)


def execute_rows(session: Session, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run a statement made over `json_rows` with these rows; without any there is nothing to do."""
    if rows:
        session.execute(statement, {"rows": orjson.dumps(rows).decode()})
