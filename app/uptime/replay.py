"""What `flask uptime replay` tells of a trace, as JSON values. Plain values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.uptime.dossier import Trace
from app.uptime.episodes import Hit
from app.uptime.limits import Limits
from app.uptime.rules import Evidence, Interval, State
from app.uptime.ruling import IncidentRuling, PhoneRuling, rule, rule_months
from app.uptime.spans import Span, holds

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
RULE = "R02"


def replay(trace: Trace, limits: Limits, policy: Mapping[str, Any]) -> dict[str, Any]:
    """The whole answer. `policy` names what was ruled by: `version`, `sha256`, `overrides`."""
    phones = rule(trace, limits)
    months = rule_months(phones, limits)
    return {
        "phones": {phone.phone: _phone(phone) for phone in phones},
        "people": {
            employee: {
                month: {
                    "strikes": one.strikes,
                    "suspected": one.suspected,
                    "undecided": one.undecided,
                    "allowance": one.allowance,
                    "rule": RULE,
                    "policy": dict(policy),
                }
                for month, one in by_month.items()
            }
            for employee, by_month in months.items()
        },
        "anomalies": [
            {"phone": phone.phone, "code": found.code, "boots": list(found.boots), "by_us": found.by_us}
            for phone in phones
            for found in phone.timeline.anomalies
        ],
    }


def _phone(phone: PhoneRuling) -> dict[str, Any]:
    return {
        "intervals": _intervals(phone.timeline.intervals, phone.calls),
        "incidents": [_incident(ruled, phone.excused) for ruled in phone.incidents],
    }


def _intervals(intervals: Sequence[Interval], calls: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
    """A call that reached the phone proves an instant, not a stretch: it stands as evidence where nothing else did."""
    told = []
    left = 0
    for interval in intervals:
        evidence: list[dict[str, Any]] = [_evidence(one) for one in interval.evidence]
        while left < len(calls) and calls[left][0] < interval.end:
            at, result = calls[left]
            left += 1
            if interval.state is not State.ON:
                evidence.append({"code": result, "at": rfc3339(at)})
        told.append(
            {
                "from": rfc3339(interval.start),
                "to": rfc3339(interval.end),
                "state": interval.state.value,
                "evidence": evidence,
            }
        )
    return told


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {"code": evidence.code, "boots": list(evidence.boots)}


def _incident(ruled: IncidentRuling, excused: Sequence[Span]) -> dict[str, Any]:
    episode = ruled.incident.episode
    return {
        "from": rfc3339(episode.start),
        "to": rfc3339(episode.end),
        "status": ruled.incident.status.value,
        "kind": episode.kind,
        "sources": list(_sources(episode.hits, excused)),
        "strikes": [
            {"at": rfc3339(strike.at), "employee": strike.employee, "month": strike.month}
            for strike in ruled.strikes
        ],
    }


def _sources(hits: Iterable[Hit], excused: Sequence[Span]) -> Iterable[dict[str, Any]]:
    """What found the phone off; `excused`: inside maintenance or repair, so that it costs nothing."""
    names = {"dial_test": ("by", "result"), "probe_failed": ("observer", "reason"), "customer_report": ()}
    for hit in hits:
        told = dict(zip(names[hit.source], (hit.who, hit.what), strict=False))
        yield {"kind": hit.source, "at": rfc3339(hit.at), **told, "excused": holds(excused, hit.at)}


def rfc3339(instant: int) -> str:
    """UTC; with a fraction only where there is one."""
    return (_EPOCH + instant * _MICROSECOND).isoformat().replace("+00:00", "Z")
