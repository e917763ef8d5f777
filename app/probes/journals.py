"""Which phones keep their own journal: of one that keeps none no shutdown can ever be proved, and nobody would know."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.kernel.tenancy import Principal
from app.policy import PolicyFiles
from app.probes.rules import journal_state
from app.probes.schedule import SUBJECT
from app.uptime import journals_seen


@dataclass(frozen=True)
class JournalNow:
    """`state`: `kept`, `none` or `unknown`; `written_at`: of its last line that was collected in the present boot."""

    state: str
    written_at: dt.datetime | None


def journals_now(
    session: Session,
    principal: Principal,
    policies: PolicyFiles,
    now: dt.datetime,
    handset_ids: Collection[uuid.UUID] | None = None,
) -> dict[uuid.UUID, JournalNow]:
    """Of these phones (None: all in sight); one that is not there was never read: unknown."""
    most = dt.timedelta(hours=policies.latest(SUBJECT).body["journal_hours"])
    return {
        handset_id: JournalNow(
            journal_state(seen.read_first, seen.read_last, seen.written_at, now, most), seen.written_at
        )
        for handset_id, seen in journals_seen(session, principal, handset_ids).items()
    }
