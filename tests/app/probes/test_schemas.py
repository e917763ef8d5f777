"""An agent's word on a test, with all that may be odd in it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.probes.schemas import parse_told
from app.readings import BadEntry
from tests.support.site import CHECKS, NOT_REACHED, told

AT = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)


def test_tries_are_dated_by_their_seconds_before_the_result() -> None:
    found = parse_told(NOT_REACHED, AT)
    assert [(AT - one.at).total_seconds() for one in found.tries] == [600, 480, 300, 0]
    assert [(one.at - one.checked_at).total_seconds() for one in found.tries] == [0.2] * 4
    assert {one.up_for for one in found.tries} == {dt.timedelta(hours=1)}


def test_a_try_that_tells_no_check_of_its_own_rests_on_the_tests() -> None:
    plain = told("not_reached", None, tries=[{"before_s": 0.5, "reason": "unreachable"}])
    (one,) = parse_told(plain, AT).tries
    assert (AT - one.checked_at).total_seconds() == 1.0
    assert one.up_for == dt.timedelta(0), "how long it had been up is not known: it counts for nothing"


def test_a_test_that_was_interrupted_tells_no_check() -> None:
    none = dict.fromkeys(CHECKS)
    assert parse_told(told("inconclusive", "interrupted", checks=none, checked_before_s=None), AT).tries == ()


@pytest.mark.parametrize(
    ("detail", "field"),
    [
        (told("off", None), "outcome"),
        (told("not_reached", None, 0.0, checks={**CHECKS, "canary": False}), "checks"),
        (told("not_reached", None, 0.0, checks=dict.fromkeys(CHECKS)), "checks"),
        (told("reached", None, checks=None), "checks"),
        (told("reached", 5), "reason"),
        (told("reached", "x" * 41), "reason"),
        (told("reached", None, tries="all"), "tries"),
        (told("reached", None, tries=[7]), "tries"),
        (told("reached", None, *[0.0] * 11), "tries"),
        (told("reached", None, tries=[{"before_s": None, "reason": None}]), "tries.before_s"),
        (told("reached", None, tries=[{"before_s": -1, "reason": None}]), "tries.before_s"),
        (told("reached", None, tries=[{"before_s": 1, "reason": None, "x": 1}]), "tries.x"),
        (told("reached", None, tries=[{"before_s": 1}]), "tries.reason"),
        (
            told("inconclusive", None, 0.0, tries=[{"before_s": 1, "reason": "a"}], checked_before_s=None),
            "tries.checked",
        ),
        (told("reached", None, more=1), "more"),
        ({"reason": "interrupted"}, "checked_before_s"),
    ],
)
def test_what_is_odd_is_named(detail: dict[str, Any], field: str) -> None:
    with pytest.raises(BadEntry) as caught:
        parse_told(detail, AT)
    assert caught.value.field.startswith(field)
