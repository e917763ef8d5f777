"""The history of verdicts: one row a change, with what it was, what it is, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.incidents.model import Incident, IncidentChange
from app.incidents.rules import CAUSES, Verdict
from app.kernel.ids import new_id


def write_change(
    session: Session,
    row: Incident,
    before: Verdict | None,
    after: Verdict | None,
    causes: Sequence[str],
    why: str,
    now: dt.datetime,
) -> IncidentChange:
    """`why` adds to the words of the causes; the policy and inputs are those that the row was ruled by."""
    words = [why] if why else []
    change = IncidentChange(
        id=new_id(),
        incident_id=row.id,
        centre_id=row.centre_id,
        at=now,
        causes=list(causes),
        why="；".join([*words, *(CAUSES[cause] for cause in causes)]),
        before=before.told() if before else None,
        after=after.told() if after else None,
        inputs_sha256=row.inputs_sha256,
        policy_version=row.policy_version,
        policy_sha256=row.policy_sha256,
    )
    session.add(change)
    session.flush()
    return change
