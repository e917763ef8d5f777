"""Queries of drafts and of what was counted for them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from app.allowlist.comparison_rules import PhoneChange, Seen, Tally
from app.allowlist.model import AllowlistDraft, AllowlistDraftFinding, AllowlistDraftPhone
from app.kernel.db import insert_into

_PIECE = 500


def find(session: Session, user: str, draft_id: uuid.UUID, *, lock: bool = False) -> AllowlistDraft | None:
    """A draft of this very user."""
    query = select(AllowlistDraft).where(AllowlistDraft.id == draft_id, AllowlistDraft.created_by == user)
    row: AllowlistDraft | None = session.scalar(query.with_for_update() if lock else query)
    return row


def open_drafts(session: Session, user: str, states: Sequence[str]) -> list[AllowlistDraft]:
    """His drafts in these states, the newest first."""
    query = select(AllowlistDraft).where(AllowlistDraft.created_by == user, AllowlistDraft.state.in_(states))
    return list(session.scalars(query.order_by(AllowlistDraft.id.desc()).limit(20)))


def forget_counts(session: Session, draft_id: uuid.UUID) -> None:
    for table in (AllowlistDraftPhone, AllowlistDraftFinding):
        session.execute(delete(table).where(table.draft_id == draft_id))


def forget_drafts(session: Session, before: dt.datetime) -> int:
    """Drafts that were begun before this instant, with all that was counted for them."""
    old = list(
        session.scalars(select(AllowlistDraft.id).where(AllowlistDraft.created_at < before).limit(100))
    )
    for draft_id in old:
        forget_counts(session, draft_id)
    session.execute(delete(AllowlistDraft).where(AllowlistDraft.id.in_(old)))
    return len(old)


def add_phones(session: Session, draft_id: uuid.UUID, changes: Sequence[PhoneChange]) -> None:
    """Keep the phones for which something changes."""
    rows = [_phone_row(draft_id, change) for change in changes if change.changed]
    if rows:
        session.execute(insert_into(session, AllowlistDraftPhone), rows)


def add_findings(session: Session, draft_id: uuid.UUID, tally: Tally) -> None:
    """Add these counts to those that stand."""
    rows = [
        {"draft_id": draft_id, "way": way, "code": code, "subject": subject, "status": status, "phones": phones,
         "zh": tally.words[way, code, subject, status]}
        for (way, code, subject, status), phones in tally.findings.items()
    ]  # fmt: skip
    if rows:
        new = insert_into(session, AllowlistDraftFinding)
        added = {"phones": AllowlistDraftFinding.phones + new.excluded.phones}
        key = ["draft_id", "way", "code", "subject", "status"]
        session.execute(new.on_conflict_do_update(index_elements=key, set_=added), rows)


def findings_query(draft_id: uuid.UUID, way: str) -> Select[AllowlistDraftFinding]:
    return select(AllowlistDraftFinding).where(
        AllowlistDraftFinding.draft_id == draft_id, AllowlistDraftFinding.way == way
    )


def counted_findings(session: Session, draft_id: uuid.UUID) -> dict[str, int]:
    """How many findings appear, and how many vanish."""
    query = select(AllowlistDraftFinding.way, func.count()).where(AllowlistDraftFinding.draft_id == draft_id)
    return {row[0]: row[1] for row in session.execute(query.group_by(AllowlistDraftFinding.way))}


def phones_query(
    draft_id: uuid.UUID, *, code: str = "", subject: str | None = None
) -> Select[AllowlistDraftPhone]:
    """The changed phones; those of one finding where `code` is given."""
    query = select(AllowlistDraftPhone).where(AllowlistDraftPhone.draft_id == draft_id)
    if code:
        named = orjson.dumps({"code": code, "subject": subject or ""}).decode()[1:-1]
        appears, vanishes = AllowlistDraftPhone.appears, AllowlistDraftPhone.vanishes
        query = query.where(
            appears.contains(named, autoescape=True) | vanishes.contains(named, autoescape=True)
        )
    return query


def every_phone(session: Session, draft_id: uuid.UUID) -> Iterator[Sequence[AllowlistDraftPhone]]:
    """All changed phones, some hundred at a time."""
    after: uuid.UUID | None = None
    while True:
        query = phones_query(draft_id)
        if after is not None:
            query = query.where(AllowlistDraftPhone.handset_id > after)
        rows = list(session.scalars(query.order_by(AllowlistDraftPhone.handset_id).limit(_PIECE)))
        if not rows:
            return
        yield rows
        after = rows[-1].handset_id
        session.expunge_all()


def seen_of(text: str) -> list[Mapping[str, str]]:
    """What `appears` or `vanishes` of a stored phone says."""
    found: list[Mapping[str, str]] = orjson.loads(text)
    return found


def _phone_row(draft_id: uuid.UUID, change: PhoneChange) -> dict[str, Any]:
    rank = 0 if change.worse else 1 if change.before != change.after else 2
    return {
        "draft_id": draft_id,
        "handset_id": change.handset_id,
        "centre_id": change.centre_id,
        "before": change.before,
        "after": change.after,
        "rank": rank,
        "appears": _stored(change.appears),
        "vanishes": _stored(change.vanishes),
    }


def _stored(seen: Sequence[Seen]) -> str:
    rows = [{"code": s.code, "subject": s.subject, "status": s.status, "zh": s.zh} for s in seen]
    return orjson.dumps(rows).decode()
