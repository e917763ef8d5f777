"""R05's arithmetic: how long hardware serves, what is owed for it, what one month may take. Plain values, whole fen."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Life:
    """Days in Shanghai, `ends` is the first one after. `of`: what it counts from; None, and no days: not known."""

    begins: dt.date | None
    ends: dt.date | None
    of: str | None

    def covers(self, day: dt.date) -> bool | None:
        """Whether the day lies in the time of service; None when nobody knows."""
        return None if self.ends is None else day < self.ends


def life_of(issued: dt.datetime | None, purchased: dt.date | None, months: int) -> Life:
    """From the first issue; a phone that lay in store has not served. `purchased` where no issue is known."""
    if issued is not None:
        begins = day_of(issued)
        return Life(begins, add_months(begins, months), "receipt")
    if purchased is not None:
        return Life(purchased, add_months(purchased, months), "purchase")
    return Life(None, None, None)


def day_of(instant: dt.datetime) -> dt.date:
    return instant.astimezone(SHANGHAI).date()


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day so many months on, the month's last where it is shorter."""
    years, index = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(years, index + 1)[1]
    return dt.date(years, index + 1, min(day.day, last))


def months_between(begin: dt.date, day: dt.date) -> int:
    """Whole months from one day to a later one; 0 before it."""
    months = (day.year - begin.year) * 12 + day.month - begin.month
    return max(0, months - (add_months(begin, months) > day))


@dataclass(frozen=True, slots=True)
class Owed:
    """What a person is asked for, and how it came about; `keep_percent` of `base_fen`, rounded down to the fen."""

    invoice_fen: int
    old_fen: int | None
    base_fen: int
    age_months: int | None
    keep_percent: int
    fen: int


def owed(invoice_fen: int, old_fen: int | None, age_months: int | None, policy: Mapping[str, Any]) -> Owed:
    """R05's price, by policy. An unknown price of the old phone lowers nothing; an unknown age neither."""
    base = invoice_fen
    if policy["price"] == "lower" and old_fen is not None:
        base = min(invoice_fen, old_fen)
    keep = 100 if age_months is None else _kept(age_months, policy["depreciation"])
    return Owed(invoice_fen, old_fen, base, age_months, keep, base * keep // 100)


def _kept(age_months: int, table: Iterable[Mapping[str, int]]) -> int:
    reached = [row for row in table if row["from_month"] <= age_months]
    return max(reached, key=lambda row: row["from_month"])["keep_percent"] if reached else 100


def monthly(amount_fen: int, months: int) -> int:
    """The part of a month: `months` of them cover the amount, the last one is the smaller."""
    return -(-amount_fen // months)


def schedule(left_fen: int, monthly_fen: int, first: str) -> list[tuple[str, int]]:
    """Month → fen, as long as the caps allow the full part; sums to what is left."""
    found: list[tuple[str, int]] = []
    month = first
    while left_fen > 0:
        part = min(monthly_fen, left_fen)
        found.append((month, part))
        left_fen -= part
        month = month_after(month)
    return found


def take(left_fen: int, monthly_fen: int, cap_left_fen: int) -> int:
    """What one month takes of an order: nothing is caught up, so that no month takes more than its part."""
    return max(0, min(left_fen, monthly_fen, cap_left_fen))


def month_after(month: str, steps: int = 1) -> str:
    years, index = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 + steps, 12)
    return f"{years:04}-{index + 1:02}"


def month_of(instant: dt.datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m")
