"""Everything about one incident for its page: what there is against the phone and for it, and who may act."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.duty import excuse_facts
from app.incidents import store, words
from app.incidents.lanes import Lane, lane
from app.incidents.model import Incident, IncidentAppeal, IncidentChange, IncidentDecision, IncidentStrike
from app.incidents.rules import PENDING, HitFact, Verdict
from app.incidents.service import DECIDERS, REVIEWERS, answering, concerned, get, spoken
from app.incidents.states import NEXT, Event
from app.incidents.states import State as Progress
from app.incidents.verdicts import stored_verdict
from app.kernel.db import from_us
from app.kernel.tenancy import SYSTEM, Principal
from app.observers import outages
from app.people import names_of
from app.policy import PolicyFiles, effective
from app.readings import JournalNote, journal_notes, latest_sections
from app.registry import Handset, find_handset, holder_of
from app.uptime import PowerTimeline, State, timeline

_EDGE = dt.timedelta(hours=6)
_LONGEST = dt.timedelta(days=40)
_HINTS = 20
_LAST_SECOND = 253_000_000_000  # of the year 9987: dates end soon after


@dataclass(frozen=True)
class Act:
    """Which forms the caller may use."""

    decide: bool
    review: bool
    appeal: bool


@dataclass(frozen=True, slots=True)
class Hint:
    """What the phone noted of a shutdown or startup by its own clock (empty: at no time), and where or why."""

    phone_clock: str
    event: str
    source: str


@dataclass(frozen=True)
class EvidenceView:
    """`on_before`, `on_after`: the nearest proofs of on around it. `names`: words for actors, empty for who may not
    see them. `empty_percent`: a journal that ends at or below it may have ended with the battery.
    """

    row: Incident
    verdict: Verdict
    phone: Handset
    start: dt.datetime
    end: dt.datetime
    lanes: Sequence[Lane]
    on_before: dt.datetime | None
    on_after: dt.datetime | None
    power: PowerTimeline
    lines: Sequence[str]
    strikes: Sequence[IncidentStrike]
    answers: str
    why_answers: str
    journals: Sequence[JournalNote]
    hints: Sequence[Hint]
    empty_percent: int
    changes: Sequence[IncidentChange]
    decisions: Sequence[IncidentDecision]
    appeals: Sequence[IncidentAppeal]
    names: dict[str, str]
    act: Act
    joined: uuid.UUID | None


def evidence_of(
    session: Session,
    principal: Principal,
    policies: PolicyFiles,
    incident_id: uuid.UUID,
    now: dt.datetime,
    *,
    named: bool,
) -> EvidenceView:
    """`named`: with the names of those who tested and decided. Raise `NotFound` for what is not the caller's to see."""
    row = get(session, principal, incident_id)
    strikes = store.strikes_of(session, [row.id])[row.id]
    verdict = stored_verdict(row, strikes)
    around = _around(session, row, verdict, now)
    start, end = _window(verdict, around, now)
    power = timeline(session, SYSTEM, row.handset_id, start, end)
    decisions, appeals = store.decisions_on(session, row.id), store.appeals_on(session, row.id)
    return EvidenceView(
        row=row,
        verdict=verdict,
        phone=find_handset(session, SYSTEM, row.handset_id),
        start=start,
        end=end,
        lanes=_lanes(session, row, verdict, power, start, end),
        on_before=around[0],
        on_after=around[1],
        power=power,
        lines=words.evidence_words(verdict),
        strikes=strikes,
        answers=answer_names(session, [row]).get(row.id, ""),
        why_answers=_why_answers(session, row),
        journals=_journals(session, row, power),
        hints=_hints(session, row),
        empty_percent=effective(session, policies, "uptime", row.centre_id).body["empty_battery_percent"],
        changes=list(reversed(store.changes_of(session, row.id))),
        decisions=decisions,
        appeals=appeals,
        names=_names(session, verdict.hits, decisions, appeals) if named else {},
        act=_act(session, principal, row, now),
        joined=row.gone_to,
    )


def answer_names(session: Session, rows: Collection[Incident]) -> dict[uuid.UUID, str]:
    """Who answers for each incident, by name; a phone that nobody had in custody says so."""
    found = store.employee_names(session, {row.employee_id for row in rows if row.employee_id is not None})
    return {row.id: found.get(row.employee_id, "") if row.employee_id else "无人保管" for row in rows}


_Around = tuple[dt.datetime | None, dt.datetime | None]


def _around(session: Session, row: Incident, verdict: Verdict, now: dt.datetime) -> _Around:
    """The last proof of on before the incident and the first after it, within the longest time shown."""
    first, last = from_us(verdict.start), from_us(verdict.end)
    whole = timeline(session, SYSTEM, row.handset_id, first - _LONGEST, max(min(last + _LONGEST, now), first))
    on = [i for i in whole.intervals if i.state is State.ON]
    before = max((i.end for i in on if i.end <= first), default=None)
    return before, min((i.start for i in on if i.start >= last), default=None)


def _window(verdict: Verdict, around: _Around, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    first, last = (from_us(at) for at in verdict.extent)
    start = min(first, around[0] or first) - _EDGE
    return start, max(min(max(last, around[1] or last) + _EDGE, now), first)


def _lanes(
    session: Session,
    row: Incident,
    verdict: Verdict,
    power: PowerTimeline,
    start: dt.datetime,
    end: dt.datetime,
) -> list[Lane]:
    found = [lane("手机", start, end, [(i.start, i.end, i.state.value, "") for i in power.intervals])]
    minute = dt.timedelta(minutes=1)
    hits = [(from_us(h.at), from_us(h.at) + minute, "hit", words.hit_words(h)) for h in verdict.hits]
    found.append(lane("拨测与反映", start, end, hits))
    away: dict[str, list[tuple[dt.datetime, dt.datetime, str, str]]] = {}
    for one in outages(session, SYSTEM, row.centre_id, start, end):
        away.setdefault(one.name, []).append((one.start, one.end or end, "away", "观测点自身中断"))
    return found + [lane(f"{name} 中断", start, end, pieces) for name, pieces in sorted(away.items())]


def _journals(session: Session, row: Incident, power: PowerTimeline) -> list[JournalNote]:
    """The journals of the boots that reach into the window."""
    near = {boot.boot_id for boot in power.boots if boot.started_at is not None}
    return [note for note in journal_notes(session, row.handset_id) if note.boot_id in near]


def _hints(session: Session, row: Incident) -> list[Hint]:
    """What Android noted of its starts, newest first, at most `_HINTS` of either source."""
    names = ("power_history", "boot_reasons")
    told = latest_sections(session, [row.handset_id], names).get(row.handset_id, {})
    history, reasons = (told.get(name) or [] for name in names)
    found = [Hint(one["phone_clock"], one["event"], one["source"]) for one in history[:_HINTS]]
    found += [Hint(_phone_clock(one["at"]), "startup", one["reason"]) for one in reasons[:_HINTS]]
    return sorted(found, key=lambda hint: hint.phone_clock, reverse=True)


def _phone_clock(seconds: int | None) -> str:
    """Seconds since 1970 by a phone's clock, which may say anything, as `power_history` writes them."""
    if seconds is None or not 0 <= seconds < _LAST_SECOND:
        return ""
    return f"{words.shanghai(seconds * 1_000_000):%Y-%m-%d %H:%M:%S}"


def _why_answers(session: Session, row: Incident) -> str:
    at = row.start_at
    for one in excuse_facts(session, row.handset_id):
        within = one.start <= at and (one.end is None or at < one.end)
        if one.delegate is not None and one.delegate == row.employee_id and within:
            return "当时手机已委托给受托人，委托期间由受托人负责（N01）"
    held = holder_of(session, SYSTEM, row.handset_id, at)
    if held is None:
        return "当时手机不属于任何岗位"
    if held.employee_id is None:
        return f"当时手机属于岗位 {held.post_name}，岗位空缺"
    if held.employee_id != row.employee_id:
        return f"按第一次命中的时刻确定；事件开始时手机属于岗位 {held.post_name}"
    return f"当时手机属于岗位 {held.post_name}，由其在岗人员保管（R01）"


def _names(
    session: Session,
    hits: Iterable[HitFact],
    decisions: Iterable[IncidentDecision],
    appeals: Iterable[IncidentAppeal],
) -> dict[str, str]:
    actors = {hit.who for hit in hits if hit.source == "dial_test"}
    actors |= {one.actor for one in decisions} | {one.actor for one in appeals}
    return names_of(session, actors)


def _act(
    session: Session,
    principal: Principal,
    row: Incident,
    now: dt.datetime,
) -> Act:
    """What the service would let him do; it checks again when he does it."""
    if row.gone_at is not None:
        return Act(False, False, False)
    state, persons = Progress(row.state), answering(session, row)
    other = principal.employee is None or principal.employee not in concerned(session, row)
    may = {event: (state, event) in NEXT for event in Event}
    open_matter = row.status in PENDING or row.status == "confirmed"
    second = principal.user not in spoken(session, row)
    appealed = {one.employee_id for one in store.appeals_on(session, row.id)}
    in_time = row.appeal_until is not None and now <= row.appeal_until
    return Act(
        decide=may[Event.DECIDE] and other and open_matter and principal.may(row.centre_id, *DECIDERS),
        review=may[Event.DECIDE_APPEAL] and other and second and principal.may(row.centre_id, *REVIEWERS),
        appeal=may[Event.APPEAL]
        and principal.employee in persons
        and principal.employee not in appealed
        and row.status == "confirmed"
        and in_time,
    )
