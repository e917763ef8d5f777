"""Journals of a check-in: into the boots that they prove, and for people to read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.readings import AgentRef, Journal, dated, note_journals
from app.registry import HandsetRef
from app.uptime import AbsorbedJournal, absorb_journals

Known = tuple[Journal, HandsetRef]


def take(session: Session, agent: AgentRef, known: Sequence[Known], now: dt.datetime) -> None:
    """Journals of registered phones. What is taken twice, or in another order, proves the same."""
    absorb_journals(
        session,
        [
            AbsorbedJournal(
                handset_id=handset.id,
                centre_id=handset.centre_id,
                at=dated(now, journal.age_us),
                boot_id=journal.boot_id,
                boot_count=journal.boot_count,
                last_uptime_us=journal.last_uptime_us,
                end=journal.end,
                grade=journal.grade,
                agent_id=agent.id,
            )
            for journal, handset in known
        ],
    )
    note_journals(session, agent, known, now)
