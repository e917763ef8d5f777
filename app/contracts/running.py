"""Whether the contract by which a phone was in use still runs, for whoever wants to erase it (R06)."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.contracts import store
from app.contracts.model import NumberContract, ReplacementRequest
from app.contracts.rules import local_day
from app.kernel.ids import parse_id
from app.registry import RESOURCES, KitAssignment, kit_of, ties_of

_BY_REQUEST = "replacement_request"


def running_contract(
    session: Session, handset_id: uuid.UUID, source: str, now: dt.datetime
) -> NumberContract | None:
    """The contract that keeps a phone from being erased, None when there is none.

    Where the phone was replaced by a request of this room (`source` is the disposal's), it is the contract that was
    assessed; else the one which held for a number of the phone's last post while the phone was there. Internal: asks
    no principal.
    """
    today = local_day(now)
    kind, _, given = source.partition(":")
    row_id = parse_id(given) if kind == _BY_REQUEST else None
    asked = session.get(ReplacementRequest, row_id) if row_id is not None else None
    if asked is not None and asked.handset_id == handset_id:
        row = session.get(NumberContract, asked.contract_id)
        return row if row is not None and _runs(row, today) else None
    return _of_last_post(session, handset_id, today, now)


def _runs(row: NumberContract, today: dt.date) -> bool:
    return row.voided_at is None and row.starts_on <= today <= row.ends_on


def _of_last_post(
    session: Session, handset_id: uuid.UUID, today: dt.date, now: dt.datetime
) -> NumberContract | None:
    ties: list[KitAssignment] = ties_of(session, RESOURCES["kit-assignments"], "handset_id", handset_id)
    last = max(ties, key=lambda tie: tie.valid_from, default=None)
    if last is None:
        return None
    # The last moment at which it was there: at its very end the number may have its next contract already.
    until = min(last.valid_to or now, now) - dt.timedelta(microseconds=1)
    for number_id in kit_of(session, last.post_id, until).number_ids:
        row = store.at_day(session, number_id, today)
        if row is not None and row.starts_on <= local_day(until):
            return row
    return None
