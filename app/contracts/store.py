"""Queries of contracts. One belongs to the centre that made it and is seen by the one that has the number now."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.contracts.model import NumberContract
from app.hardware import out_of_use
from app.kernel.errors import NotFound
from app.kernel.spans import holds_at
from app.kernel.tenancy import Principal, within
from app.registry import Company, District, Handset, KitAssignment, Number, Post, ServiceCentre

_CHUNK = 500


def lock_number(session: Session, principal: Principal, number_id: uuid.UUID) -> Number:
    """The number; until the transaction ends nobody else changes its contracts. Raise `NotFound`."""
    query = (
        select(Number).where(Number.id == number_id, within(principal, Number.centre_id)).with_for_update()
    )
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("没有这个号码 / no such number")
    return found


def find(session: Session, principal: Principal, contract_id: uuid.UUID) -> NumberContract:
    query = select(NumberContract).join(Number, Number.id == NumberContract.number_id)
    query = query.where(NumberContract.id == contract_id, visible(principal))
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("没有这份合约 / no such contract")
    return row


def visible(principal: Principal) -> ColumnElement[bool]:
    return or_(within(principal, NumberContract.centre_id), within(principal, Number.centre_id))


def overlapping(
    session: Session,
    number_id: uuid.UUID,
    starts_on: dt.date,
    ends_on: dt.date,
    besides: uuid.UUID | None = None,
) -> NumberContract | None:
    query = select(NumberContract).where(
        NumberContract.number_id == number_id,
        NumberContract.voided_at.is_(None),
        NumberContract.starts_on <= ends_on,
        NumberContract.ends_on >= starts_on,
    )
    if besides is not None:
        query = query.where(NumberContract.id != besides)
    return session.scalar(query.order_by(NumberContract.starts_on).limit(1))


def at_day(session: Session, number_id: uuid.UUID, day: dt.date) -> NumberContract | None:
    return overlapping(session, number_id, day, day)


def of_number(session: Session, number_id: uuid.UUID) -> Sequence[NumberContract]:
    """Every contract of a number, also void ones, oldest first."""
    query = select(NumberContract).where(NumberContract.number_id == number_id)
    return session.scalars(query.order_by(NumberContract.starts_on, NumberContract.id)).all()


def beginning(session: Session, number_id: uuid.UUID, day: dt.date) -> NumberContract | None:
    """The contract of a number that begins on a day."""
    query = select(NumberContract).where(
        NumberContract.number_id == number_id,
        NumberContract.starts_on == day,
        NumberContract.voided_at.is_(None),
    )
    return session.scalar(query)


def before(session: Session, number_id: uuid.UUID, day: dt.date) -> NumberContract | None:
    """The latest contract that ended before a day."""
    query = select(NumberContract).where(
        NumberContract.number_id == number_id,
        NumberContract.voided_at.is_(None),
        NumberContract.ends_on < day,
    )
    return session.scalar(query.order_by(NumberContract.ends_on.desc()).limit(1))


def is_last() -> ColumnElement[bool]:
    """No contract of the number that holds ends later: it is the one that matters."""
    later = aliased(NumberContract)
    return and_(
        NumberContract.voided_at.is_(None),
        ~exists().where(
            later.number_id == NumberContract.number_id,
            later.voided_at.is_(None),
            later.ends_on > NumberContract.ends_on,
        ),
    )


def last_of(session: Session, number_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, NumberContract]:
    found: dict[uuid.UUID, NumberContract] = {}
    ids = list(number_ids)
    for start in range(0, len(ids), _CHUNK):
        query = select(NumberContract).where(
            NumberContract.number_id.in_(ids[start : start + _CHUNK]), is_last()
        )
        found |= {row.number_id: row for row in session.scalars(query)}
    return found


def ending(
    session: Session, until: dt.date, *, retired: bool = False
) -> Sequence[tuple[NumberContract, Number]]:
    """The last contracts of live numbers that end by a day, for the warnings; locked, those of others passed over.

    `retired`: those of retired numbers instead, which somebody was warned of.
    """
    query = (
        select(NumberContract, Number)
        .join(Number, Number.id == NumberContract.number_id)
        .where(is_last(), NumberContract.ends_on <= until)
        .order_by(NumberContract.ends_on, NumberContract.id)
        .with_for_update(of=NumberContract, skip_locked=True)
    )
    if retired:
        query = query.where(Number.retired_at.is_not(None), NumberContract.warned.is_not(None))
    else:
        query = query.where(Number.retired_at.is_(None))
    rows = session.execute(query.execution_options(populate_existing=True))
    return [(row.NumberContract, row.Number) for row in rows]


def listed(
    principal: Principal,
    *,
    all_rows: bool = False,
    centre_id: uuid.UUID | None = None,
    number_id: uuid.UUID | None = None,
    ends_from: dt.date | None = None,
    ends_to: dt.date | None = None,
    words: str = "",
) -> Select[NumberContract]:
    """Contracts of live numbers; without `all_rows` only the last one of each."""
    query = (
        select(NumberContract).join(Number, Number.id == NumberContract.number_id).where(visible(principal))
    )
    if not all_rows:
        query = query.where(is_last(), Number.retired_at.is_(None))
    if centre_id is not None:
        query = query.where(or_(Number.centre_id == centre_id, NumberContract.centre_id == centre_id))
    if number_id is not None:
        query = query.where(NumberContract.number_id == number_id)
    if ends_from is not None:
        query = query.where(NumberContract.ends_on >= ends_from)
    if ends_to is not None:
        query = query.where(NumberContract.ends_on <= ends_to)
    return query.where(_matches(words)) if words else query


def _matches(words: str) -> ColumnElement[bool]:
    columns = (Number.e164, NumberContract.carrier, NumberContract.plan_name)
    digits = "".join(words.split())
    found = [column.icontains(words, autoescape=True) for column in columns]
    return or_(*found, Number.e164.icontains(digits, autoescape=True)) if digits else or_(*found)


def numbers_without(
    principal: Principal, *, centre_id: uuid.UUID | None = None, words: str = ""
) -> Select[Number]:
    """Live numbers that no contract is registered for."""
    has_one = exists().where(NumberContract.number_id == Number.id, NumberContract.voided_at.is_(None))
    query = select(Number).where(within(principal, Number.centre_id), Number.retired_at.is_(None), ~has_one)
    if centre_id is not None:
        query = query.where(Number.centre_id == centre_id)
    if words:
        query = query.where(Number.e164.icontains("".join(words.split()), autoescape=True))
    return query


def live_numbers(
    session: Session, principal: Principal, centre_id: uuid.UUID | None, words: str = ""
) -> Sequence[Number]:
    query = select(Number).where(within(principal, Number.centre_id), Number.retired_at.is_(None))
    if centre_id is not None:
        query = query.where(Number.centre_id == centre_id)
    if words:
        query = query.where(Number.e164.icontains("".join(words.split()), autoescape=True))
    return session.scalars(query.order_by(Number.e164)).all()


def numbers(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Number]:
    """Numbers that visible contracts name."""
    found: dict[uuid.UUID, Number] = {}
    wanted = list(set(ids))
    for start in range(0, len(wanted), _CHUNK):
        query = select(Number).where(Number.id.in_(wanted[start : start + _CHUNK]))
        found |= {row.id: row for row in session.scalars(query)}
    return found


def number_by_e164(session: Session, principal: Principal, e164: str) -> Number | None:
    return session.scalar(select(Number).where(Number.e164 == e164, within(principal, Number.centre_id)))


@dataclass(frozen=True)
class Place:
    """Where a number is used now: its post, and the phone of that post, None where there is none."""

    post_id: uuid.UUID
    post: str
    handset_id: uuid.UUID | None
    tag: str | None


def places(session: Session, number_ids: Collection[uuid.UUID], now: dt.datetime) -> dict[uuid.UUID, Place]:
    """The place of each number that belongs to a post at the instant."""
    of_number, of_phone = aliased(KitAssignment), aliased(KitAssignment)
    held = [
        and_(one.voided_at.is_(None), holds_at(one.valid_from, one.valid_to, now))
        for one in (of_number, of_phone)
    ]
    phone = and_(of_phone.post_id == of_number.post_id, of_phone.handset_id.is_not(None), held[1])
    found: dict[uuid.UUID, Place] = {}
    ids = list(set(number_ids))
    for start in range(0, len(ids), _CHUNK):
        query = (
            select(of_number.number_id, Post.id, Post.name, Handset.id, Handset.asset_tag)
            .join(Post, Post.id == of_number.post_id)
            .outerjoin(of_phone, phone)
            .outerjoin(Handset, Handset.id == of_phone.handset_id)
            .where(of_number.number_id.in_(ids[start : start + _CHUNK]), held[0])
            # A post with two phones: the one that came last is the one in use.
            .order_by(of_phone.valid_from, Handset.asset_tag)
        )
        for number_id, post_id, post, handset_id, tag in session.execute(query):
            if number_id is not None:
                found[number_id] = Place(post_id, post, handset_id, tag)
    return found


def numbers_at_phone(
    session: Session, principal: Principal, handset_id: uuid.UUID, now: dt.datetime
) -> Sequence[uuid.UUID]:
    """The numbers of the post that has the phone at the instant."""
    phone, number = aliased(KitAssignment), aliased(KitAssignment)
    held = [
        and_(one.voided_at.is_(None), holds_at(one.valid_from, one.valid_to, now)) for one in (phone, number)
    ]
    query = (
        select(number.number_id)
        .join(phone, phone.post_id == number.post_id)
        .where(
            phone.handset_id == handset_id,
            number.number_id.is_not(None),
            *held,
            within(principal, phone.centre_id),
        )
    )
    return [found for found in session.scalars(query) if found is not None]


def spares(
    session: Session, principal: Principal, centre_id: uuid.UUID, now: dt.datetime
) -> Sequence[Handset]:
    """Registered phones of a centre that belong to no post, now or later, and are whole."""
    tied = exists().where(
        KitAssignment.handset_id == Handset.id,
        KitAssignment.voided_at.is_(None),
        or_(KitAssignment.valid_to.is_(None), KitAssignment.valid_to > now),
    )
    query = select(Handset).where(
        Handset.centre_id == centre_id,
        within(principal, Handset.centre_id),
        Handset.retired_at.is_(None),
        Handset.id.not_in(out_of_use()),
        ~tied,
    )
    return session.scalars(query.order_by(Handset.asset_tag)).all()


def companies(session: Session, centre_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    """The company's name of each centre."""
    query = (
        select(ServiceCentre.id, Company.name)
        .join(District, District.id == ServiceCentre.district_id)
        .join(Company, Company.id == District.company_id)
        .where(ServiceCentre.id.in_(set(centre_ids)))
    )
    return {row[0]: row[1] for row in session.execute(query)}


def count_last(session: Session, principal: Principal, *conditions: Any) -> int:
    query = select(func.count(NumberContract.id)).join(Number, Number.id == NumberContract.number_id)
    query = query.where(visible(principal), is_last(), Number.retired_at.is_(None), *conditions)
    return session.scalar(query) or 0


def count_without(session: Session, principal: Principal) -> int:
    query = numbers_without(principal).with_only_columns(func.count(Number.id))
    return session.scalar(query) or 0


def labels(
    session: Session, kind: type[Handset] | type[Post], ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, str]:
    column = Handset.asset_tag if kind is Handset else Post.name
    return {row[0]: row[1] for row in session.execute(select(kind.id, column).where(kind.id.in_(set(ids))))}
