"""Queries of boots and of the latest proofs. A batch is one statement, whatever its size."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    String,
    Table,
    Uuid,
    and_,
    bindparam,
    func,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine

from app.kernel.tenancy import Principal, within
from app.uptime.boots import BOUNDS, Boot
from app.uptime.model import PhoneBoot, PhonePower

_MAX_IDS = 5000
_KEYS: dict[str, TypeEngine[Any]] = {
    "handset_id": Uuid(),
    "boot_id": Uuid(),
    "grade": String(10),
    "centre_id": Uuid(),
}
_BOOT_COLUMNS: dict[str, TypeEngine[Any]] = _KEYS | {name: BigInteger() for name in BOUNDS}
_POWER_COLUMNS: dict[str, TypeEngine[Any]] = {
    "handset_id": Uuid(),
    "boot_id": Uuid(),
    "centre_id": Uuid(),
    "proof_last": BigInteger(),
}


def widen_boots(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert boots or widen their bounds; instants are microseconds.

    The database itself takes the lower or higher value, so batches that arrive at once lose nothing to each other;
    callers sort their rows, so that two of them lock in one order and never wait for each other in a circle.
    """
    table = _table(PhoneBoot)
    statement = _insert(session, table, _BOOT_COLUMNS)
    pairs = {name: (table.c[name], statement.excluded[name]) for name in BOUNDS}
    names = {"min": "least", "max": "greatest"} if _is_postgres(session) else {"min": "min", "max": "max"}
    wider = {
        # SQLite's min() and max() are null if either side is.
        name: getattr(func, names[BOUNDS[name]])(func.coalesce(old, new), func.coalesce(new, old))
        for name, (old, new) in pairs.items()
    }
    upsert = statement.on_conflict_do_update(
        index_elements=[table.c.handset_id, table.c.boot_id, table.c.grade], set_=wider
    )
    _execute(session, upsert, _BOOT_COLUMNS, rows)


def advance_power(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Set each phone's latest proof, unless a later one stands already."""
    table = _table(PhonePower)
    statement = _insert(session, table, _POWER_COLUMNS)
    new = statement.excluded
    upsert = statement.on_conflict_do_update(
        index_elements=[table.c.handset_id],
        set_={name: new[name] for name in ("centre_id", "boot_id", "proof_last")},
        where=new.proof_last > table.c.proof_last,
    )
    _execute(session, upsert, _POWER_COLUMNS, rows)


def boots_of(session: Session, principal: Principal, handset_id: uuid.UUID) -> list[tuple[str, Boot]]:
    """Every boot of a phone with the grade of its evidence; within the caller's centres."""
    bounds = [type_coerce(getattr(PhoneBoot, name), BigInteger()) for name in BOUNDS]
    query = select(PhoneBoot.grade, PhoneBoot.boot_id, *bounds).where(
        PhoneBoot.handset_id == handset_id, within(principal, PhoneBoot.centre_id)
    )
    return [(grade, Boot(str(boot_id), *rest)) for grade, boot_id, *rest in session.execute(query)]


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


def count_fresh(session: Session, centre_id: uuid.UUID, since: int, until: int) -> int:
    """Phones of a centre whose latest proof lies in `[since, until]`."""
    proof = _us(PhonePower.proof_last)
    query = select(func.count()).where(PhonePower.centre_id == centre_id, proof.between(since, until))
    return session.scalar(query) or 0


def _us(column: InstrumentedAttribute[Any] | ColumnElement[Any]) -> ColumnElement[int]:
    return type_coerce(column, BigInteger())


def _table(mapped: type[PhoneBoot | PhonePower]) -> Table:
    table = mapped.__table__
    assert isinstance(table, Table)
    return table


def _is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _insert(session: Session, table: Table, columns: dict[str, TypeEngine[Any]]) -> Any:
    """An INSERT of many rows. PostgreSQL takes one array a column: a statement a row would cost the client most."""
    if _is_postgres(session):
        arrays = [func.unnest(bindparam(f"p_{n}", type_=ARRAY(kind))) for n, kind in columns.items()]
        return pg_insert(table).from_select(list(columns), select(*arrays))
    values = {name: bindparam(f"p_{name}", type_=kind) for name, kind in columns.items()}
    return sqlite_insert(table).values(values)


def _execute(
    session: Session, statement: Any, columns: dict[str, TypeEngine[Any]], rows: Sequence[dict[str, Any]]
) -> None:
    if not rows:
        return
    if _is_postgres(session):
        session.execute(statement, {f"p_{name}": [row[name] for row in rows] for name in columns})
    else:
        session.execute(statement, [{f"p_{name}": row[name] for name in columns} for row in rows])
