"""What was counted for a draft, page by page: by finding and by phone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.allowlist import fleet_store, store
from app.allowlist.model import AllowlistDraftFinding, AllowlistDraftPhone
from app.kernel.paging import Page, SortKey, paginate
from app.kernel.tenancy import SYSTEM


@dataclass(frozen=True)
class PhoneLine:
    handset_id: uuid.UUID
    tag: str
    brand: str
    model: str
    centre: str
    before: str
    after: str
    appears: Sequence[Mapping[str, str]]
    vanishes: Sequence[Mapping[str, str]]


def finding_page(
    session: Session, draft_id: uuid.UUID, way: str, *, cursor: str | None, limit: int
) -> Page[AllowlistDraftFinding]:
    """The findings that appear, or vanish, those on most phones first."""
    keys = [
        SortKey("phones", AllowlistDraftFinding.phones, descending=True),
        SortKey("code", AllowlistDraftFinding.code),
        SortKey("subject", AllowlistDraftFinding.subject),
        SortKey("status", AllowlistDraftFinding.status),
    ]
    return paginate(session, store.findings_query(draft_id, way), keys, cursor=cursor, limit=limit)


def phone_page(
    session: Session, draft_id: uuid.UUID, *, code: str, subject: str, cursor: str | None, limit: int
) -> Page[PhoneLine]:
    """The phones for which something changes, those that grow worse first; of one finding where `code` is given."""
    keys = [
        SortKey("rank", AllowlistDraftPhone.rank),
        SortKey("handset_id", AllowlistDraftPhone.handset_id),
    ]
    query = store.phones_query(draft_id, code=code, subject=subject)
    page = paginate(session, query, keys, cursor=cursor, limit=limit)
    return Page(_lines(session, page.items), page.next_cursor)


def phone_rows(session: Session, draft_id: uuid.UUID) -> Iterator[PhoneLine]:
    """All of them, streamed."""
    for rows in store.every_phone(session, draft_id):
        yield from _lines(session, rows)


def _lines(session: Session, rows: Sequence[AllowlistDraftPhone]) -> list[PhoneLine]:
    known = fleet_store.tags_of(session, [row.handset_id for row in rows])
    # The draft's author writes in all of these centres; one that was closed since still has its phones.
    names = {centre: name for centre, name, _, _ in fleet_store.places(session, SYSTEM)}
    return [
        PhoneLine(
            row.handset_id, *known[row.handset_id], names.get(row.centre_id, "已停用"), row.before, row.after,
            store.seen_of(row.appears), store.seen_of(row.vanishes),
        )
        for row in rows
    ]  # fmt: skip
