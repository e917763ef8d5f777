"""What the closing takes from the room of incidents: the engine's word on a month, what it counted, and its trace."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.allowance.rules import LineState, state_of
from app.allowance.tools import Tools
from app.incidents import export_trace, month_matters, month_rulings, ruled_alike, unsettled
from app.kernel.clock import to_rfc3339
from app.kernel.errors import Conflict
from app.policy import PolicyFiles

TRACE_TYPE = "application/jsonl"


@dataclass(frozen=True, slots=True)
class Word:
    """The engine's word on one employee's month. `matters`: each strike and waiting incident, as plain values."""

    state: LineState = LineState.PAYABLE
    strikes: int = 0
    suspected: int = 0
    undecided: int = 0
    matters: list[dict[str, Any]] = field(default_factory=list)


NOTHING = Word()
"""Of whom no incident tells anything: nothing is cancelled without proof."""


def words_of(
    session: Session, policies: PolicyFiles, centre_id: uuid.UUID, month: str, also: Collection[uuid.UUID]
) -> dict[uuid.UUID, Word]:
    """Employee → word, for all who answer for a phone of the centre in the month, and for `also`."""
    matters = month_matters(session, centre_id, month, also)
    found = {}
    for employee, ruling in month_rulings(session, policies, centre_id, month, also).items():
        told = [
            {
                "incident": str(matter.incident_id),
                "handset": str(matter.handset_id),
                "at": to_rfc3339(matter.at),
                "kind": matter.kind,
            }
            for matter in matters.get(employee, ())
        ]
        found[employee] = Word(
            state_of(ruling.allowance), ruling.strikes, ruling.suspected, ruling.undecided, told
        )
    return found


def require_settled(session: Session, centre_id: uuid.UUID, now: dt.datetime) -> None:
    """Raise `Conflict` while evidence of the centre has come in that no ruling has looked at yet."""
    waiting = unsettled(session, centre_id, now)
    if waiting:
        raise Conflict(
            f"还有 {waiting} 部手机的新证据未处理，请稍后再试 / {waiting} phones wait to be ruled on",
            code="unsettled",
        )


def keep_trace(
    session: Session, tools: Tools, handset_ids: Collection[uuid.UUID], centre_id: uuid.UUID, now: dt.datetime
) -> str | None:
    """Keep the trace of these phones as a blob and give its sha256; None for no phones.

    Without those that other policies rule, of another centre: one trace is ruled by one policy, and theirs must hinder
    nobody's closing. Each of their incidents has its own trace.
    """
    phones = ruled_alike(session, tools.files, handset_ids, centre_id)
    if not phones:
        return None
    return tools.blobs.put(session, export_trace(session, tools.files, phones, now), TRACE_TYPE, now)
