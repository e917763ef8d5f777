"""Counts for Prometheus; no names, no ids."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter


@cache
def _refusals() -> Counter:
    # Made on first use: the library keeps one register a process, in which a name may stand but once.
    return Counter("butler_agent_refusals", "Requests of agents that were refused", ["code"])


@cache
def _entries() -> Counter:
    return Counter("butler_agent_entries", "Entries of check-ins", ["part", "outcome"])


@cache
def _checkins() -> Counter:
    return Counter("butler_checkins", "Check-ins that were answered", ["batch"])


def count_refusal(code: str) -> None:
    _refusals().labels(code=code).inc()


def count_entries(part: str, outcome: str, number: int) -> None:
    if number:
        _entries().labels(part=part, outcome=outcome).inc(number)


def count_checkin(*, again: bool) -> None:
    _checkins().labels(batch="again" if again else "new").inc()
