"""Results of a call, and how the day's list is drawn. Plain values only."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from random import Random
from typing import TypeVar

K = TypeVar("K")
SHANGHAI = dt.timezone(dt.timedelta(hours=8))
"""China has kept one offset since 1991."""

RESULTS: Mapping[str, str] = {
    "answered": "接通",
    "rings": "响铃无人接",
    "powered_off": "已关机",
    "suspended": "停机",
    "no_coverage": "不在服务区",
    "busy": "占线",
    "unclear": "不确定",
}
"""What a caller may hear; the codes are those of a trace's `dial_test`."""
WITHDRAWN = "withdrawn"
"""The record was a slip: no such call counts."""
SOURCES: Mapping[str, str] = {"asked": "有疑点", "added": "手工加入", "drawn": "今日抽取"}
PRIORITY = {"asked": 0, "added": 1, "drawn": 2}
CAUSES: Mapping[str, str] = {
    "probe": "探测没有连上",
    "probe_failed": "探测没有连上",
    "report": "客户反映打不通",
    "person": "人工要求",
}


def local_day(now: dt.datetime) -> dt.date:
    return now.astimezone(SHANGHAI).date()


def may_draw(now: dt.datetime, draw_hour: int) -> bool:
    return now.astimezone(SHANGHAI).hour >= draw_hour


def how_many(phones: int, calls_a_day: int, at_least_every_days: int) -> int:
    """How many calls a day: policy's number, or as many more as it takes to reach every phone in time."""
    return min(phones, max(calls_a_day, math.ceil(phones / at_least_every_days))) if calls_a_day else 0


def draw(rested: Mapping[K, float], number: int, overdue_days: float, random: Random) -> list[K]:
    """Draw `number` phones without putting back. `rested`: days since each was called or drawn last.

    Overdue ones go first, among themselves by lot. The others weigh one more than the square of their days: whoever was
    called yesterday may be called today, so that nobody is safe, but seldom is.
    """
    late = [phone for phone, days in rested.items() if days >= overdue_days]
    random.shuffle(late)
    others = [phone for phone in rested if rested[phone] < overdue_days]
    # Weighted sampling without replacement: the largest u^(1/w) win (Efraimidis and Spirakis).
    others.sort(key=lambda phone: random.random() ** (1 / (1 + max(0.0, rested[phone]) ** 2)), reverse=True)
    return [*late, *others][:number]


def shown_number(e164: str) -> str:
    """`+8613812345678` as `138 1234 5678`; a foreign number as it is."""
    local = e164.removeprefix("+86")
    if local != e164 and len(local) == 11:
        return f"{local[:3]} {local[3:7]} {local[7:]}"
    return e164
