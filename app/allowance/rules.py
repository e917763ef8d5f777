"""The month's arithmetic: days of custody, shares in fen, what a ruling pays, what is booked. Plain values only."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import uuid
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
_MONTH = re.compile(r"(20\d\d|2100)-(0[1-9]|1[0-2])")
_DAY = dt.timedelta(days=1)
K = TypeVar("K", bound=Hashable)


class LineState(StrEnum):
    """What a month comes to for one employee. `held`: incidents wait whose outcome may still cancel it."""

    PAYABLE = "payable"
    CANCELLED = "cancelled"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Held:
    """An employee held a post that had a phone, from `start` until `end` (None: open)."""

    post: uuid.UUID
    employee: uuid.UUID
    start: dt.datetime
    end: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Share:
    """What one post's allowance comes to for one employee: whole days in Shanghai, fen."""

    post: uuid.UUID
    days: int
    fen: int


def is_month(text: str) -> bool:
    return _MONTH.fullmatch(text) is not None


def month_of(instant: dt.datetime) -> str:
    """`2026-11`, as in Shanghai."""
    return instant.astimezone(SHANGHAI).strftime("%Y-%m")


def month_after(month: str, steps: int = 1) -> str:
    year, number = (int(part) for part in month.split("-"))
    years, index = divmod(year * 12 + number - 1 + steps, 12)
    return f"{years:04}-{index + 1:02}"


def first_day(month: str) -> dt.date:
    return dt.date.fromisoformat(f"{month}-01")


def days_in(month: str) -> int:
    return (first_day(month_after(month)) - first_day(month)).days


def bounds(month: str) -> tuple[dt.datetime, dt.datetime]:
    """The month's first instant and that of the next, in Shanghai."""
    return _midnight(first_day(month)), _midnight(first_day(month_after(month)))


def closable_from(month: str, grace_days: int) -> dt.datetime:
    """The first instant at which the month may be closed."""
    return _midnight(first_day(month_after(month)) + grace_days * _DAY)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), SHANGHAI).astimezone(dt.UTC)


def apportion(whole: int, weights: Mapping[K, int]) -> dict[K, int]:
    """`whole` fen by weights, by largest remainder: the parts add up to `whole`. On a tie the key that sorts first as
    text gets the odd fen, None (nobody) the last.
    """
    total = sum(weights.values())
    exact = {key: divmod(whole * weight, total) for key, weight in weights.items()}
    odd = whole - sum(fen for fen, _ in exact.values())
    order = sorted(exact, key=lambda key: (-exact[key][1], key is None, str(key)))
    given = set(order[:odd])
    return {key: fen + (key in given) for key, (fen, _) in exact.items()}


def days_held(spans: Iterable[Held], month: str) -> dict[uuid.UUID, Counter[uuid.UUID]]:
    """Post → employee → days of the month. A day is one person's: who held the post longest, on a tie the later."""
    first = first_day(month)
    edges = [_midnight(first + n * _DAY) for n in range(days_in(month) + 1)]
    by_post: dict[uuid.UUID, list[Held]] = defaultdict(list)
    for span in spans:
        if span.start < edges[-1] and (span.end is None or span.end > edges[0]):
            by_post[span.post].append(span)
    return {post: _days_of_post(held, edges) for post, held in by_post.items()}


def _days_of_post(spans: Sequence[Held], edges: Sequence[dt.datetime]) -> Counter[uuid.UUID]:
    """`edges`: the midnights of the month, its first and its end included."""
    pieces: dict[int, dict[uuid.UUID, list[tuple[dt.datetime, dt.datetime]]]] = defaultdict(dict)
    for span in spans:
        at, until = max(span.start, edges[0]), min(span.end or edges[-1], edges[-1])
        day = bisect_right(edges, at) - 1
        while at < until:
            edge = min(edges[day + 1], until)
            pieces[day].setdefault(span.employee, []).append((at, edge))
            at, day = edge, day + 1
    found: Counter[uuid.UUID] = Counter()
    for held in pieces.values():
        found[next(iter(held)) if len(held) == 1 else _longest(held)] += 1
    return found


def _longest(held: Mapping[uuid.UUID, Sequence[tuple[dt.datetime, dt.datetime]]]) -> uuid.UUID:
    return max(held, key=lambda who: (_covered(held[who]), max(end for _, end in held[who]), str(who)))


def _covered(pieces: Iterable[tuple[dt.datetime, dt.datetime]]) -> dt.timedelta:
    """How long the pieces are together; two phones at one post make no hour longer."""
    whole, reached = dt.timedelta(), None
    for start, end in sorted(pieces):
        begin = start if reached is None else max(start, reached)
        whole += max(end - begin, dt.timedelta())
        reached = end if reached is None else max(reached, end)
    return whole


def shares(spans: Iterable[Held], month: str, monthly_fen: int) -> dict[uuid.UUID, tuple[Share, ...]]:
    """Employee → his part of each post's allowance. Days on which nobody holds a post are nobody's money."""
    found: dict[uuid.UUID, list[Share]] = defaultdict(list)
    by_post = days_held(spans, month)
    for post in sorted(by_post):
        days: dict[uuid.UUID | None, int] = dict(by_post[post].items())
        days[None] = days_in(month) - sum(days.values())
        for employee, fen in apportion(monthly_fen, days).items():
            if employee is not None:
                found[employee].append(Share(post, days[employee], fen))
    return {employee: tuple(parts) for employee, parts in found.items()}


def state_of(allowance: str) -> LineState:
    """From the engine's word on the month: `payable`, `cancelled`, `undecided`."""
    return {
        "payable": LineState.PAYABLE,
        "cancelled": LineState.CANCELLED,
        "undecided": LineState.HELD,
    }[allowance]


def paid(state: LineState, amount: int) -> int:
    """Fen that are paid out."""
    return amount if state is LineState.PAYABLE else 0


def bookings(state: LineState, amount: int) -> dict[str, int]:
    """Account → fen that the ledger holds for it. What is held is not booked; a cancelled grant shows both sides."""
    if amount == 0 or state is LineState.HELD:
        return {}
    granted = {"grant": amount}
    return granted if state is LineState.PAYABLE else {**granted, "cancellation": -amount}


class Move(StrEnum):
    """How a closed month's line differs from what the evidence says now."""

    NONE = "none"
    GAIN = "gain"
    """The employee gets as much or more: booked by itself."""
    LOSS = "loss"
    """He would get less: a person has to say so."""
    WAITS = "waits"
    """A paid month of which incidents wait: nothing is taken back for a suspicion."""


def compare(before: tuple[LineState, int], after: tuple[LineState, int]) -> Move:
    """`(state, amount)` as closed and as of now."""
    if before == after:
        return Move.NONE
    (state_before, _), (state_after, _) = before, after
    if state_before is LineState.PAYABLE and state_after is LineState.HELD:
        return Move.WAITS
    return Move.GAIN if paid(*after) >= paid(*before) else Move.LOSS


def digest(parts: object) -> str:
    """sha256 of plain values as canonical JSON: what a person confirmed is what is closed."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
