"""One check-in: readings, unreached targets and results come in, wants and commands go out.

The good path is bulk. Only when a part fails as a whole is it tried entry by entry, each in a savepoint of its own, so
that one odd entry costs a slow minute and never its neighbours' readings.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import orjson
import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from agent.wire import CheckinAnswer, b64
from app.commands import CommandHooks, parse_result
from app.compliance import judge
from app.escrow import Vault
from app.fleet import checkin_journals, store
from app.fleet.checkin_beats import take_beats, take_result_in
from app.fleet.checkin_commands import orders_for
from app.fleet.metrics import count_checkin, count_entries
from app.fleet.schemas import CheckinInput
from app.fleet.signatures import SignedCall
from app.kernel.errors import DomainError
from app.kernel.keys import KeyStore
from app.policy import PolicyFiles
from app.readings import (
    AbsorbedReading,
    Absorption,
    AgentRef,
    BadEntry,
    Journal,
    Reading,
    Unreached,
    absorb,
    dated,
    note_contacts,
    note_sightings,
    parse_journal,
    parse_reading,
    parse_unreached,
    refused_phones,
)
from app.registry import HandsetRef, handsets_by_serial, placeholder_serial
from app.uptime import absorb_readings

log = structlog.get_logger(__name__)
T = TypeVar("T")
Known = tuple[Reading, HandsetRef]


@dataclass(frozen=True)
class Surroundings:
    """What a check-in needs of the server besides the database."""

    keys: KeyStore
    policies: PolicyFiles
    vault: Vault
    hooks: CommandHooks
    interval_s: int


@dataclass
class _Outcome:
    accepted: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)
    wanted: dict[str, list[str]] = field(default_factory=dict)

    def reject(self, part: str, index: int, code: str, detail: str) -> None:
        self.rejected.append({"part": part, "index": index, "code": code, "detail": detail})


def checkin(
    session: Session, call: SignedCall, body: CheckinInput, now: dt.datetime, around: Surroundings
) -> CheckinAnswer:
    """The whole exchange, in the caller's transaction. A batch that came before is not counted again."""
    agent = call.agent
    kept = store.claim_request(session, agent.id, body.batch, "checkin", now)
    count_checkin(again=kept is not None)
    if kept is None:
        taken = _take(session, agent, body, now, around)
        store.keep_answer(session, agent.id, body.batch, orjson.dumps(taken).decode())
    else:
        taken = orjson.loads(kept.answer or "{}")
    commands, key = orders_for(session, call, now, around.keys, around.vault, around.hooks)
    answer: CheckinAnswer = {
        "batch": str(body.batch),
        "interval_s": around.interval_s,
        "accepted": taken["accepted"],
        "rejected": taken["rejected"],
        "want": taken["want"],
        "commands": commands,
        "hmac_key": b64(around.keys.secret("name-hmac")),
    }
    if key is not None:
        answer["danger_key"] = key
    return answer


def _take(
    session: Session, agent: AgentRef, body: CheckinInput, now: dt.datetime, around: Surroundings
) -> dict[str, Any]:
    outcome = _Outcome()
    readings = _parsed(outcome, "readings", body.readings, parse_reading)
    unreached = _parsed(outcome, "unreached", body.unreached, parse_unreached)
    journals = _parsed(outcome, "journals", body.journals, parse_journal)
    serials = {r.phone for _, r in readings} | {u.phone for _, u in unreached if u.phone is not None}
    serials |= {j.phone for _, j in journals}
    phones = handsets_by_serial(session, serials) if serials else {}
    _take_readings(session, agent, readings, phones, outcome, now, around)
    _take_journals(session, agent, journals, phones, outcome, now)
    _take_unreached(session, agent, readings, unreached, phones, outcome, now)
    take_beats(session, agent, body.beats, outcome.reject, now)
    _take_results(session, agent, body.results, outcome, now, around.hooks)
    for part, entries in (("readings", readings), ("journals", journals), ("unreached", unreached)):
        count_entries(part, "checked", len(entries))
    outcome.rejected.sort(key=lambda r: (r["part"], r["index"]))
    came = sum(map(len, (body.readings, body.unreached, body.results, body.journals, body.beats)))
    outcome.accepted = came - len(outcome.rejected)
    count_entries("all", "accepted", outcome.accepted)
    count_entries("all", "rejected", len(outcome.rejected))
    want = [{"phone": phone, "sections": names} for phone, names in outcome.wanted.items() if names]
    return {"accepted": outcome.accepted, "rejected": outcome.rejected, "want": want}


def _parsed(
    outcome: _Outcome, part: str, entries: Sequence[Any], parse: Callable[[Any], T]
) -> list[tuple[int, T]]:
    found = []
    for index, entry in enumerate(entries):
        try:
            found.append((index, parse(entry)))
        except BadEntry as exc:
            outcome.reject(part, index, "bad_entry", str(exc))
    return found


def phone_refusal(agent: AgentRef, serial: str, handset: HandsetRef | None) -> tuple[str, str] | None:
    """Code and words when this agent's word about this phone is not taken; None when it is."""
    if agent.kind == "self" and (handset is None or handset.id != agent.handset_id):
        return "foreign_phone", "an agent on a phone speaks for that phone alone"
    if placeholder_serial(serial):
        return "placeholder_serial", "many phones share this serial: it identifies none"
    if handset is None:
        return "unknown_phone", "this serial is not registered"
    if handset.centre_id != agent.centre_id:
        return "foreign_phone", "this phone belongs to another service centre"
    if handset.retired:
        return "retired_phone", "this phone is no longer in use"
    return None


def _take_readings(
    session: Session,
    agent: AgentRef,
    readings: Sequence[tuple[int, Reading]],
    phones: Mapping[str, HandsetRef],
    outcome: _Outcome,
    now: dt.datetime,
    around: Surroundings,
) -> None:
    places: list[int] = []
    known: list[Known] = []
    unknown: list[Reading] = []
    for index, reading in readings:
        handset = phones.get(reading.phone)
        refused = phone_refusal(agent, reading.phone, handset)
        if reading.grade != agent.kind:
            refused = ("bad_entry", f"grade: this agent's readings are graded {agent.kind}")
        if refused is not None:
            outcome.reject("readings", index, *refused)
            if refused[0] == "unknown_phone":
                unknown.append(reading)
        elif handset is not None:
            places.append(index)
            known.append((reading, handset))
    if unknown:
        note_sightings(session, agent, unknown, now)
    absorbed = _absorb(session, agent, known, places, outcome, now)
    _judge(session, absorbed, around.policies, now)


def _absorb(
    session: Session,
    agent: AgentRef,
    known: Sequence[Known],
    places: Sequence[int],
    outcome: _Outcome,
    now: dt.datetime,
) -> list[AbsorbedReading]:
    """Readings into states and boots: at once, or one by one when something among them breaks that."""
    if not known:
        return []

    def take(some: Sequence[Known]) -> Absorption:
        result = absorb(session, agent, some, now)
        absorb_readings(session, result.absorbed)
        return result

    whole = _attempt(session, partial(take, known), "readings")
    if whole is not None:
        runs = [(places, whole)]
    else:
        runs = []
        for place, one in zip(places, known, strict=True):
            single = _attempt(session, partial(take, [one]), "reading")
            if single is None:
                outcome.reject("readings", place, "not_taken", "the server could not take this reading")
            else:
                runs.append(([place], single))
    for where, result in runs:
        for index, code, detail in result.refused:
            outcome.reject("readings", where[index], code, detail)
        outcome.wanted.update(result.wanted)
    return [reading for _, result in runs for reading in result.absorbed]


def _judge(
    session: Session, absorbed: Sequence[AbsorbedReading], policies: PolicyFiles, now: dt.datetime
) -> None:
    """A verdict that cannot be given leaves the reading standing: it proves the phone on all the same."""
    if not absorbed:
        return

    def give(some: Sequence[AbsorbedReading]) -> bool:
        judge(session, some, policies, now)
        return True

    if not _attempt(session, partial(give, absorbed), "verdicts"):
        for reading in absorbed:
            _attempt(session, partial(give, [reading]), "verdict")


def _attempt(session: Session, act: Callable[[], T], what: str) -> T | None:
    """`act()` in a savepoint; None, rolled back and logged, when it breaks. A database that is away breaks all."""
    try:
        with session.begin_nested():
            return act()
    except OperationalError:
        raise
    except Exception as exc:
        log.exception("checkin_part_failed", part=what, kind=type(exc).__name__)
        return None


def _take_journals(
    session: Session,
    agent: AgentRef,
    journals: Sequence[tuple[int, Journal]],
    phones: Mapping[str, HandsetRef],
    outcome: _Outcome,
    now: dt.datetime,
) -> None:
    """After the readings, which say whether the phone of that serial is the registered one."""
    known: list[tuple[int, checkin_journals.Known]] = []
    for index, journal in journals:
        handset = phones.get(journal.phone)
        refused = phone_refusal(agent, journal.phone, handset)
        if journal.grade != agent.kind:
            refused = ("bad_entry", f"grade: this agent's journals are graded {agent.kind}")
        if refused is not None:
            outcome.reject("journals", index, *refused)
        elif handset is not None:
            known.append((index, (journal, handset)))
    others = refused_phones(session, {handset.id for _, (_, handset) in known})
    for index, (_, handset) in known:
        if handset.id in others:
            outcome.reject("journals", index, "identity_mismatch", "another phone answers by this serial")
    _absorb_journals(session, agent, [k for k in known if k[1][1].id not in others], outcome, now)


def _absorb_journals(
    session: Session,
    agent: AgentRef,
    known: Sequence[tuple[int, checkin_journals.Known]],
    outcome: _Outcome,
    now: dt.datetime,
) -> None:
    """At once, or one by one when something among them breaks that."""

    def take(some: Sequence[tuple[int, checkin_journals.Known]]) -> bool:
        checkin_journals.take(session, agent, [journal for _, journal in some], now)
        return True

    if not known or _attempt(session, partial(take, known), "journals"):
        return
    for one in known:
        if not _attempt(session, partial(take, [one]), "journal"):
            outcome.reject("journals", one[0], "not_taken", "the server could not take this journal")


def _take_unreached(
    session: Session,
    agent: AgentRef,
    readings: Sequence[tuple[int, Reading]],
    unreached: Sequence[tuple[int, Unreached]],
    phones: Mapping[str, HandsetRef],
    outcome: _Outcome,
    now: dt.datetime,
) -> None:
    kept: list[tuple[Unreached, HandsetRef | None]] = []
    for index, entry in unreached:
        handset = None if entry.phone is None else phones.get(entry.phone)
        refused = None if entry.phone is None else phone_refusal(agent, entry.phone, handset)
        if refused is not None and refused[0] != "unknown_phone":
            outcome.reject("unreached", index, *refused)
        else:
            kept.append((entry, handset))
    read: dict[str, dt.datetime] = {}
    for _, reading in readings:
        at = dated(now, reading.age_us)
        if at is not None:
            read[reading.target] = max(at, read.get(reading.target, at))
    note_contacts(session, agent, read, kept, now)


def _take_results(
    session: Session, agent: AgentRef, entries: Sequence[Any], outcome: _Outcome, now: dt.datetime,
    hooks: CommandHooks,
) -> None:  # fmt: skip
    """Each result by itself: what is wrong with one is answered for that one."""
    for index, result in _parsed(outcome, "results", entries, parse_result):
        try:
            with session.begin_nested():
                take_result_in(session, agent, result, hooks, now)
        except DomainError as exc:
            outcome.reject("results", index, exc.code, exc.detail)
        except OperationalError:
            raise
        except Exception as exc:
            # Taken again and again, it would keep all that the agent has to say from ever arriving.
            log.exception("checkin_part_failed", part="result", kind=type(exc).__name__)
            outcome.reject("results", index, "not_taken", "the server could not take this result")
