"""One part of the people's records through its three steps."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from agent.errors import TransportError
from agent.transfer.parts import TAP_NEEDED, Part, PartReport
from agent.transfer.sealed import CopyDamaged
from agent.transfer.store import CopyStore
from agent.transfer.turns import Phone, Telling, Turn, Turns
from agent.transport import Transport

log = logging.getLogger("agent.transfer")

_MOST_TRIES = 20
"""Of one step that a phone breaks off each time, and that came no further."""


class _TooOften(Exception):
    """The phone broke the same step off again and again."""


def people_report(part: Part, copy: CopyStore, turns: Turns, old: Phone, new: Phone) -> PartReport:
    """Move one part and say how it ended; only what ends the whole work is raised."""
    store = copy.part(part.name)
    progress = _Told(turns.telling)
    reports: list[PartReport] = []
    try:
        _step(part, turns, old, lambda transport: part.collect(transport, store, progress))
        _step(part, turns, new, lambda transport: part.deliver(transport, store, progress))
        _step(part, turns, new, lambda transport: reports.append(part.verify(transport, store, progress)))
    except _TooOften:
        return _failed(part.name, "dropped")
    except (CopyDamaged, KeyError, ValueError) as exc:
        log.error("part failed part=%s kind=%s", part.name, type(exc).__name__)  # noqa: TRY400
        return _failed(part.name, "internal")
    return reports[-1]


def _step(part: Part, turns: Turns, phone: Phone, act: Callable[[Transport], object]) -> None:
    tries, held = 0, part.held

    def step(transport: Transport, turn: Turn) -> bool:
        nonlocal tries, held
        try:
            act(transport)
        except TransportError as exc:
            before, held = held, part.held
            if any(now > then for now, then in zip(held, before, strict=True)):
                turn.telling.ended(0)
            else:
                tries += 1
            if tries >= _MOST_TRIES:
                raise _TooOften from exc
            raise
        turn.telling.ended(0)
        return True

    turns.work(phone, step)


class _Told:
    """`PartProgress` of a part."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling

    def __call__(self, done: int, total: int | None, note: str | None = None) -> None:
        telling = self._telling
        telling.stage = "tap_needed" if note == TAP_NEEDED else "people"
        telling.done_files, telling.total_files = done, total or 0
        telling.steps += 1
        telling.note = note
        telling.tell()


def _failed(name: str, reason: str) -> PartReport:
    return PartReport(name, "failed", None, None, None, None, reason)


def told_part(report: PartReport) -> dict[str, Any]:
    """As the last word names it."""
    names = ("name", "outcome", "found", "moved", "verified", "differs", "reason")
    return {name: getattr(report, name) for name in names}
