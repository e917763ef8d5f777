"""Months, days and what decides an item. Plain values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from app.credchecks.states import Finding, Item, ItemEvent

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = dt.timedelta(days=1)
SECRET, PROFILE = "secret", "profile"


@dataclass(frozen=True)
class Point:
    """What is looked at in the account's profile (U07); `picture`: a picture of the screen is needed."""

    name: str
    rule: str
    label: str
    picture: bool


def points_of(body: Mapping[str, Any]) -> list[Point]:
    """From the body of the policy, which its schema has checked, in the file's order."""
    return [Point(name=name, **values) for name, values in body["profile"].items()]


def month_of(now: dt.datetime) -> str:
    """`2026-11`: the month in Shanghai."""
    return now.astimezone(SHANGHAI).strftime("%Y-%m")


def has_begun(now: dt.datetime, opens_day: int) -> bool:
    """Whether this month's round opens by itself by now."""
    return now.astimezone(SHANGHAI).day >= opens_day


def due_at(opened_at: dt.datetime, days: int) -> dt.datetime:
    """The end (exclusive) of the last day, in UTC: midnight in Shanghai after `days` more days."""
    last = opened_at.astimezone(SHANGHAI).date() + dt.timedelta(days=days + 1)
    return dt.datetime.combine(last, dt.time(), SHANGHAI).astimezone(dt.UTC)


def reminders_due(due: dt.datetime, remind_days: Iterable[int], now: dt.datetime) -> int:
    """How many of the reminders have come by now; that of the last day itself (0) comes as the day begins."""
    return sum(now >= due - (days + 1) * DAY for days in remind_days)


def escalates(due: dt.datetime, escalate_days: int, now: dt.datetime) -> bool:
    return now >= due + (escalate_days - 1) * DAY


def decided_by_check(
    opened_at: dt.datetime, seen: dt.datetime | None, checked_at: dt.datetime | None, matched: bool | None
) -> ItemEvent | None:
    """What the latest check of a password says of its item; None when it says nothing.

    A check from before the round never counts, nor one that was counted (`seen`).
    """
    if checked_at is None or matched is None or checked_at < opened_at:
        return None
    if seen is not None and checked_at <= seen:
        return None
    return ItemEvent.MATCH if matched else ItemEvent.MISMATCH


def restored(
    mismatch_at: dt.datetime,
    finding: str,
    *,
    filed_at: dt.datetime | None,
    checked_at: dt.datetime | None,
    matched: bool | None,
) -> bool:
    """Whether the password of a case is in order again: filed anew, or, where nobody is to blame, found to match."""
    if filed_at is not None and filed_at > mismatch_at:
        return True
    later = checked_at is not None and checked_at > mismatch_at
    return finding != Finding.UNAUTHORISED and later and bool(matched)


@dataclass(frozen=True)
class Tally:
    """How many items stand how; `done` are those that need nobody any more."""

    counts: Mapping[str, int]

    @property
    def all(self) -> int:
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        return self.counts.get(Item.OPEN, 0) + self.counts.get(Item.WAIVING, 0)

    @property
    def done(self) -> int:
        return self.all - self.left

    def of(self, state: str) -> int:
        return self.counts.get(state, 0)


def tally(states: Sequence[str]) -> Tally:
    return Tally({state: states.count(state) for state in Item if state in states})
