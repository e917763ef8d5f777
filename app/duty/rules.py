"""What may be entrusted and excused, and for how long a delegation binds its two persons. Plain values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from app.kernel.errors import FieldError

Span = tuple[dt.datetime, dt.datetime | None]
START_BEFORE = dt.timedelta(days=1)
"""A delegation may be written down this long after its beginning; it holds from its acceptance in any case."""
NEAR = dt.timedelta(days=1)
"""Excuses that nobody approved and that lie nearer to each other than this are weighed as one."""


def delegation_problems(
    start: dt.datetime, end: dt.datetime, now: dt.datetime, policy: Mapping[str, int]
) -> list[FieldError]:
    found = []
    if end <= start:
        found.append(FieldError("ends_at", "span", "结束必须晚于开始 / must end after its beginning"))
    if end <= now:
        found.append(FieldError("ends_at", "past", "结束时间已过 / lies in the past"))
    if end - start > dt.timedelta(days=policy["delegation_max_days"]):
        text = f"最长 {policy['delegation_max_days']} 天，到期可以再委托 / too long"
        found.append(FieldError("ends_at", "too_long", text))
    if start < now - START_BEFORE:
        found.append(FieldError("starts_at", "past", "开始时间不能早于昨天此刻 / begins too long ago"))
    return found + _ahead(start, now, policy)


def excuse_problems(
    start: dt.datetime, end: dt.datetime | None, reason: str, now: dt.datetime, policy: Mapping[str, int]
) -> list[FieldError]:
    found = []
    if end is not None and end <= start:
        found.append(FieldError("ends_at", "span", "结束必须晚于开始 / must end after its beginning"))
    if end is None and reason != "repair":
        found.append(
            FieldError("ends_at", "required", "只有维修可以不写结束时间 / only a repair may be open")
        )
    if start < now - dt.timedelta(days=policy["retro_days"]):
        text = f"最多补登 {policy['retro_days']} 天内的 / lies too far back"
        found.append(FieldError("starts_at", "too_old", text))
    return found + _ahead(start, now, policy)


def _ahead(start: dt.datetime, now: dt.datetime, policy: Mapping[str, int]) -> list[FieldError]:
    if start <= now + dt.timedelta(days=policy["ahead_days"]):
        return []
    return [FieldError("starts_at", "too_early", f"最多提前 {policy['ahead_days']} 天登记 / too far ahead")]


def needs_approval(
    start: dt.datetime,
    end: dt.datetime | None,
    now: dt.datetime,
    policy: Mapping[str, int],
    free: Iterable[tuple[dt.datetime, dt.datetime]] = (),
) -> bool:
    """Whether another person must approve an excuse: filed afterwards, endless, or longer than policy's hours.

    `free`: this phone's others that nobody approved. Those within a day count with it: short ones in a row would
    otherwise excuse a phone for ever.
    """
    if end is None or start < now - dt.timedelta(minutes=policy["late_minutes"]):
        return True
    near = [to - since for since, to in free if since < end + NEAR and to > start - NEAR]
    return sum(near, end - start) > dt.timedelta(hours=policy["free_hours"])


def covered_until(spans: Iterable[Span], start: dt.datetime) -> dt.datetime | None:
    """How far the spans cover time without a gap from `start` on; `start` itself when not at all, None: for ever."""
    reach = start
    for begin, end in sorted(spans, key=lambda span: span[0]):
        if begin > reach:
            break
        if end is None:
            return None
        reach = max(reach, end)
    return reach


def bound_until(
    start: dt.datetime, now: dt.datetime, giver: Iterable[Span], delegate: Iterable[Span]
) -> dt.datetime | None:
    """Since when one of the two no longer has his post, as known now; None while both do, and before the beginning.

    `giver`: when he had the phone; `delegate`: when he held the post that it was entrusted to.
    """
    if start > now:
        return None
    ends = [end for spans in (giver, delegate) if (end := covered_until(spans, start)) is not None]
    over = min(ends, default=None)
    return over if over is not None and over <= now else None
