"""A person's own notices: read, and marked as read."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.kernel.errors import NotFound
from app.kernel.tenancy import Principal
from app.notify import store
from app.notify.model import Notice, NoticeCopy
from app.notify.words import kind_word

PAGE = 50
_MAX_PAGE = 10_000


@dataclass(frozen=True)
class Item:
    """One notice in the caller's inbox; `id` is his copy's."""

    id: uuid.UUID
    kind: str
    kind_word: str
    centre_id: uuid.UUID
    title: str
    body: str
    link: str | None
    urgent: bool
    created_at: dt.datetime
    read_at: dt.datetime | None


@dataclass(frozen=True)
class Items:
    items: Sequence[Item]
    total: int
    unread: int
    page: int
    pages: int


def inbox(
    session: Session,
    principal: Principal,
    *,
    unread: bool = False,
    words: str = "",
    page: int = 1,
    limit: int = PAGE,
) -> Items:
    """One page of the caller's notices, unread ones first, each part newest first. Pages are numbered: reading moves an
    item, so a place in the order would not stay one.
    """
    query = store.inbox(principal, unread=unread, words=words)
    total = store.count(session, query)
    pages = max(1, -(-total // limit))
    number = min(max(1, min(page, _MAX_PAGE)), pages)
    rows = store.page_of(session, query, limit, (number - 1) * limit)
    items = [_item(copy, notice) for copy, notice in rows]
    return Items(items, total, store.unread(session, principal), number, pages)


def _item(copy: NoticeCopy, notice: Notice) -> Item:
    return Item(
        copy.id, notice.kind, kind_word(notice.kind), notice.centre_id, notice.title, notice.body, notice.link,
        notice.urgent, copy.created_at, copy.read_at,
    )  # fmt: skip


def unread_count(session: Session, principal: Principal) -> int:
    return store.unread(session, principal)


def set_read(
    session: Session, principal: Principal, copy_id: uuid.UUID, *, read: bool, now: dt.datetime
) -> Item:
    """Mark one as read, or as unread again; twice is as once. Raise `NotFound` for what is not the caller's."""
    if store.one(session, principal, copy_id) is None:
        raise NotFound("没有这条通知 / no such notice")
    store.set_read(session, principal, now if read else None, copy_id)
    session.expire_all()
    row = store.one(session, principal, copy_id)
    assert row is not None
    copy, notice = row
    return _item(copy, notice)


def read_all(session: Session, principal: Principal, now: dt.datetime) -> int:
    return store.set_read(session, principal, now)
