"""This room's part of a phone's life."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.kernel.tenancy import Principal, within
from app.kernel.timeline import LifeEvent, Subject
from app.transfer import store
from app.transfer.model import Transfer
from app.transfer.states import WORDS
from app.transfer.tools import VIEWERS, transfer_path

ROOM = "transfer"
_MOST = 100


def life_events(session: Session, principal: Principal, subject: Subject) -> list[LifeEvent]:
    """Of a phone, as the old or the new one; nothing of other subjects."""
    if subject.kind != "handset" or not principal.has_any(*VIEWERS):
        return []
    among = or_(Transfer.old_id == subject.id, Transfer.new_id == subject.id)
    query = select(Transfer).where(among, within(principal, Transfer.centre_id)).order_by(Transfer.opened_at)
    rows = session.scalars(query.limit(_MOST)).all()
    ids = {i for row in rows for i in (row.old_id, row.new_id) if i is not None}
    tags = {i: phone.asset_tag for i, phone in store.phones(session, ids).items()}
    return [
        LifeEvent(
            row.opened_at,
            f"数据迁移：{tags[row.old_id]} → {tags[row.new_id] if row.new_id else '无新机'}",
            WORDS[row.state],
            transfer_path(row.id),
            ROOM,
            row.ended_at,
        )
        for row in rows
    ]
