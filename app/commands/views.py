"""Lists of commands, for API and pages."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from sqlalchemy.orm import Session

from app.commands import store
from app.commands.model import Command
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal


def list_commands(
    session: Session,
    principal: Principal,
    *,
    states: Collection[str] = (),
    kind: str | None = None,
    handset_id: uuid.UUID | None = None,
    centre_id: uuid.UUID | None = None,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[Command]:
    """Newest first."""
    query = store.query(principal, states=states, kind=kind, handset_id=handset_id, centre_id=centre_id)
    keys = [
        SortKey("created_at", Command.created_at, descending=True),
        SortKey("id", Command.id, descending=True),
    ]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def of_key(session: Session, handset_id: uuid.UUID, dedup_key: str) -> Sequence[Command]:
    """All orders about one thing (`dedup_key`) of a phone that are still kept, oldest first. Internal: asks no
    principal.
    """
    return store.of_key(session, handset_id, dedup_key)


def active_counts(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, int]:
    """How many commands of each phone are not yet done; phones without any are left out."""
    return store.active_counts(session, principal, handset_ids) if handset_ids else {}
