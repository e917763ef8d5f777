"""Forget old boots that no ruling rests on. A boot is forgotten only if the phone is ruled the same without it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from sqlalchemy.orm import Session

from app.incidents.gather import Gathered, gather
from app.incidents.rules import Verdict
from app.incidents.settling import rule_now
from app.incidents.verdicts import verdicts_of
from app.kernel.tenancy import SYSTEM
from app.policy import Policy, PolicyFiles, effective
from app.registry import find_handset
from app.uptime import JournalLine, ReadingLine, forget_boots, hold_phone, old_boots, queue_settling

_DAY = 86_400_000_000
_Ruled = tuple[list[Verdict], frozenset[tuple[str, str]]]


def prune_boots(
    session: Session, now: dt.datetime, policies: PolicyFiles, before: dt.datetime, limit: int
) -> int:
    """Forget boots that ended before `before`, of at most `limit` phones; returns how many boots.

    First all of a phone's old boots are tried, then those that lie far from every incident; where that too would change
    a verdict, or whose custody counts in which month, the phone keeps them.
    """
    forgotten = 0
    for handset_id, _, boot_ids in old_boots(session, before, limit):
        # By the policy of the phone's own centre, as it is ruled; its boots may still name the one that it has left.
        centre_id = find_handset(session, SYSTEM, handset_id).centre_id
        hold_phone(session, handset_id, centre_id, now)
        policy = effective(session, policies, "uptime", centre_id)
        gathered = gather(session, handset_id, now)
        for candidates in (boot_ids, _far(boot_ids, gathered, policy, now)):
            if candidates and _ruled(_without(gathered, candidates), policy, now) == _ruled(
                gathered, policy, now
            ):
                forget_boots(session, handset_id, candidates)
                queue_settling(session, {handset_id: centre_id}, now)
                forgotten += len(candidates)
                break
    return forgotten


def _ruled(gathered: Gathered, policy: Policy, now: dt.datetime) -> _Ruled:
    ruling = rule_now(gathered, policy, now)
    named = frozenset(share for share in ruling.shares if not share[0].startswith("holder:"))
    return verdicts_of(ruling), named


def _without(gathered: Gathered, boot_ids: Collection[uuid.UUID]) -> Gathered:
    gone = {str(boot_id) for boot_id in boot_ids}
    kept = tuple(
        line
        for line in gathered.lines["boots"]
        if not (isinstance(line, ReadingLine | JournalLine) and line.boot_id in gone)
    )
    return Gathered(gathered.handset_id, {**gathered.lines, "boots": kept})


def _far(
    boot_ids: Sequence[uuid.UUID], gathered: Gathered, policy: Policy, now: dt.datetime
) -> list[uuid.UUID]:
    """Those that lie more than the longest time that a verdict looks around, and a day, from every incident."""
    around = _DAY + policy.body["unproved_hours"] * 3_600_000_000
    ruling = rule_now(gathered, policy, now)
    extents = [one.extent for one in verdicts_of(ruling)]
    runs = ruling.timeline.runs
    near: set[str] = set()
    for start, end in extents:
        before = [run for run in runs if run.end < start - around][-1:]
        after = [run for run in runs if run.start > end + around][:1]
        touching = [run for run in runs if run.start <= end + around and run.end >= start - around]
        near |= {run.boot.boot_id for run in (*before, *touching, *after)}
    return [boot_id for boot_id in boot_ids if str(boot_id) not in near]


def cutoff(now: dt.datetime, policies: PolicyFiles) -> dt.datetime:
    """Until when boots are old, by policy `retention`."""
    return now - dt.timedelta(days=policies.latest("retention").body["boot_days"])
