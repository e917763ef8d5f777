"""Phones that are to be destroyed. Here they wait, and are crossed off: transfer and wipe are other rooms'."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping

from sqlalchemy import CompoundSelect, or_, select
from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.hardware.model import Disposal, HardwareCase
from app.hardware.states import Disposal as State
from app.hardware.states import DisposalEvent as Event
from app.hardware.states import advance
from app.kernel.db import insert_into
from app.kernel.errors import Conflict, FieldError, Invalid, NotFound
from app.kernel.ids import new_id
from app.kernel.moving import change_if
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal, within
from app.kernel.texts import one_line
from app.registry import Handset, find_handset

CAUSES: Mapping[str, str] = {
    "contract_end": "合约到期换机", "beyond_repair": "损坏无法修复", "replaced": "已换新机", "lost": "遗失",
}  # fmt: skip
ORDERERS = ("operations", "lead")


def order_disposal(
    session: Session,
    principal: Principal,
    handset_id: uuid.UUID,
    *,
    cause: str,
    reason: str,
    source: str,
    now: dt.datetime,
) -> Disposal:
    """The phone stands as "to be destroyed" from now; the same source twice is the same order.

    Raise `NotFound`, `Forbidden`, `ValueError` for a cause that there is not, `Conflict` `disposal_waits` when another
    source ordered it before.
    """
    if cause not in CAUSES:
        raise ValueError(f"no cause of a disposal: {cause}")
    handset = find_handset(session, principal, handset_id)
    principal.require_role(handset.centre_id, *ORDERERS)
    values = {
        "id": new_id(), "centre_id": handset.centre_id, "handset_id": handset.id, "cause": cause,
        "reason": one_line(reason, 500), "source": source, "state": State.WAITING, "ordered_by": principal.user,
        "ordered_at": now,
    }  # fmt: skip
    made = session.execute(
        insert_into(session, Disposal).values(values).on_conflict_do_nothing().returning(Disposal.id)
    ).scalar()
    row = waiting_of(session, handset.id)
    if row is None or (made is None and row.source != source):
        raise Conflict("这台手机已在待销毁清单中 / it waits for disposal already", code="disposal_waits")
    if made is not None:
        _note(session, principal.user, row, "order", now, row.reason)
    return row


def waiting_of(session: Session, handset_id: uuid.UUID, *, lock: bool = False) -> Disposal | None:
    """`lock`: until the transaction ends nobody cancels it. Internal: asks no principal."""
    query = select(Disposal).where(Disposal.handset_id == handset_id, Disposal.state == State.WAITING)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def out_of_use() -> CompoundSelect[uuid.UUID]:
    """Ids of the phones that wait to be destroyed, are broken or lost: none of them is anybody's new phone."""
    cases = select(HardwareCase.handset_id).where(HardwareCase.ended_at.is_(None))
    return select(Disposal.handset_id).where(Disposal.state == State.WAITING).union(cases)


def get_disposal(session: Session, principal: Principal, disposal_id: uuid.UUID) -> Disposal:
    """Raise `NotFound`, also for a foreign centre's."""
    row = session.scalar(
        select(Disposal).where(Disposal.id == disposal_id, within(principal, Disposal.centre_id))
    )
    if row is None:
        raise NotFound("没有这条记录 / no such disposal")
    return row


def disposals(
    session: Session,
    principal: Principal,
    *,
    state: str | None = State.WAITING,
    handset_id: uuid.UUID | None = None,
    centre_id: uuid.UUID | None = None,
    words: str = "",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[Disposal]:
    """The latest first; `state` None: all."""
    query = select(Disposal).where(within(principal, Disposal.centre_id))
    if state is not None:
        query = query.where(Disposal.state == state)
    if handset_id is not None:
        query = query.where(Disposal.handset_id == handset_id)
    if centre_id is not None:
        query = query.where(Disposal.centre_id == centre_id)
    if words:
        named = or_(
            Handset.asset_tag.icontains(words, autoescape=True),
            Handset.model.icontains(words, autoescape=True),
        )
        query = query.where(Disposal.handset_id.in_(select(Handset.id).where(named)))
    keys = [
        SortKey("ordered_at", Disposal.ordered_at, descending=True),
        SortKey("id", Disposal.id, descending=True),
    ]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def cancel_disposal(
    session: Session, principal: Principal, disposal_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> Disposal:
    """Ordered by mistake: nothing is destroyed. Raise `Invalid` without a reason, `Conflict` when it is over."""
    row = get_disposal(session, principal, disposal_id)
    principal.require_role(row.centre_id, *ORDERERS)
    words = one_line(reason, 500)
    if not words:
        raise Invalid("请写明原因 / say why", fields=[FieldError("reason", "required", "请写明原因")])
    after = advance(State(row.state), Event.CANCEL)
    conflict = Conflict("刚被别人处理过，请刷新 / changed in this moment", code="hardware_state")
    change_if(
        session, row, ("state",), conflict, state=after, ended_by=principal.user, ended_at=now, end_reason=words
    )  # fmt: skip
    _note(session, principal.user, row, "cancel", now, words)
    return row


def _note(session: Session, actor: str, row: Disposal, verb: str, now: dt.datetime, reason: str) -> None:
    event = AuditEvent(
        at=now, actor=actor, action=f"disposal.{verb}", object=f"disposal:{row.id}",
        centre_id=row.centre_id, reason=reason, details={"handset": str(row.handset_id), "cause": row.cause},
    )  # fmt: skip
    record(session, event)


def finish_disposal(
    session: Session, disposal_id: uuid.UUID, *, by: str, reason: str, now: dt.datetime
) -> bool:
    """Its phone's data are destroyed, and a certificate says so; False when the order is over already. Internal."""
    row = session.get(Disposal, disposal_id, populate_existing=True)
    if row is None or row.state != State.WAITING:
        return False
    conflict = Conflict("刚被别人处理过，请刷新 / changed in this moment", code="hardware_state")
    after = advance(State.WAITING, Event.FINISH)
    change_if(session, row, ("state",), conflict, state=after, ended_by=by, ended_at=now, end_reason=reason)
    _note(session, by, row, "finish", now, reason)
    return True


def is_lost(session: Session, handset_id: uuid.UUID) -> bool:
    """Reported lost, and not found since. Internal: asks no principal."""
    row = waiting_of(session, handset_id)
    if row is not None and row.cause == "lost" and row.found_at is None:
        return True
    query = select(HardwareCase.id).where(
        HardwareCase.handset_id == handset_id, HardwareCase.kind == "loss", HardwareCase.ended_at.is_(None)
    )
    return session.scalar(query.limit(1)) is not None


def note_found(session: Session, handset_id: uuid.UUID, now: dt.datetime) -> None:
    """A lost phone that waits for disposal is in the hand again: it can be erased now. Internal."""
    row = waiting_of(session, handset_id)
    if row is not None:
        row.found_at = now
        session.flush()
