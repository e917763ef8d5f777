"""Days, warnings, U04's findings: plain values."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contracts import states
from app.contracts.rules import (
    ITEMS,
    days_left,
    end_of,
    is_pdf,
    item_problems,
    local_day,
    must_warn,
    near_of,
    number_findings,
    over_budget,
    term_problems,
    thresholds,
    warning_level,
)
from app.kernel.errors import Conflict
from tests.app.contracts.conftest import terms

LEVELS = thresholds({"warn_days": [90, 60, 30, 7], "after_days": [1, 30]})
UTC = dt.UTC


def test_a_day_begins_at_shanghais_midnight() -> None:
    assert local_day(dt.datetime(2026, 11, 21, 15, 59, 59, tzinfo=UTC)) == dt.date(2026, 11, 21)
    assert local_day(dt.datetime(2026, 11, 21, 16, 0, tzinfo=UTC)) == dt.date(2026, 11, 22)
    assert end_of(dt.date(2024, 2, 28)) == dt.datetime(2024, 2, 28, 16, 0, tzinfo=UTC)
    assert local_day(end_of(dt.date(2024, 2, 28))) == dt.date(2024, 2, 29)


def test_days_left_over_a_leap_day() -> None:
    assert days_left(dt.date(2024, 3, 1), dt.date(2024, 2, 28)) == 2
    assert days_left(dt.date(2023, 3, 1), dt.date(2023, 2, 28)) == 1
    assert days_left(dt.date(2024, 2, 29), dt.date(2024, 2, 29)) == 0


@pytest.mark.parametrize(
    ("left", "level"),
    [
        (91, None),
        (90, 90),
        (61, 90),
        (60, 60),
        (30, 30),
        (8, 30),
        (7, 7),
        (0, 7),
        (-1, -1),
        (-29, -1),
        (-30, -30),
    ],
)
def test_the_lowest_threshold_that_is_reached(left: int, level: int | None) -> None:
    assert warning_level(left, LEVELS) == level


@given(st.integers(60, 200), st.integers(-60, 59), st.sets(st.integers(-60, 200)))
def test_each_threshold_at_most_once_and_none_that_matters_lost(
    first: int, last: int, runs: set[int]
) -> None:
    """Whichever days the job runs on: what was told last is what holds, and nothing is told twice."""
    told: list[int] = []
    days = sorted((day for day in runs | {first, last} if last <= day <= first), reverse=True)
    for left in days:
        level = must_warn(left, told[-1] if told else None, LEVELS)
        if level is not None:
            told.append(level)
        now = warning_level(left, LEVELS)
        assert now is None or told[-1] == now
    assert len(told) == len(set(told))


def test_terms_that_will_not_do() -> None:
    assert term_problems(terms()) == []
    assert term_problems(terms("2026-01-01", "2026-01-01")) == []
    wrong = term_problems(
        terms("2026-01-02", "2026-01-01", carrier="", plan_name="", monthly_fen=-1, handset_budget_fen=10**9)
    )
    assert {p.field for p in wrong} == {
        "carrier",
        "plan_name",
        "ends_on",
        "monthly_fen",
        "handset_budget_fen",
    }
    assert [p.code for p in term_problems(terms("2020-01-01", "2031-01-01"))] == ["too_long"]
    assert {p.field for p in term_problems(terms("0026-01-01", "9026-01-01"))} == {"starts_on", "ends_on"}


def _codes(*args: object) -> set[tuple[str, str]]:
    found = number_findings(*args, ("示例物业",), dt.date(2026, 11, 22))  # type: ignore[arg-type]
    return {(f.code, f.verdict) for f in found}


def test_what_u04_asks() -> None:
    assert _codes("示例物业", "phone_for_plan", terms()) == set()
    assert _codes(" 示例 物业 ", None, terms()) == set()
    assert _codes(None, None, None) == {
        ("no_contract", "unknown"), ("name_missing", "unknown"), ("plan_missing", "unknown")
    }  # fmt: skip
    assert _codes("张三", "phone_for_plan", terms(registered_name=None)) == {("name_foreign", "fail")}
    assert _codes("张三", None, terms()) == {("name_differs", "unknown")}
    assert _codes("示例物业", None, terms(plan_type=None)) == {("plan_missing", "unknown")}
    assert _codes("示例物业", None, terms(end="2026-11-21")) == {("ended", "fail")}
    assert _codes("示例物业", None, terms(end="2026-11-22")) == set()


def test_a_price_that_nobody_knows_the_limit_of_is_over_it() -> None:
    assert over_budget(1, None)
    assert not over_budget(100, 100)
    assert over_budget(101, 100)


def test_half_a_pdf_is_none() -> None:
    assert is_pdf(b"%PDF-1.7 ... %%EOF\n")
    assert not is_pdf(b"%PDF-1.7 ... ")
    assert not is_pdf(b"GIF89a%%EOF")


def test_unknown_is_an_answer_and_silence_is_none() -> None:
    items = {key: {"code": "unknown", "words": ""} for key in ITEMS}
    assert item_problems(items, "keep", "还能用") == []
    assert {p.field for p in item_problems({}, None, " ")} == {*ITEMS, "conclusion", "reason"}
    poor = {**items, "faults": {"code": "poor", "words": ""}}
    assert [p.field for p in item_problems(poor, "replace", "坏了")] == ["faults"]


def test_what_is_near_follows_the_warnings() -> None:
    assert (near_of([90, 60, 30, 7]).soon, near_of([90, 60, 30, 7]).near) == (30, 90)
    assert (near_of([14]).soon, near_of([14]).near) == (14, 14)


@pytest.mark.parametrize("state", list(states.Assessment))
@pytest.mark.parametrize("event", list(states.AssessmentEvent))
def test_every_state_of_an_assessment_meets_every_event(
    state: states.Assessment, event: states.AssessmentEvent
) -> None:
    s, e = states.Assessment, states.AssessmentEvent
    may = {
        s.DRAFT: {e.SUBMIT: s.SUBMITTED, e.CANCEL: s.CANCELLED},
        s.SUBMITTED: {e.SEND_BACK: s.DRAFT, e.CONFIRM: s.CONFIRMED, e.CANCEL: s.CANCELLED},
        s.CONFIRMED: {e.VOID: s.VOIDED},
    }.get(state, {})
    if event in may:
        assert states.advance_assessment(state, event) == may[event]
    else:
        with pytest.raises(Conflict):
            states.advance_assessment(state, event)


@pytest.mark.parametrize("state", list(states.Request))
@pytest.mark.parametrize("event", list(states.RequestEvent))
def test_every_state_of_a_request_meets_every_event(
    state: states.Request, event: states.RequestEvent
) -> None:
    s, e = states.Request, states.RequestEvent
    ends = {e.REJECT: s.REJECTED, e.WITHDRAW: s.WITHDRAWN}
    may = {
        s.REQUESTED: {e.APPROVE: s.APPROVED, e.TO_SECOND: s.SECOND, **ends},
        s.SECOND: {e.APPROVE_OVER: s.APPROVED, **ends},
        s.APPROVED: {e.BUY: s.BOUGHT, e.CANCEL: s.CANCELLED},
        s.BOUGHT: {e.UNDO_BUY: s.APPROVED, e.REPLACE: s.REPLACED},
    }.get(state, {})
    if event in may:
        assert states.advance_request(state, event) == may[event]
    else:
        with pytest.raises(Conflict):
            states.advance_request(state, event)
