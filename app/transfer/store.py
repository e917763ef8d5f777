"""Queries of transfers. A state changes only by compare-and-set."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from app.kernel.errors import Conflict, NotFound
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal, within
from app.registry import Handset, KitAssignment
from app.transfer.model import Transfer, TransferStep, TransferWechat
from app.transfer.states import OPEN, SETTLED, Copy, Event, State, advance


def find(session: Session, principal: Principal, transfer_id: uuid.UUID) -> Transfer:
    """Raise `NotFound`, also for a foreign centre's."""
    query = select(Transfer).where(Transfer.id == transfer_id, within(principal, Transfer.centre_id))
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("没有这次数据迁移 / no such transfer")
    return row


def move(session: Session, row: Transfer, event: Event, **changes: Any) -> None:
    """Advance and set what goes with it. Raise `Conflict` when it moved meanwhile or may not move so."""
    change(session, row, state=advance(State(row.state), event), **changes)


def change(session: Session, row: Transfer, **changes: Any) -> None:
    """Set values of a transfer that nobody has moved meanwhile, else raise `Conflict`."""
    conflict = Conflict("刚被别人处理过，请刷新 / changed in this moment: look again", code="transfer_state")
    change_if(session, row, ("state", "runs"), conflict, **changes)


def by_command(session: Session, command_id: uuid.UUID) -> Transfer | None:
    """The transfer whose newest order this is, locked: a gateway's word must not be lost against a person's hand.

    Internal. Its order is locked before it, if at all.
    """
    query = select(Transfer).where(Transfer.command_id == command_id).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def by_discard(session: Session, command_id: uuid.UUID) -> Transfer | None:
    """Internal, as `by_command`, by the order to destroy the copy."""
    query = select(Transfer).where(Transfer.discard_id == command_id)
    return session.scalar(query.execution_options(populate_existing=True))


def by_stop(session: Session, command_id: uuid.UUID) -> Transfer | None:
    """Internal, as `by_command`, by the order to stop the newest one."""
    query = select(Transfer).where(Transfer.stop_id == command_id)
    return session.scalar(query.execution_options(populate_existing=True))


def newest_of_old(session: Session, handset_id: uuid.UUID) -> Transfer | None:
    """Of the old phone, those that were cancelled left out. Internal."""
    query = select(Transfer).where(Transfer.old_id == handset_id, Transfer.state != State.CANCELLED)
    query = query.order_by(Transfer.opened_at.desc(), Transfer.id.desc()).limit(1)
    return session.scalar(query.execution_options(populate_existing=True))


def open_with(session: Session, handset_ids: Collection[uuid.UUID]) -> Transfer | None:
    """An open transfer in which one of these phones is. Internal."""
    among = or_(Transfer.old_id.in_(handset_ids), Transfer.new_id.in_(handset_ids))
    return session.scalar(select(Transfer).where(among, Transfer.state.in_(OPEN)).limit(1))


def used_since(session: Session, handset_id: uuid.UUID, instant: dt.datetime) -> bool:
    """Whether the phone was given to a post after the instant. Internal."""
    query = select(KitAssignment.id).where(
        KitAssignment.handset_id == handset_id,
        KitAssignment.voided_at.is_(None),
        KitAssignment.valid_from > instant,
    )
    return session.scalar(query.limit(1)) is not None


def last_tie(session: Session, handset_id: uuid.UUID) -> KitAssignment | None:
    """The post that has the phone, or had it last. Internal."""
    query = select(KitAssignment).where(
        KitAssignment.handset_id == handset_id, KitAssignment.voided_at.is_(None)
    )
    return session.scalar(query.order_by(KitAssignment.valid_from.desc()).limit(1))


def wechat_of(session: Session, transfer_id: uuid.UUID) -> Sequence[TransferWechat]:
    """The newest first."""
    query = select(TransferWechat).where(TransferWechat.transfer_id == transfer_id)
    return session.scalars(query.order_by(TransferWechat.at.desc(), TransferWechat.id.desc())).all()


def steps_of(session: Session, transfer_id: uuid.UUID) -> Sequence[TransferStep]:
    query = select(TransferStep).where(TransferStep.transfer_id == transfer_id)
    return session.scalars(query.order_by(TransferStep.at, TransferStep.id)).all()


def listed(
    principal: Principal,
    *,
    states: Collection[str] = (),
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    words: str = "",
) -> Select[Transfer]:
    query = select(Transfer).where(within(principal, Transfer.centre_id))
    if states:
        query = query.where(Transfer.state.in_(states))
    if centre_id is not None:
        query = query.where(Transfer.centre_id == centre_id)
    if handset_id is not None:
        query = query.where(or_(Transfer.old_id == handset_id, Transfer.new_id == handset_id))
    if words:
        named = select(Handset.id).where(
            or_(
                Handset.asset_tag.icontains(words, autoescape=True),
                Handset.model.icontains(words, autoescape=True),
                Handset.serial == words,
            )
        )
        query = query.where(or_(Transfer.old_id.in_(named), Transfer.new_id.in_(named)))
    return query


def counts(session: Session, principal: Principal) -> dict[str, int]:
    query = select(Transfer.state, func.count()).where(within(principal, Transfer.centre_id))
    return {state: int(number) for state, number in session.execute(query.group_by(Transfer.state))}


def phones(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Handset]:
    """Phones that visible transfers name."""
    return {row.id: row for row in session.scalars(select(Handset).where(Handset.id.in_(ids)))}


def phone_by_tag(session: Session, principal: Principal, tag: str) -> uuid.UUID | None:
    query = select(Handset.id).where(Handset.asset_tag == tag, within(principal, Handset.centre_id))
    return session.scalar(query)


def phone_tags(session: Session, principal: Principal, limit: int) -> list[str]:
    query = select(Handset.asset_tag).where(
        Handset.retired_at.is_(None), within(principal, Handset.centre_id)
    )
    return list(session.scalars(query.order_by(Handset.asset_tag).limit(limit)))


def running(session: Session, limit: int) -> Sequence[Transfer]:
    """At work by their gateways' word, or asked to stop: for the job that hears silence."""
    at_work = Transfer.state.in_((State.RUNNING, State.STOPPING))
    query = select(Transfer).where(at_work).order_by(Transfer.progress_at)
    return session.scalars(query.limit(limit)).all()


def without_paper(session: Session, limit: int) -> Sequence[Transfer]:
    query = select(Transfer).where(Transfer.state.in_(SETTLED), Transfer.paper_id.is_(None))
    return session.scalars(query.order_by(Transfer.id).limit(limit)).all()


def with_copy(session: Session, limit: int) -> Sequence[Transfer]:
    """Ended transfers of which a gateway may still hold the copy."""
    query = select(Transfer).where(Transfer.state.not_in(OPEN), Transfer.copy.in_((Copy.KEPT, Copy.UNKNOWN)))
    return session.scalars(query.order_by(Transfer.id).limit(limit)).all()


def opened_before(session: Session, instant: dt.datetime, limit: int) -> Sequence[Transfer]:
    """Transfers that lie about unfinished."""
    query = select(Transfer).where(Transfer.state.in_(OPEN), Transfer.opened_at < instant)
    return session.scalars(query.order_by(Transfer.id).limit(limit)).all()
