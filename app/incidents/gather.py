"""All that was said of a phone, from every room, as lines of a trace: what it is ruled from, live and in a replay."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.dialling import dial_facts
from app.duty import excuse_facts
from app.incidents import store
from app.kernel.db import to_us
from app.kernel.tenancy import SYSTEM
from app.policy import Policy
from app.probes import failed_probes
from app.registry import history_of
from app.reports import report_facts
from app.uptime import (
    BeatLine,
    CustodyLine,
    DecisionLine,
    DialLine,
    ExcuseLine,
    Line,
    PolicyLine,
    ProbeLine,
    ReportLine,
    Trace,
    as_json,
    evidence_lines,
)


@dataclass(frozen=True, slots=True)
class Gathered:
    """A phone's lines by the kind of input (`rules.CAUSES` without policy and time)."""

    handset_id: uuid.UUID
    lines: Mapping[str, tuple[Line, ...]]

    @property
    def all(self) -> Iterable[Line]:
        return (line for lines in self.lines.values() for line in lines)

    def hashes(self, policy: Policy) -> dict[str, str]:
        """The sha256 of each kind of input: which of them changed tells why a verdict did."""
        told = {name: _sha256(sorted(map(as_json, lines))) for name, lines in self.lines.items()}
        return {**told, "policy": policy.sha256}


def inputs_sha256(hashes: Mapping[str, str]) -> str:
    """One sha256 over all inputs of a ruling."""
    return _sha256([json.dumps(dict(hashes), sort_keys=True).encode()])


def _sha256(lines: Iterable[bytes]) -> str:
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def gather(session: Session, handset_id: uuid.UUID, now: dt.datetime) -> Gathered:
    """Everything that counts for one phone, up to `now`. Internal: sees every centre."""
    phone = str(handset_id)
    return Gathered(
        handset_id,
        {
            "boots": tuple(evidence_lines(session, handset_id, now)),
            "tests": tuple(_tests(session, handset_id, phone)),
            "custody": tuple(_custody(session, handset_id, phone, to_us(now))),
            "excuses": tuple(_excuses(session, handset_id, phone)),
            "decisions": tuple(_decisions(session, handset_id, phone)),
        },
    )


def policy_line(policy: Policy, now: dt.datetime) -> PolicyLine:
    """All values that ruled, so that a replay needs no old policy file; its `t` is the ruling's instant."""
    return PolicyLine(to_us(now), json.dumps(dict(policy.body), sort_keys=True, separators=(",", ":")))


def trace_of(gathered: Iterable[Line], policy: PolicyLine) -> Trace:
    trace = Trace()
    for line in (policy, *gathered):
        trace.add(line)
    return trace


def _tests(session: Session, handset_id: uuid.UUID, phone: str) -> Iterable[Line]:
    for test in dial_facts(session, handset_id):
        yield DialLine(to_us(test.at), phone, test.result, test.by)
    for at in report_facts(session, handset_id):
        yield ReportLine(to_us(at), phone)
    for probe in failed_probes(session, handset_id):
        yield ProbeLine(to_us(probe.at), phone, probe.observer, probe.reason)
        if probe.observer_up_at is not None:
            yield BeatLine(to_us(probe.observer_up_at), probe.observer, True)
        if probe.observer_down_at is not None:
            yield BeatLine(to_us(probe.observer_down_at), probe.observer, False)


def _custody(session: Session, handset_id: uuid.UUID, phone: str, now: int) -> Iterable[Line]:
    for part in history_of(session, SYSTEM, handset_id):
        since = to_us(part.since)
        # What begins later answers for nothing yet, and its line would carry the trace's end into the future.
        if part.employee_id is not None and since <= now:
            until = None if part.until is None else to_us(part.until)
            yield CustodyLine(max(since, 0), phone, since, until, str(part.employee_id))


def _excuses(session: Session, handset_id: uuid.UUID, phone: str) -> Iterable[Line]:
    for one in excuse_facts(session, handset_id):
        end = None if one.end is None else to_us(one.end)
        delegate = None if one.delegate is None else str(one.delegate)
        yield ExcuseLine(to_us(one.at), phone, to_us(one.start), end, one.reason, delegate)


def _decisions(session: Session, handset_id: uuid.UUID, phone: str) -> Iterable[Line]:
    for row in store.decisions_of(session, handset_id):
        start, end = to_us(row.start_at), to_us(row.end_at)
        yield DecisionLine(to_us(row.at), phone, start, end, row.status, row.actor, row.reason)
