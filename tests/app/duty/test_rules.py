from __future__ import annotations

import datetime as dt

import pytest

from app.duty.rules import bound_until, covered_until, delegation_problems, excuse_problems, needs_approval

NOW = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
POLICY = {
    "delegation_max_days": 30, "ahead_days": 60, "free_hours": 4, "late_minutes": 15, "retro_days": 62,
    "repair_remind_days": 7,
}  # fmt: skip
H, D, S = dt.timedelta(hours=1), dt.timedelta(days=1), dt.timedelta(seconds=1)


def at(hours):
    return None if hours is None else NOW + hours * H


@pytest.mark.parametrize(
    ("spans", "start", "reach"),
    [
        ([], 0, 0),
        ([(0, None)], 0, None),
        ([(-5, 3)], 0, 3),
        ([(1, 3)], 0, 0),
        ([(-5, 0)], 0, 0),
        ([(2, 5), (0, 2)], 0, 5),
        ([(0, 2), (3, 5)], 0, 2),
        ([(0, 2), (1, None)], 0, None),
        ([(0, 9), (1, 2)], 0, 9),
    ],
)
def test_how_far_spans_cover_without_a_gap(spans, start, reach):
    assert covered_until([(at(a), at(b)) for a, b in spans], at(start)) == at(reach)


@pytest.mark.parametrize(
    ("start", "giver", "delegate", "over"),
    [
        (-5, [(-9, None)], [(-9, None)], None),
        (-5, [(-9, -2)], [(-9, None)], -2),
        (-5, [(-9, None)], [(-9, -3)], -3),
        (-5, [(-9, -1)], [(-9, -3)], -3),
        (-5, [(-9, 3)], [(-9, None)], None),  # he leaves in three hours: not yet
        (-5, [], [(-9, None)], -5),
        (-5, [(-9, 0)], [(-9, None)], 0),
        (2, [], [], None),  # not begun
    ],
)
def test_a_delegation_binds_two_persons_only_while_both_have_their_posts(start, giver, delegate, over):
    spans = [[(at(a), at(b)) for a, b in part] for part in (giver, delegate)]
    assert bound_until(at(start), NOW, *spans) == at(over)


@pytest.mark.parametrize(
    ("start", "end", "codes"),
    [
        (NOW, NOW + H, []),
        (NOW - D, NOW + S, []),
        (NOW - D - S, NOW + H, ["past"]),
        (NOW, NOW, ["span", "past"]),
        (NOW - H, NOW, ["past"]),
        (NOW, NOW + 30 * D, []),
        (NOW, NOW + 30 * D + S, ["too_long"]),
        (NOW + 60 * D, NOW + 61 * D, []),
        (NOW + 60 * D + S, NOW + 61 * D, ["too_early"]),
    ],
)
def test_the_span_of_a_delegation(start, end, codes):
    assert [p.code for p in delegation_problems(start, end, NOW, POLICY)] == codes


@pytest.mark.parametrize(
    ("start", "end", "reason", "codes"),
    [
        (NOW, None, "repair", []),
        (NOW, None, "maintenance", ["required"]),
        (NOW, NOW, "repair", ["span"]),
        (NOW - 62 * D, NOW, "repair", []),
        (NOW - 62 * D - S, NOW, "repair", ["too_old"]),
        (NOW + 61 * D, None, "repair", ["too_early"]),
    ],
)
def test_the_span_of_an_excuse(start, end, reason, codes):
    assert [p.code for p in excuse_problems(start, end, reason, NOW, POLICY)] == codes


@pytest.mark.parametrize(
    ("start", "end", "waits"),
    [
        (NOW, NOW + 4 * H, False),
        (NOW, NOW + 4 * H + S, True),
        (NOW, None, True),
        (NOW - 15 * dt.timedelta(minutes=1), NOW + H, False),
        (NOW - 15 * dt.timedelta(minutes=1) - S, NOW + H, True),
    ],
)
def test_what_is_afterwards_long_or_endless_needs_another_person(start, end, waits):
    assert needs_approval(start, end, NOW, POLICY) is waits
