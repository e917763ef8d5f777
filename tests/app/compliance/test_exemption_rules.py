"""Which exemption covers which breach, and what may be asked."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from app.compliance import exemption_rules as rules
from app.compliance.exemption_states import NEXT, WORDS, Event, State, advance
from tests.support.states import only_these

NOW = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
CENTRE, OTHER_CENTRE, PHONE, OTHER = (uuid.UUID(int=n) for n in range(4))


def given(number=9, *, handset=PHONE, centre=CENTRE, code="app_forbidden", subject="com.x", start=-1, end=1):
    return rules.Exemption(
        uuid.UUID(int=number), centre, handset, code, subject, NOW + start * DAY, NOW + end * DAY
    )


def cover(*exemptions, centre=CENTRE, handset=PHONE, code="app_forbidden", subject="com.x", now=NOW):
    return rules.covering(rules.grouped(exemptions), centre, handset, code, subject, now)


def test_an_exemption_covers_its_own_finding_of_its_own_phone_within_its_span():
    one = given()
    assert cover(one) == one
    for wrong in (
        {"handset": OTHER},
        {"code": "app_not_prescribed"},
        {"subject": "com.xy"},
        {"centre": OTHER_CENTRE},
        {"now": NOW - 2 * DAY},
    ):
        assert cover(one, **wrong) is None, wrong


def test_its_span_holds_its_beginning_and_not_its_end():
    one = given()
    assert cover(one, now=one.valid_from) == one
    assert cover(one, now=one.valid_to) is None


def test_one_of_a_whole_centre_covers_every_phone_of_that_centre_and_no_other():
    whole = given(handset=None)
    assert cover(whole) == cover(whole, handset=OTHER) == whole
    assert cover(whole, centre=OTHER_CENTRE) is None


def test_of_several_the_one_that_lasts_longest_covers():
    short, long, over = given(7, end=1), given(8, handset=None, end=5), given(6, start=-9, end=-1)
    assert cover(short, long, over) == cover(long, over, short) == long


def test_the_next_beginning_is_told_and_what_has_begun_is_not():
    ahead, later = given(7, start=2, end=5), given(8, start=3, end=5)
    found = rules.grouped([given(), later, ahead])
    assert rules.next_start(found, CENTRE, PHONE, "app_forbidden", "com.x", NOW) == ahead.valid_from
    assert rules.next_start(found, CENTRE, OTHER, "app_forbidden", "com.x", NOW) is None


def problems(**changes):
    asked = {
        "code": "app_forbidden", "whole_centre": False, "subject": "com.x", "reason": "培训", "valid_to": NOW + DAY,
        "now": NOW, "max_days": 30,
    }  # fmt: skip
    return [(p.field, p.code) for p in rules.ask_problems(**asked | changes)]


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, []),
        ({"valid_to": NOW + 30 * DAY}, []),
        ({"valid_to": NOW + 30 * DAY + dt.timedelta(microseconds=1)}, [("valid_to", "too_long")]),
        ({"valid_to": NOW}, [("valid_to", "past")]),
        ({"reason": ""}, [("reason", "required")]),
        ({"subject": "x" * 601}, [("subject", "too_long")]),
        ({"code": "packages_not_read"}, [("code", "not_exemptable")]),
        ({"code": "required_present"}, [("code", "not_exemptable")]),
        ({"code": "nonsense", "whole_centre": True}, [("code", "not_exemptable")]),
        ({"whole_centre": True}, []),
    ],
)
def test_what_may_be_asked(changes, wrong):
    assert problems(**changes) == wrong


@pytest.mark.parametrize("code", sorted(rules.PHONE_ONLY))
def test_what_says_that_a_phone_is_in_foreign_hands_is_never_exempted_for_a_whole_centre(code):
    assert problems(code=code) == []
    assert problems(code=code, whole_centre=True) == [("code", "phone_only")]


ALLOWED = {
    State.REQUESTED: "approve>approved decline>declined withdraw>withdrawn lapse>lapsed",
    State.APPROVED: "end>ended",
    **dict.fromkeys((State.DECLINED, State.WITHDRAWN, State.LAPSED, State.ENDED), ""),
}


@pytest.mark.parametrize("state", list(State))
def test_what_may_happen_and_nothing_else(state):
    assert state in WORDS
    only_these(advance, Event, state, ALLOWED, "exemption_state")


def test_only_what_was_approved_can_have_held():
    """What was never approved ends in a state of its own, so that no list of the past calls it an exemption."""
    ways_to_ended = {state for (state, _), after in NEXT.items() if after == State.ENDED}
    assert ways_to_ended == {State.APPROVED}
    assert {state for (state, _), after in NEXT.items() if after == State.APPROVED} == {State.REQUESTED}


SUBJECTS = [
    ("app_forbidden", "com.a.b", "不存在"),
    ("app_forbidden", "com.a.b", ""),
    ("app_in_other_user", "com.a.b@999", "com.a.b"),
    ("account_not_allowed", "com.xiaomi@0", "com.xiaomi"),
    ("user_not_allowed", "999", "应用分身"),
    ("accessibility_not_allowed", "com.a.b/.Helper$1", "com.a.b"),
    ("unknown_sources_on", "*", "全部"),
    ("no_screen_lock", "", "锁屏"),
]


@pytest.mark.parametrize(("code", "good", "bad"), SUBJECTS)
def test_what_is_typed_for_a_whole_centre_must_be_what_such_a_finding_is_about(code, good, bad):
    def told(subject, whole):
        return [
            problem.field
            for problem in rules.ask_problems(
                code=code,
                whole_centre=whole,
                subject=subject,
                reason="x",
                valid_to=NOW + DAY,
                now=NOW,
                max_days=9,
            )
        ]

    assert told(good, True) == []
    assert told(bad, True) == ["subject"]
    # Of one phone it was read, and nobody can type it better.
    assert told(bad, False) == []


def test_every_code_of_a_whole_centre_has_a_shape():
    shaped = [code for _, _, codes in rules._SHAPES for code in codes]
    assert sorted(shaped) == sorted(rules.EXEMPTABLE - rules.PHONE_ONLY)
