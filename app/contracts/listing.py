"""Assessments and requests, the newest first."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy.orm import Session

from app.contracts import work_store
from app.contracts.model import Assessment, ReplacementRequest
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal

T = TypeVar("T", Assessment, ReplacementRequest)


def list_work(
    session: Session,
    principal: Principal,
    kind: type[T],
    *,
    wanted: Sequence[str] = (),
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[T]:
    query = work_store.listed(principal, kind, wanted=wanted, centre_id=centre_id, handset_id=handset_id)
    keys = [
        SortKey("created_at", kind.created_at, descending=True),
        SortKey("id", kind.id, descending=True),
    ]
    return paginate(session, query, keys, cursor=cursor, limit=limit)
