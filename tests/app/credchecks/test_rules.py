from __future__ import annotations

import datetime as dt

import pytest

from app.credchecks.rules import (
    decided_by_check,
    due_at,
    escalates,
    has_begun,
    month_of,
    reminders_due,
    restored,
    tally,
)

T = dt.datetime(2026, 11, 22, 2, tzinfo=dt.UTC)
H = dt.timedelta(hours=1)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("2026-11-30T15:59:59Z", "2026-11"),
        ("2026-11-30T16:00:00Z", "2026-12"),
        ("2026-12-31T16:00:00Z", "2027-01"),
        ("2028-02-29T15:59:59Z", "2028-02"),
    ],
)
def test_months_are_shanghai_s(text, month):
    assert month_of(at(text)) == month


def test_a_day_begins_in_shanghai():
    assert not has_begun(at("2026-11-24T15:59:59Z"), 25)
    assert has_begun(at("2026-11-24T16:00:00Z"), 25)


def test_the_last_day_ends_at_midnight_in_shanghai():
    assert due_at(at("2026-11-01T00:10:00+08:00"), 10) == at("2026-11-12T00:00:00+08:00")
    assert due_at(at("2026-11-30T23:59:00+08:00"), 1) == at("2026-12-02T00:00:00+08:00")


def test_reminders_come_as_their_day_begins():
    due = at("2026-11-12T00:00:00+08:00")
    told = [
        reminders_due(due, [5, 2, 0], at(f"2026-11-{day:02}T00:00:00+08:00"))
        for day in (5, 6, 8, 9, 10, 11, 12)
    ]
    assert told == [0, 1, 1, 2, 2, 3, 3]
    assert not escalates(due, 1, due - dt.timedelta(seconds=1))
    assert escalates(due, 1, due)
    assert not escalates(due, 2, due)


@pytest.mark.parametrize(
    ("seen", "checked", "matched", "event"),
    [
        (None, None, None, None),
        (None, T - H, True, None),
        (None, T, True, "match"),
        (None, T + H, False, "mismatch"),
        (T + H, T + H, False, None),
        (T, T + H, True, "match"),
        (None, T + H, None, None),
    ],
)
def test_only_a_check_since_the_opening_that_was_not_counted_decides(seen, checked, matched, event):
    assert decided_by_check(T, seen, checked, matched) == event


@pytest.mark.parametrize(
    ("finding", "filed", "checked", "matched", "good"),
    [
        ("unauthorised", T - H, T + H, True, False),
        ("explained", T - H, T + H, True, True),
        ("record_wrong", T - H, T + H, False, False),
        ("explained", T - H, T - H, True, False),
        ("unauthorised", T + H, None, None, True),
        ("explained", None, None, None, False),
    ],
)
def test_when_a_password_is_in_order_again(finding, filed, checked, matched, good):
    assert restored(T, finding, filed_at=filed, checked_at=checked, matched=matched) is good


def test_what_is_done():
    counted = tally(["open", "match", "waiving", "unfiled", "match"])
    assert (counted.all, counted.done, counted.left, counted.of("match"), counted.of("waived")) == (
        5,
        3,
        2,
        2,
        0,
    )
