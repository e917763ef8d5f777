"""Queries of rounds and their items. A state changes only by compare-and-set."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.credchecks.model import CheckItem, CheckRound, ItemChange
from app.credchecks.rules import Tally
from app.credchecks.states import Item, ItemEvent, Round, RoundEvent, advance
from app.kernel.db import insert_into
from app.kernel.errors import Conflict, NotFound
from app.kernel.ids import new_id
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal, within
from app.registry import ServiceCentre

_SYSTEM = "system"
_CHUNK = 500


def insert_round(session: Session, values: Mapping[str, Any]) -> CheckRound | None:
    """None when this centre has this month's already: of two who open it at once one does."""
    new = insert_into(session, CheckRound).values(**values)
    done = session.execute(
        new.on_conflict_do_nothing(index_elements=["centre_id", "month"]).returning(CheckRound.id)
    ).first()
    return None if done is None else session.get_one(CheckRound, done.id)


def find_round(session: Session, principal: Principal, round_id: uuid.UUID) -> CheckRound:
    """Raise `NotFound`, also for a foreign centre's."""
    query = select(CheckRound).where(CheckRound.id == round_id, within(principal, CheckRound.centre_id))
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("没有这次核对 / no such round")
    return row


def find_item(session: Session, principal: Principal, item_id: uuid.UUID) -> CheckItem:
    query = select(CheckItem).where(CheckItem.id == item_id, within(principal, CheckItem.centre_id))
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("没有这个核对事项 / no such item")
    return row


def lock_round(session: Session, round_id: uuid.UUID) -> CheckRound:
    """Until the transaction ends its items change here only: a round closes with what was signed, or not at all."""
    query = select(CheckRound).where(CheckRound.id == round_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def rounds(
    principal: Principal, *, state: str | None = None, centre_id: uuid.UUID | None = None, month: str = ""
) -> Select[CheckRound]:
    query = select(CheckRound).where(within(principal, CheckRound.centre_id))
    if state:
        query = query.where(CheckRound.state == state)
    if centre_id:
        query = query.where(CheckRound.centre_id == centre_id)
    if month:
        query = query.where(CheckRound.month == month)
    return query


def to_settle(session: Session) -> Sequence[CheckRound]:
    """Open rounds, locked, those of others passed over; those first that were looked at longest ago."""
    query = select(CheckRound).where(CheckRound.state == Round.OPEN)
    query = query.order_by(CheckRound.settled_at, CheckRound.id)
    return session.scalars(query.with_for_update(skip_locked=True)).all()


def rounds_with(session: Session, subject_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID]]:
    """Open rounds that ask about these parts of kits, each with which of them."""
    found: dict[uuid.UUID, set[uuid.UUID]] = {}
    for start in range(0, len(subject_ids), _CHUNK):
        query = select(CheckItem.round_id, CheckItem.subject_id).join(
            CheckRound, CheckRound.id == CheckItem.round_id
        )
        query = query.where(
            CheckRound.state == Round.OPEN, CheckItem.subject_id.in_(subject_ids[start : start + _CHUNK])
        )
        for row in session.execute(query.distinct()):
            found.setdefault(row.round_id, set()).add(row.subject_id)
    return found


def open_rounds(session: Session) -> Sequence[CheckRound]:
    query = select(CheckRound).where(CheckRound.state == Round.OPEN)
    return session.scalars(query.order_by(CheckRound.month, CheckRound.id)).all()


def closed_rounds(session: Session) -> Iterator[CheckRound]:
    query = select(CheckRound).where(CheckRound.state == Round.CLOSED).order_by(CheckRound.id)
    yield from session.scalars(query.execution_options(yield_per=200))


def months_opened(session: Session, month: str) -> set[uuid.UUID]:
    """The centres that have this month's round."""
    return set(session.scalars(select(CheckRound.centre_id).where(CheckRound.month == month)))


def centres(session: Session) -> list[uuid.UUID]:
    return list(session.scalars(select(ServiceCentre.id).where(ServiceCentre.retired_at.is_(None))))


def centre_names(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    query = select(ServiceCentre.id, ServiceCentre.name).where(ServiceCentre.id.in_(ids))
    return {row.id: row.name for row in session.execute(query)}


def items(session: Session, round_id: uuid.UUID, post_id: uuid.UUID | None = None) -> Sequence[CheckItem]:
    query = select(CheckItem).where(CheckItem.round_id == round_id)
    if post_id is not None:
        query = query.where(CheckItem.post_id == post_id)
    query = query.order_by(CheckItem.place, CheckItem.id).execution_options(populate_existing=True)
    return session.scalars(query).all()


def changes_of_round(session: Session, round_id: uuid.UUID) -> Sequence[ItemChange]:
    """Every change of its items, the oldest first."""
    query = select(ItemChange).join(CheckItem, CheckItem.id == ItemChange.item_id)
    query = query.where(CheckItem.round_id == round_id).order_by(ItemChange.at, ItemChange.id)
    return session.scalars(query.execution_options(populate_existing=True)).all()


def items_of(
    session: Session, employee_id: uuid.UUID, round_ids: Collection[uuid.UUID]
) -> Sequence[CheckItem]:
    """What was, or is to be, checked of the kit that somebody held at the openings."""
    query = select(CheckItem).where(CheckItem.holder_id == employee_id, CheckItem.round_id.in_(round_ids))
    return session.scalars(query.order_by(CheckItem.place, CheckItem.id)).all()


def rounds_of(session: Session, employee_id: uuid.UUID, limit: int) -> Sequence[CheckRound]:
    """The rounds that had something of his kit, the latest first."""
    held = select(CheckItem.round_id).where(CheckItem.holder_id == employee_id)
    query = select(CheckRound).where(CheckRound.id.in_(held)).order_by(CheckRound.month.desc())
    return session.scalars(query.limit(limit)).all()


def tallies(session: Session, round_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Tally]:
    query = select(CheckItem.round_id, CheckItem.state, func.count()).where(CheckItem.round_id.in_(round_ids))
    found: dict[uuid.UUID, dict[str, int]] = {round_id: {} for round_id in round_ids}
    for round_id, state, number in session.execute(query.group_by(CheckItem.round_id, CheckItem.state)):
        found[round_id][state] = number
    return {round_id: Tally(counts) for round_id, counts in found.items()}


def changes(session: Session, item_ids: Collection[uuid.UUID]) -> Sequence[ItemChange]:
    query = select(ItemChange).where(ItemChange.item_id.in_(item_ids))
    return session.scalars(query.order_by(ItemChange.at, ItemChange.id)).all()


def last_match(session: Session, subject_id: uuid.UUID, kind: str, before: dt.datetime) -> dt.datetime | None:
    """When a round last found this password right."""
    query = select(func.max(ItemChange.at)).join(CheckItem, CheckItem.id == ItemChange.item_id)
    query = query.where(CheckItem.subject_id == subject_id, CheckItem.kind == kind)
    return session.scalar(query.where(ItemChange.event == ItemEvent.MATCH, ItemChange.at < before))


def move_item(session: Session, item: CheckItem, event: ItemEvent, **values: Any) -> None:
    """Advance an item and keep the change. `at`, `by` and `source` are the change's own, whatever else is set.

    Raise `Conflict` when it moved meanwhile or may not move so.
    """
    conflict = Conflict("刚有人处理了这个事项，请刷新 / somebody changed it just now", code="round_state")
    after = advance(Item(item.state), event)
    change_if(session, item, ("version",), conflict, state=after, version=item.version + 1, **values)
    session.add(
        ItemChange(
            id=new_id(), centre_id=item.centre_id, item_id=item.id, event=event, state=after,
            at=values["at"], by=item.by or _SYSTEM, source=item.source or _SYSTEM, reason=item.reason,
            photos=item.photos,
        )
    )  # fmt: skip
    session.flush()


def close_round(session: Session, row: CheckRound, **values: Any) -> None:
    conflict = Conflict("刚有人结束了这次核对，请刷新 / somebody closed it just now", code="round_state")
    change_if(session, row, ("state",), conflict, state=advance(Round(row.state), RoundEvent.CLOSE), **values)
