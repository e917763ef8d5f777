"""What the scheduler does with tests: plan the day's, send what is due, end what nobody answered, weigh what failed."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Mapping
from itertools import groupby

from sqlalchemy.orm import Session

from app.commands import FINAL, Command, cancel, enqueue
from app.commands import State as CommandState
from app.commands import get as get_command
from app.dialling import ask_dial
from app.kernel.errors import Conflict
from app.kernel.tenancy import SYSTEM
from app.observers import trusted
from app.policy import Policy, PolicyFiles, effective_many
from app.probes import store
from app.probes.model import Probe
from app.probes.rules import draw_times, local_day, whole_day, window
from app.probes.service import end_probe, new_probe, tries_of
from app.probes.states import Event, State
from app.readings import Heard, last_heard
from app.registry import find_handset
from app.uptime import queue_settling

SUBJECT = "probing"
KIND = "probe"
_AT_ONCE = 500
_AHEAD = dt.timedelta(hours=1)
_NUMBERS = (
    "again_seconds", "heard_before_minutes", "heard_after_minutes", "lease_minutes", "recover_minutes",
    "pause_seconds", "site_phones", "site_percent", "site_within_minutes", "quiet_minutes", "usual_percent",
)  # fmt: skip


def plan_day(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Register the day's tests of each phone that a gateway ever read, an hour before the day begins.

    Of a phone that comes later those that lie in the past are registered as missed: drawn anew at each run until some
    lie ahead, they would gather at the day's end, where one could wait for them.
    """
    return sum(
        _plan(session, policies, day, now) for day in sorted({local_day(now), local_day(now + _AHEAD)})
    )


def _plan(session: Session, policies: PolicyFiles, day: dt.date, now: dt.datetime) -> int:
    phones = last_heard(session)
    centres = {phone.centre_id for phone in phones}
    done = store.planned_on(session, centres, day.isoformat(), *whole_day(day))
    rows: list[Mapping[str, object]] = []
    found = effective_many(session, policies, SUBJECT, centres)
    for centre_id, mine in groupby(phones, key=lambda phone: phone.centre_id):
        for phone in mine:
            if phone.handset_id not in done:
                rows += _day_of(phone, found[centre_id], day, now)
    return store.insert_probes(session, rows)


def _day_of(phone: Heard, policy: Policy, day: dt.date, now: dt.datetime) -> list[Mapping[str, object]]:
    hours = window(day, policy.body)
    if hours is None:
        return []
    least = dt.timedelta(minutes=policy.body["least_minutes"])
    times = draw_times(*hours, policy.body["per_day"], least, secrets.randbelow)
    rows = [
        new_probe(
            phone.centre_id, phone.handset_id, "scheduled", at, now, SYSTEM.user, day.isoformat(), number
        )
        for number, at in enumerate(times, 1)
    ]
    late = {"state": State.MISSED, "reason": store.PLANNED_LATE, "finished_at": now}
    return [{**row, **late} if at <= now else row for row, at in zip(rows, times, strict=True)]


def send_due(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Turn tests that are due into signed commands; one that could not be sent in time is missed."""
    rows = store.due(session, now, _AT_ONCE)
    found = effective_many(session, policies, SUBJECT, {probe.centre_id for probe in rows})
    busy = store.busy_handsets(session, [probe.handset_id for probe in rows])
    believed: dict[uuid.UUID, bool] = {}
    touched = 0
    for probe in rows:
        policy = found[probe.centre_id]
        if probe.centre_id not in believed:
            believed[probe.centre_id] = trusted(session, probe.centre_id, now)
        if now - probe.planned_at > dt.timedelta(minutes=policy.body["send_within_minutes"]):
            store.move(session, probe, Event.MISS, reason="late", finished_at=now)
        elif probe.handset_id in busy or (probe.cause == "scheduled" and not believed[probe.centre_id]):
            continue
        elif _send(session, probe, policy, now):
            busy.add(probe.handset_id)
        touched += 1
    return touched


def _send(session: Session, probe: Probe, policy: Policy, now: dt.datetime) -> bool:
    """Queue the command; False when it cannot be done (yet)."""
    if find_handset(session, SYSTEM, probe.handset_id).retired_at is not None:
        store.move(session, probe, Event.MISS, reason="retired", finished_at=now)
        return False
    args = {"probe": str(probe.id), "again_s": policy.body["again_seconds"]}
    command, made = enqueue(session, SYSTEM, probe.handset_id, KIND, args, now=now)
    if not made:
        return False  # a gateway still holds the command of a test that was given up
    store.move(
        session, probe, Event.SEND, sent_at=now, command_id=command.id,
        numbers={name: policy.body[name] for name in _NUMBERS}, policy_version=policy.version,
        policy_sha256=policy.sha256,
    )  # fmt: skip
    return True


def end_unanswered(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """End tests whose command nobody took in time, or whose command ended without an agent's word on it."""
    rows = store.running(session)
    found = effective_many(session, policies, SUBJECT, {probe.centre_id for probe in rows})
    ended = 0
    for probe in rows:
        assert probe.command_id is not None
        assert probe.sent_at is not None
        command = get_command(session, SYSTEM, probe.command_id)
        within = dt.timedelta(minutes=found[probe.centre_id].body["send_within_minutes"])
        if command.state in FINAL:
            end_probe(session, probe, _unanswered(command), command.state, now)
        elif command.state in (CommandState.QUEUED, CommandState.NOT_NOW) and now - probe.sent_at > within:
            try:
                cancel(session, SYSTEM, command.id, reason="probe not taken in time", now=now)
            except Conflict:
                continue  # a gateway took it in this moment
            end_probe(session, probe, _unanswered(command), "not_taken", now)
        else:
            continue
        ended += 1
    return ended


def _unanswered(command: Command) -> Event:
    return Event.MISS if command.attempts == 0 else Event.DOUBT


def weigh_failed(session: Session, now: dt.datetime) -> int:
    """Once a phone had its time to be heard: ask for a dial test where a failed test still speaks against it."""
    rows = store.to_settle(session, now, _AT_ONCE)
    for probe in rows:
        if any(one.counts for one in tries_of(session, probe)):
            ask_dial(session, probe.handset_id, "probe", now)
        queue_settling(session, {probe.handset_id: probe.centre_id}, now)
        probe.settle_at = None
    session.flush()
    return len(rows)


def prune(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    return store.prune(session, now - dt.timedelta(days=policies.latest(SUBJECT).body["keep_days"]))
