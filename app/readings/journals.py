"""What phones wrote down of their boots, kept for people to read beside the proof."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.readings import store
from app.readings.rules import AgentRef, Journal, JournalNote, LastWords, dated
from app.registry import HandsetRef


def note_journals(
    session: Session, agent: AgentRef, journals: Sequence[tuple[Journal, HandsetRef]], now: dt.datetime
) -> None:
    """Keep what phones wrote down for people to read; the same for any order and for doubles."""
    rows: dict[tuple[uuid.UUID, str], dict[str, Any]] = {}
    for journal, handset in journals:
        key = (handset.id, journal.boot_id)
        known = rows.get(key)
        if known is None or _further(journal) > (known["last_uptime_us"], known["journal_end"] == "open"):
            rows[key] = _journal_row(journal, handset, agent, now)
    if rows:
        store.save_journals(session, [rows[key] for key in sorted(rows)])


def _further(journal: Journal) -> tuple[int, bool]:
    return journal.last_uptime_us, journal.end == "open"


def _journal_row(journal: Journal, handset: HandsetRef, agent: AgentRef, now: dt.datetime) -> dict[str, Any]:
    return {
        "handset_id": handset.id,
        "boot_id": uuid.UUID(journal.boot_id),
        "centre_id": handset.centre_id,
        "boot_count": journal.boot_count,
        "first_uptime_us": journal.first_uptime_us,
        "last_uptime_us": journal.last_uptime_us,
        "lines": journal.lines,
        "journal_end": journal.end,
        "grade": journal.grade,
        **journal.last._asdict(),
        "collected_at": dated(now, journal.age_us),
        "received_at": now,
        "agent_id": agent.id,
    }


def journal_notes(session: Session, handset_id: uuid.UUID) -> list[JournalNote]:
    """The journals of one phone, the newest boot first. No right is asked for: callers have looked for the phone."""
    return [
        JournalNote(
            boot_id=str(row.boot_id),
            boot_count=row.boot_count,
            first_uptime=dt.timedelta(microseconds=row.first_uptime_us),
            last_uptime=dt.timedelta(microseconds=row.last_uptime_us),
            lines=row.lines,
            end="shutdown" if row.journal_end == "shutdown" else "open",
            grade=row.grade,
            last=LastWords(row.battery_percent, row.charging, row.airplane_mode, row.sim),
            collected_at=row.collected_at,
            received_at=row.received_at,
            agent_id=row.agent_id,
        )
        for row in store.journals(session, handset_id)
    ]
