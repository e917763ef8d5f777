"""This room's part of a phone's life."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.kernel.tenancy import Principal
from app.kernel.timeline import LifeEvent, Subject
from app.wipe import store
from app.wipe.model import Wipe
from app.wipe.states import WORDS
from app.wipe.tools import VIEWERS, wipe_path

ROOM = "wipe"
_MOST = 100


def life_events(session: Session, principal: Principal, subject: Subject) -> list[LifeEvent]:
    """Of a phone; nothing of other subjects."""
    if subject.kind != "handset" or not principal.has_any(*VIEWERS):
        return []
    query = store.query(principal, handset_id=subject.id).order_by(Wipe.created_at, Wipe.id)
    return [
        LifeEvent(
            row.created_at, f"数据销毁：{WORDS[row.state]}", row.reason, wipe_path(row.id), ROOM, row.ended_at
        )
        for row in session.scalars(query.limit(_MOST))
    ]
