"""Verdicts from the engine's ruling, and from what is stored of one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from app.incidents.model import Incident, IncidentStrike
from app.incidents.rules import HitFact, StrikeFact, Verdict
from app.kernel.db import from_us, to_us
from app.uptime import IncidentRuling, PhoneRuling, holds


def verdicts_of(ruling: PhoneRuling) -> list[Verdict]:
    return [_verdict(one, ruling) for one in ruling.incidents]


def _verdict(one: IncidentRuling, ruling: PhoneRuling) -> Verdict:
    episode = one.incident.episode
    return Verdict(
        kind=episode.kind,
        status=one.incident.status.value,
        start=episode.start,
        end=episode.end,
        answers=one.answers,
        month=one.month,
        hits=tuple(
            HitFact(hit.at, hit.source, hit.who, hit.what, holds(ruling.excused, hit.at))
            for hit in episode.hits
        ),
        off=tuple(episode.off),
        strikes=tuple(StrikeFact(s.at, s.employee, s.month) for s in one.strikes),
    )


def stored_verdict(row: Incident, strikes: Sequence[IncidentStrike]) -> Verdict:
    """What the row says, as the engine said it."""
    return Verdict(
        kind=row.kind,
        status=row.status,
        start=to_us(row.start_at),
        end=to_us(row.end_at),
        answers=row.answers,
        month=row.month,
        hits=tuple(HitFact(**hit) for hit in row.hits),
        off=tuple((start, end) for start, end in row.off),
        strikes=tuple(StrikeFact(to_us(s.at), s.answers, s.month) for s in strikes),
    )


def bounds(verdict: Verdict) -> dict[str, Any]:
    """The columns that hold its times and hits."""
    return {
        "start_at": from_us(verdict.start),
        "end_at": from_us(verdict.end),
        "hits": [
            {"at": h.at, "source": h.source, "who": h.who, "what": h.what, "excused": h.excused}
            for h in verdict.hits
        ],
        "off": [list(span) for span in verdict.off],
    }


def employee_of(answers: str) -> uuid.UUID | None:
    """The employee whom the engine named; None for the unnamed holder of a phone."""
    return None if answers.startswith("holder:") else uuid.UUID(answers)
