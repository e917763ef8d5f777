"""Screen locks that a gateway can try on the phone itself are asked for; the others stay to be checked by hand."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from app.credchecks.model import CheckItem, CheckRound
from app.credchecks.states import Item
from app.credchecks.tools import Tools
from app.escrow import SecretState, ask_lock_check
from app.kernel.errors import DomainError
from app.kernel.tenancy import Principal


def ask_phones(
    session: Session,
    principal: Principal,
    row: CheckRound,
    items: Sequence[CheckItem],
    secrets: Mapping[tuple[uuid.UUID, str], SecretState],
    tools: Tools,
    now: dt.datetime,
) -> int:
    """One try for each open screen lock that was not checked in this round; how many were asked.

    A sealed escrow, a phone that is busy, one that did not match before: not asked, and no reason to open no round.
    """
    asked = 0
    for item in items:
        state = secrets.get((item.subject_id, item.kind))
        if item.state != Item.OPEN or state is None or state.id is None or not state.on_phone:
            continue
        if state.checked_at is not None and state.checked_at >= row.opened_at:
            continue
        try:
            with session.begin_nested():
                ask_lock_check(session, principal, state.id, vault=tools.vault, now=now)
        except DomainError:
            continue
        asked += 1
    return asked
