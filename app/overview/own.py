"""What a butler is shown of the phones that he answers for now: his own, and only since he has them (R01)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.compliance import FindingView, Status, Verdict, advice_for, verdicts
from app.kernel.tenancy import Principal
from app.overview.days import Day, days_of, first_midnight
from app.policy import PolicyFiles
from app.probes import Finished, finished_probes
from app.readings import PhoneNow, phone_states
from app.registry import Custody, Handset, find_handset, held_by
from app.uptime import PowerNow, power_now, timeline

_DAYS_SHOWN = 7


@dataclass(frozen=True)
class ToDo:
    """A finding and what its butler can do about it; `advice` empty: nothing."""

    finding: FindingView
    advice: str


@dataclass(frozen=True)
class OwnPhone:
    """`days` and `tests` begin with his custody: what was before concerns whoever had the phone then.

    `tests`: the finished tests of reach of these days; what is planned nobody is told. `todo`: breaches, those in grace
    too, each to be put right; `unsure`: what was not read, which nobody is blamed for; `spared`: what is exempted.
    """

    phone: Handset
    custody: Custody
    power: PowerNow
    reading: PhoneNow | None
    verdict: Verdict
    todo: Sequence[ToDo]
    unsure: Sequence[ToDo]
    spared: Sequence[ToDo]
    days: Sequence[Day]
    tests: Sequence[Finished]


def own_phones(
    session: Session, principal: Principal, now: dt.datetime, policies: PolicyFiles
) -> list[OwnPhone]:
    """The caller's phones; none for somebody who is no employee or holds no post."""
    if principal.employee is None:
        return []
    kept = [c for c in held_by(session, principal, principal.employee, now) if c.since < now]
    ids = [custody.handset_id for custody in kept]
    power = power_now(session, principal, ids, now, policies)
    states = phone_states(session, principal, ids)
    found = verdicts(session, principal, ids)
    lines = []
    for custody in kept:
        verdict = found[custody.handset_id]
        lines.append(
            OwnPhone(
                phone=find_handset(session, principal, custody.handset_id),
                custody=custody,
                power=power[custody.handset_id],
                reading=states.get(custody.handset_id),
                verdict=verdict,
                todo=_told(verdict, Status.FAIL, Status.GRACE),
                unsure=_told(verdict, Status.UNKNOWN),
                spared=_told(verdict, Status.EXEMPT),
                days=_days(session, principal, custody, now),
                tests=finished_probes(session, principal, custody.handset_id, _start(custody, now), now),
            )
        )
    return lines


def _told(verdict: Verdict, *wanted: Status) -> list[ToDo]:
    found = []
    for finding in verdict.findings:
        if finding.status in wanted:
            advice = advice_for(finding.code, finding.status)
            found.append(ToDo(finding, advice.butler if advice else ""))
    return found


def _start(custody: Custody, now: dt.datetime) -> dt.datetime:
    return max(custody.since, first_midnight(now, _DAYS_SHOWN))


def _days(session: Session, principal: Principal, custody: Custody, now: dt.datetime) -> list[Day]:
    told = timeline(session, principal, custody.handset_id, _start(custody, now), now)
    return days_of((i.start, i.end, str(i.state)) for i in told.intervals)
