"""What the judging rooms know of one phone, in a line each, for its page."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.dialling import Heard, list_tests
from app.duty import Standing, standing
from app.incidents import Incident, incidents_of
from app.kernel.tenancy import Principal
from app.policy import PolicyFiles
from app.probes import JournalNow, finished_probes, journals_now
from app.readings import JournalNote, journal_notes
from app.reports import list_reports
from app.tasks import Task, open_tasks

_WEEK = dt.timedelta(days=7)
_INCIDENTS = 3


@dataclass(frozen=True)
class PhoneEvidence:
    """`journal` None: the phone was never read; `note`: the journal that was collected last, if ever one was.

    `tests`: finished tests of reach of the last 7 days by outcome.
    """

    journal: JournalNow | None
    note: JournalNote | None
    tests: Mapping[str, int]
    dialled: Heard | None
    reported_at: dt.datetime | None
    incidents: Sequence[Incident]
    standing: Sequence[Standing]
    tasks: Sequence[Task]


def phone_evidence(
    session: Session, principal: Principal, handset_id: uuid.UUID, now: dt.datetime, policies: PolicyFiles
) -> PhoneEvidence:
    """For staff who may see the phone; what is planned is not told."""
    dialled = list_tests(session, principal, handset_id=handset_id, policies=policies, now=now, limit=1).items
    reported = list_reports(session, principal, handset_id=handset_id, limit=1).items
    finished = finished_probes(session, principal, handset_id, now - _WEEK, now)
    notes = journal_notes(session, handset_id)
    return PhoneEvidence(
        journal=journals_now(session, principal, policies, now, [handset_id]).get(handset_id),
        note=notes[0] if notes else None,
        tests=Counter(test.state for test in finished),
        dialled=dialled[0] if dialled else None,
        reported_at=reported[0].received_at if reported else None,
        incidents=incidents_of(session, principal, handset_id=handset_id, limit=_INCIDENTS).items,
        standing=standing(session, handset_id, now),
        tasks=open_tasks(session, principal, handset_id=handset_id).items,
    )
