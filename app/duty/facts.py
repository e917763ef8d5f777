"""What excuses a phone, and who answers for it in its custodian's place: the part of a ruling that this room knows."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Literal, cast

from sqlalchemy.orm import Session

from app.duty import store


@dataclass(frozen=True)
class ExcuseFact:
    """`[start, end)`, `end` None: open. `at`: when it was accepted or approved; `delegate` only with a delegation."""

    at: dt.datetime
    start: dt.datetime
    end: dt.datetime | None
    reason: Literal["maintenance", "repair", "delegation"]
    delegate: uuid.UUID | None


def excuse_facts(session: Session, handset_id: uuid.UUID) -> list[ExcuseFact]:
    """Everything that holds or held for a phone: accepted delegations as far as they held, approved excuses, none that
    was voided. Internal: asks no principal.
    """
    found = [
        ExcuseFact(row.answered_at, row.force_from, row.force_to, "delegation", row.delegate_id)
        for row in store.delegations_in_force(session, handset_id)
        if row.answered_at is not None and row.force_from is not None
    ]
    found += [
        ExcuseFact(
            row.decided_at or row.filed_at,
            row.starts_at,
            row.ends_at,
            cast(Literal["maintenance", "repair"], row.reason),
            None,
        )
        for row in store.excuses_in_force(session, handset_id)
    ]
    return found
