"""Counts for Prometheus; no names, no ids."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter


@cache
def _moves() -> Counter:
    # Made on first use: the library keeps one register a process, in which a name may stand but once.
    return Counter("butler_commands", "Moves of commands in the queue", ["event"])


def count(event: str) -> None:
    _moves().labels(event=str(event)).inc()
