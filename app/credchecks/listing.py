"""Rounds and items as they are, for the API and the pages."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.credchecks import case_store, store
from app.credchecks.model import CheckItem, CheckRound
from app.credchecks.states import Round
from app.credchecks.tools import VIEWERS
from app.kernel.paging import Page, SortKey, paginate
from app.kernel.tenancy import Principal

_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_PICTURE = re.compile(r"[0-9a-f]{64}")
SORTS = ("month", "due_at")


def month_of_query(text: str) -> str:
    """`2026-11`, or "" for anything else."""
    return text if _MONTH.fullmatch(text) else ""


def get_round(session: Session, principal: Principal, round_id: uuid.UUID) -> CheckRound:
    """Raise `NotFound`, also for a foreign centre's."""
    return store.find_round(session, principal, round_id)


def get_item(session: Session, principal: Principal, item_id: uuid.UUID) -> CheckItem:
    """Raise `NotFound`, also for a foreign centre's."""
    return store.find_item(session, principal, item_id)


def items_of_round(
    session: Session, principal: Principal, round_id: uuid.UUID, post_id: uuid.UUID | None = None
) -> Sequence[CheckItem]:
    """In the order of the posts. Raise `NotFound`."""
    return store.items(session, store.find_round(session, principal, round_id).id, post_id)


def list_rounds(
    session: Session, principal: Principal, *, state: str | None, centre_id: uuid.UUID | None, month: str = "",
    sort: str = "", cursor: str | None, limit: int,
) -> Page[CheckRound]:  # fmt: skip
    name = sort.removeprefix("-")
    if name in SORTS:
        order, descending = getattr(CheckRound, name), sort.startswith("-")
    else:
        name, order, descending = "month", CheckRound.month, state != Round.OPEN
    keys = [SortKey(name, order, descending), SortKey("id", CheckRound.id, descending)]
    query = store.rounds(principal, state=state, centre_id=centre_id, month=month)
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def centres_with(session: Session, month: str) -> set[uuid.UUID]:
    """The centres that have this month's round."""
    return store.months_opened(session, month)


def open_cases(session: Session, principal: Principal) -> int:
    """How many cases are not over, in the caller's centres."""
    return case_store.count_open(session, principal)


def may_see_photo(session: Session, principal: Principal, round_id: uuid.UUID, sha256: str) -> bool:
    """Whether it is a picture of this round that is the caller's to see: staff of the centre, and of whose kit it is.

    Raise `NotFound` for a foreign round.
    """
    if not _PICTURE.fullmatch(sha256):
        return False
    row = store.find_round(session, principal, round_id)
    desk = principal.may(row.centre_id, *VIEWERS)
    own = [i.id for i in store.items(session, row.id) if desk or i.holder_id == principal.employee]
    return any(sha256 in change.photos for change in store.changes(session, own))
