"""A wipe that is certified crosses its phone off the list of those that wait to be destroyed."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.hardware import finish_disposal
from app.wipe.model import Wipe


def cross_off(session: Session, wipe: Wipe, by: str, now: dt.datetime) -> None:
    """Call in the act that certifies. An order that was cancelled meanwhile stays so."""
    if wipe.disposal_id is not None:
        finish_disposal(session, wipe.disposal_id, by=by, reason="数据已清除，已出证明", now=now)
