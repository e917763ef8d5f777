"""Take readings into the boots that they prove, and tell a phone's power from them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy.orm import Session

from app.kernel.db import from_us, to_us
from app.kernel.errors import FieldError, Invalid
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import PolicyFiles, effective_many
from app.readings import AbsorbedReading
from app.registry import find_handset
from app.uptime import store
from app.uptime.boots import BOUNDS, Boot, Grade, JournalEnd, from_journal, from_reading, merge
from app.uptime.rules import MINUTE, SLACK, Anomaly, Evidence, State, Timeline, decide
from app.uptime.settling import queue_news
from app.uptime.trace import Line
from app.uptime.writing import lines_of_boots

SUBJECT = "uptime"
MAX_WINDOW = dt.timedelta(days=400)
DEFAULT_WINDOW = dt.timedelta(days=7)
_Key = tuple[str, str, str]


def absorb_readings(session: Session, readings: Sequence[AbsorbedReading]) -> None:
    """Widen the bounds of the boots that the readings prove; the result is the same for any order, batches, doubles."""
    boots: dict[_Key, Boot] = {}
    centres: dict[str, str] = {}
    latest: dict[str, tuple[int, str]] = {}
    for reading in readings:
        at = None if reading.at is None else to_us(reading.at)
        phone, boot_id = reading.handset_id.hex, reading.boot_id.replace("-", "")
        key = (phone, boot_id, reading.grade)
        boot = from_reading(boot_id, reading.boot_count, at, reading.uptime_us)
        boots[key] = merge(boots[key], boot) if key in boots else boot
        centres[phone] = reading.centre_id.hex
        if at is not None:
            latest[phone] = max(latest.get(phone, (at, boot_id)), (at, boot_id))
    _take_in(session, boots, centres, sure=frozenset())
    store.advance_power(
        session,
        [
            {"handset_id": phone, "centre_id": centres[phone], "boot_id": boot_id, "proof_last": at}
            for phone, (at, boot_id) in sorted(latest.items())
        ],
    )


@dataclass(frozen=True, slots=True)
class AbsorbedJournal:
    """What a phone's own journal proves of one boot. `at`: when it was collected (server time); None: not known."""

    handset_id: uuid.UUID
    centre_id: uuid.UUID
    at: dt.datetime | None
    boot_id: str
    boot_count: int | None
    last_uptime_us: int
    end: JournalEnd
    grade: str
    agent_id: uuid.UUID


def absorb_journals(session: Session, journals: Sequence[AbsorbedJournal]) -> None:
    """As `absorb_readings`, for journals. A shutdown mark always has its phone ruled again."""
    boots: dict[_Key, Boot] = {}
    centres: dict[str, str] = {}
    for journal in journals:
        heard = None if journal.at is None else to_us(journal.at)
        phone, boot_id = journal.handset_id.hex, journal.boot_id.replace("-", "")
        key = (phone, boot_id, journal.grade)
        boot = from_journal(boot_id, journal.boot_count, journal.last_uptime_us, journal.end, heard)
        boots[key] = merge(boots[key], boot) if key in boots else boot
        centres[phone] = journal.centre_id.hex
    marked = {key for key, boot in boots.items() if boot.shutdown_last_us is not None}
    _take_in(session, boots, centres, sure=marked)


def _take_in(
    session: Session, boots: Mapping[_Key, Boot], centres: Mapping[str, str], *, sure: Collection[_Key]
) -> None:
    ordered = sorted(boots.items())
    queue_news(
        session,
        [
            {
                "handset_id": key[0],
                "centre_id": centres[key[0]],
                "boot_id": key[1],
                "grade": key[2],
                "read_at": boot.read_first,
                # Undated evidence is ruled first of all.
                "due_at": boot.heard_first or 0,
                "sure": int(key in sure),
            }
            for key, boot in ordered
        ],
    )
    store.widen_boots(session, [_boot_row(key, boot, centres[key[0]]) for key, boot in ordered])


def _boot_row(key: _Key, boot: Boot, centre_id: str) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(boot, name) for name in BOUNDS}
    row["handset_id"], row["boot_id"], row["grade"] = key
    row["centre_id"] = centre_id
    return row


def evidence_lines(session: Session, handset_id: uuid.UUID, now: dt.datetime) -> list[Line]:
    """What is stored of a phone's boots as lines of a trace. Internal: sees every centre."""
    boots = store.boots_of(session, SYSTEM, handset_id)
    graded: list[tuple[Grade, Boot]] = [("self" if grade == "self" else "gateway", b) for grade, b in boots]
    return lines_of_boots(
        str(handset_id), sorted(graded, key=lambda one: (one[1].boot_id, one[0])), to_us(now)
    )


@dataclass(frozen=True, slots=True)
class PowerNow:
    """`state` is on only while the last proof is fresh, else unknown: a silent phone is never called off.

    `since`: for on, the start of that boot; for unknown, the last proof. All None where nothing was ever proved.
    """

    state: State
    since: dt.datetime | None = None
    last_proof_at: dt.datetime | None = None
    boot_id: str | None = None


def power_now(
    session: Session,
    principal: Principal,
    handset_ids: Collection[uuid.UUID],
    now: dt.datetime,
    policies: PolicyFiles,
) -> dict[uuid.UUID, PowerNow]:
    """The present state of each phone asked for; those outside the caller's centres come out as never proved."""
    found = dict.fromkeys(handset_ids, PowerNow(State.UNKNOWN))
    proofs = list(store.latest_proofs(session, principal, handset_ids))
    fresh = _fresh_us(session, policies, {proof.centre_id for proof in proofs})
    present = to_us(now)
    for proof in proofs:
        on = present - fresh[proof.centre_id] <= proof.proof_last <= present + SLACK
        found[proof.handset_id] = PowerNow(
            state=State.ON if on else State.UNKNOWN,
            since=from_us(proof.started if on else proof.proof_last),
            last_proof_at=from_us(proof.proof_last),
            boot_id=str(proof.boot_id),
        )
    return found


def power_counts(
    session: Session, principal: Principal, now: dt.datetime, policies: PolicyFiles
) -> dict[State, int]:
    """How many phones with any proof are on or unknown now; a phone of which nothing was proved is in neither count."""
    counts = {State.ON: 0, State.UNKNOWN: 0}
    centres = store.proofs_by_centre(session, principal)
    fresh = _fresh_us(session, policies, set(centres))
    present = to_us(now)
    for centre_id, total in centres.items():
        on = store.count_fresh(session, centre_id, present - fresh[centre_id], present + SLACK)
        counts[State.ON] += on
        counts[State.UNKNOWN] += total - on
    return counts


def _fresh_us(
    session: Session, policies: PolicyFiles, centre_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, int]:
    found = effective_many(session, policies, SUBJECT, centre_ids)
    return {centre: int(policy.body["fresh_minutes"]) * MINUTE for centre, policy in found.items()}


@dataclass(frozen=True, slots=True)
class PowerInterval:
    start: dt.datetime
    end: dt.datetime
    state: State
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class BootSeen:
    """A boot as far as it is known. `grades`: who vouches for it. `last_proof_at` None: no reading dates this boot."""

    boot_id: str
    boot_count: int | None
    started_at: dt.datetime | None
    last_proof_at: dt.datetime | None
    ended: str
    grades: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PowerTimeline:
    """`intervals` are contiguous over `[start, end)`; `seconds` by state; `proved_share`: of on and off, 0 to 1."""

    start: dt.datetime
    end: dt.datetime
    intervals: tuple[PowerInterval, ...]
    anomalies: tuple[Anomaly, ...]
    boots: tuple[BootSeen, ...]
    seconds: dict[str, int]
    proved_share: float


@dataclass(frozen=True, slots=True)
class HandsetPower(PowerTimeline):
    now: PowerNow


def power_of_handset(
    session: Session,
    principal: Principal,
    handset_id: uuid.UUID,
    start: dt.datetime | None,
    end: dt.datetime | None,
    now: dt.datetime,
    policies: PolicyFiles,
) -> HandsetPower:
    """A phone's timeline, by default of 7 days, never beyond now. Raise `NotFound` for a phone out of sight."""
    find_handset(session, principal, handset_id)
    until = now if end is None else min(end, now)
    told = timeline(session, principal, handset_id, start or until - DEFAULT_WINDOW, until)
    state = power_now(session, principal, [handset_id], now, policies)[handset_id]
    return HandsetPower(**{f.name: getattr(told, f.name) for f in fields(told)}, now=state)


def timeline(
    session: Session, principal: Principal, handset_id: uuid.UUID, start: dt.datetime, end: dt.datetime
) -> PowerTimeline:
    """On, off and unknown of a phone over `[start, end)`. Raise `Invalid` for an empty or too long window.

    Anomalies and boots are those that reach into the window; the decision itself looks at all boots ever seen.
    """
    if end <= start or end - start > MAX_WINDOW:
        message = f"必须晚于开始时间，且不超过 {MAX_WINDOW.days} 天 / later than `from`, at most {MAX_WINDOW.days} days"
        raise Invalid(message, fields=[FieldError("to", "span", message)])
    graded = store.boots_of(session, principal, handset_id)
    decided = decide((boot for _, boot in graded), to_us(start), to_us(end))
    seen = _boots_seen(graded, decided, to_us(start), to_us(end))
    near = {boot.boot_id for boot in seen}
    seconds = {state.value: decided.total(state) // 1_000_000 for state in State}
    proved = decided.total(State.ON) + decided.total(State.OFF)
    return PowerTimeline(
        start=start,
        end=end,
        intervals=tuple(
            PowerInterval(from_us(i.start), from_us(i.end), i.state, i.evidence) for i in decided.intervals
        ),
        anomalies=tuple(a for a in decided.anomalies if not near.isdisjoint(a.boots)),
        boots=tuple(seen),
        seconds=seconds,
        proved_share=round(proved / (to_us(end) - to_us(start)), 4),
    )


def _boots_seen(
    graded: Sequence[tuple[str, Boot]], decided: Timeline, start: int, end: int
) -> list[BootSeen]:
    """Dated boots of the window, newest first, then those that no reading dates."""
    grades: dict[str, set[str]] = {}
    merged: dict[str, Boot] = {}
    for grade, boot in graded:
        grades.setdefault(boot.boot_id, set()).add(grade)
        merged[boot.boot_id] = merge(merged[boot.boot_id], boot) if boot.boot_id in merged else boot
    runs = {run.boot.boot_id: run for run in decided.runs}
    inside = [run for run in reversed(decided.runs) if run.start < end and run.end >= start]
    order = [run.boot.boot_id for run in inside] + [b for b in sorted(merged) if b not in runs]
    seen = []
    for boot_id in order:
        boot, run = merged[boot_id], runs.get(boot_id)
        seen.append(
            BootSeen(
                boot_id=boot_id,
                boot_count=boot.count_high,
                started_at=from_us(run.start) if run else None,
                last_proof_at=from_us(run.end) if run else None,
                ended="shutdown" if boot.ends_in_shutdown() else "open",
                grades=tuple(sorted(grades[boot_id])),
            )
        )
    return seen
