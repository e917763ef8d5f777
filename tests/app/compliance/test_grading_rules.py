"""Grace, exemptions and the memory of breaches."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.compliance.finding_rules import Finding, Status, worst_of
from app.compliance.grading_rules import (
    MOST_REMEMBERED,
    Cover,
    Graded,
    Moment,
    counts,
    grade,
    grading_of,
)
from tests.app.compliance.healthy import BODY

HOUR, DAY = 3_600_000_000, 86_400_000_000
T = 1_000 * DAY
GRADING = grading_of(BODY)
STRANGER = Finding("app_not_prescribed", "com.x.one", Status.FAIL, {"users": [0]})
BANNED = Finding("app_forbidden", "com.bad", Status.FAIL, {"users": [0]})
NO_LOCK = Finding("no_screen_lock", "", Status.FAIL)
UNREAD = Finding("packages_not_read", "", Status.UNKNOWN)
PASSED = Finding("settings_ok", "", Status.PASS)


def nothing(_code: str, _subject: str) -> None:
    return None


class Phone:
    """Graded again and again, each time with what was kept."""

    def __init__(self) -> None:
        self.last = Graded([], [], None)

    def at(self, us: int, *findings: Finding, cover: Any = nothing) -> dict[str, Any]:
        moment = Moment(us, us, {"packages": us - HOUR})
        self.last = grade(findings, GRADING, moment, self.last.findings, self.last.memory, cover)
        return {row["code"]: row for row in self.last.findings}


@pytest.fixture
def phone() -> Phone:
    return Phone()


def test_a_breach_has_a_grace_by_its_severity(phone: Phone) -> None:
    found = phone.at(T, STRANGER, BANNED, NO_LOCK)
    assert (found["app_forbidden"]["status"], found["app_forbidden"]["severity"]) == ("fail", "critical")
    assert (found["app_not_prescribed"]["status"], found["app_not_prescribed"]["grace_until"]) == (
        "grace",
        T + 72 * HOUR,
    )
    assert found["no_screen_lock"]["grace_until"] == T + 24 * HOUR
    assert phone.last.due_us == T + 24 * HOUR
    assert [row["code"] for row in phone.last.findings] == [
        "app_forbidden",
        "no_screen_lock",
        "app_not_prescribed",
    ]


@pytest.mark.parametrize(
    ("later", "status"), [(72 * HOUR - 1, "grace"), (72 * HOUR, "fail"), (90 * HOUR, "fail")]
)
def test_grace_ends(phone: Phone, later: int, status: str) -> None:
    phone.at(T, STRANGER)
    row = phone.at(T + later, STRANGER)["app_not_prescribed"]
    assert (row["status"], row["first_seen"]) == (status, T)
    assert ("grace_until" in row) is (status == "grace")


def test_what_was_not_read_in_between_begins_no_new_grace(phone: Phone) -> None:
    phone.at(T, STRANGER)
    for day in range(1, 40):
        phone.at(T + day * DAY, UNREAD)
    row = phone.at(T + 40 * DAY, STRANGER)["app_not_prescribed"]
    assert (row["status"], row["first_seen"]) == ("fail", T)


@pytest.mark.parametrize(("days", "first"), [(7, T), (8, T + 9 * DAY)])
def test_put_away_and_fetched_back(phone: Phone, days: int, first: int) -> None:
    phone.at(T, STRANGER)
    phone.at(T + DAY, PASSED)
    phone.at(T + 2 * DAY, PASSED)
    row = phone.at(T + DAY + days * DAY, STRANGER)["app_not_prescribed"]
    assert row["first_seen"] == first


def test_days_unread_do_not_count_as_days_away(phone: Phone) -> None:
    phone.at(T, STRANGER)
    phone.at(T + DAY, PASSED)
    phone.at(T + 2 * DAY, UNREAD)
    phone.at(T + 30 * DAY, UNREAD)
    assert phone.at(T + 31 * DAY, STRANGER)["app_not_prescribed"]["first_seen"] == T


def test_an_app_of_a_user_that_turns_unreadable_is_not_gone(phone: Phone) -> None:
    phone.at(T, Finding("app_not_prescribed", "com.x.one", Status.FAIL, {"users": [10]}))
    other = Finding("user_not_inspected", "11", Status.UNKNOWN)
    phone.at(T + DAY, other)
    assert phone.last.memory[0]["gone_at"] == T + DAY
    phone.at(T + 2 * DAY, Finding("user_not_inspected", "10", Status.UNKNOWN))
    assert phone.last.memory[0]["gone_at"] is None


def test_an_app_of_another_user_is_not_gone_while_the_users_are_not_read(phone: Phone) -> None:
    """Then nobody looks into the other users: to hide them for the days would earn a new grace."""
    dual = Finding("app_in_other_user", "com.tencent.mm@10", Status.FAIL, {"users": [10]})
    hidden = Finding("users_not_read", "", Status.UNKNOWN)
    phone.at(T, dual, STRANGER)
    phone.at(T + 2 * HOUR, hidden)
    phone.at(T + 20 * DAY, hidden)
    found = phone.at(T + 30 * DAY, dual, STRANGER)
    assert (found["app_in_other_user"]["status"], found["app_in_other_user"]["first_seen"]) == ("fail", T)
    assert found["app_not_prescribed"]["first_seen"] == T + 30 * DAY, "the first user was read: it was gone"


def test_an_exemption_covers_it_and_grace_goes_on_below(phone: Phone) -> None:
    def cover(code: str, _subject: str) -> Cover | None:
        return Cover("0197", T + 10 * DAY) if code == "app_not_prescribed" else None

    row = phone.at(T, STRANGER, cover=cover)["app_not_prescribed"]
    assert (row["status"], row["exemption_id"], row["exempt_until"]) == ("exempt", "0197", T + 10 * DAY)
    assert "grace_until" not in row
    assert worst_of(phone.last.statuses) is Status.PASS
    assert phone.last.due_us == T + 10 * DAY
    row = phone.at(T + 10 * DAY, STRANGER)["app_not_prescribed"]
    assert (row["status"], row["first_seen"]) == ("fail", T)


def test_what_is_unknown_is_never_exempted(phone: Phone) -> None:
    silent = Finding("silent", "", Status.UNKNOWN)
    assert phone.at(T, silent, cover=lambda *_: Cover("0197", T + DAY))["silent"]["status"] == "unknown"


def test_which_reading_showed_it(phone: Phone) -> None:
    found = phone.at(T, STRANGER, Finding("silent", "", Status.UNKNOWN))
    assert found["app_not_prescribed"]["last_seen"] == T - HOUR
    assert found["silent"]["last_seen"] == T


def test_findings_from_before_there_was_grace(phone: Phone) -> None:
    old = {"code": "app_not_prescribed", "subject": "com.x.one", "status": "fail", "evidence": {"users": [0]},
           "first_seen": T - 5 * DAY}  # fmt: skip
    phone.last = Graded([old], [], None)
    assert phone.at(T, STRANGER)["app_not_prescribed"]["status"] == "fail"
    phone.last = Graded([old], [], None)
    phone.at(T, PASSED)
    assert phone.at(T + DAY, STRANGER)["app_not_prescribed"]["first_seen"] == T - 5 * DAY


def test_a_phone_that_is_given_other_apps_each_day_fills_no_database(phone: Phone) -> None:
    for day in range(3):
        apps = [
            Finding("app_not_prescribed", f"com.x{day}.a{i}", Status.FAIL, {"users": [0]}) for i in range(400)
        ]
        phone.at(T + day * DAY, *apps)
    assert len(phone.last.memory) == MOST_REMEMBERED
    assert {old["gone_at"] for old in phone.last.memory[:400]} == {T + 2 * DAY}


def test_counts(phone: Phone) -> None:
    phone.at(T, STRANGER, BANNED, UNREAD, PASSED)
    assert counts(phone.last.findings) == {
        "failed": 1, "unsure": 1, "grace": 1, "exempt": 0, "worst_severity": 0,
    }  # fmt: skip
    assert counts([])["worst_severity"] == 9


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        (["pass", "exempt"], "pass"),
        (["pass", "grace", "exempt"], "grace"),
        (["grace", "unknown"], "unknown"),
        (["unknown", "fail", "grace"], "fail"),
        (["exempt"], "pass"),
        ([], "unknown"),
    ],
)
def test_the_worst_wins(statuses: list[str], verdict: str) -> None:
    assert worst_of(Status(status) for status in statuses) == verdict


FLYING = Finding("airplane_mode_on", "", Status.FAIL)
POWER_UNREAD = Finding("setting_not_read", "airplane_mode", Status.UNKNOWN)


class TestOfItsOwn:
    """Airplane mode is switched on for good reason: each time has its grace."""

    def test_each_flight_begins_anew(self, phone: Phone) -> None:
        for start in (T, T + 2 * DAY, T + 4 * DAY):
            row = phone.at(start, FLYING)["airplane_mode_on"]
            assert (row["status"], row["first_seen"]) == ("grace", start)
            phone.at(start + 3 * HOUR)

    def test_who_leaves_it_on_fails(self, phone: Phone) -> None:
        phone.at(T, FLYING)
        phone.at(T + 3 * HOUR, POWER_UNREAD)
        row = phone.at(T + 24 * HOUR, FLYING)["airplane_mode_on"]
        assert (row["status"], row["first_seen"]) == ("fail", T), "not read is not landed"

    def test_what_is_not_named_goes_by_the_days_of_all(self, phone: Phone) -> None:
        for at, found in ((T, [NO_LOCK]), (T + DAY, []), (T + 2 * DAY, [NO_LOCK])):
            phone.at(at, *found)
        assert phone.last.findings[0]["first_seen"] == T

    @pytest.mark.parametrize("own", [{}, {"airplane_mode_on": 7}])
    def test_a_stricter_company(self, own: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
        """Also by a body of before, which had no values of single findings."""
        body = (
            {**BODY, "returns_days_of": own}
            if own
            else {k: v for k, v in BODY.items() if k != "returns_days_of"}
        )
        monkeypatch.setattr("tests.app.compliance.test_grading_rules.GRADING", grading_of(body))
        phone = Phone()
        for at, found in ((T, [FLYING]), (T + DAY, []), (T + 2 * DAY, [FLYING])):
            phone.at(at, *found)
        assert phone.last.findings[0]["first_seen"] == T


_some = st.lists(st.sampled_from([STRANGER, BANNED, NO_LOCK, UNREAD, PASSED]), unique_by=lambda f: f.code)


@given(st.lists(st.tuples(st.integers(1, 5 * DAY), _some), min_size=1, max_size=8))
def test_no_history_of_a_phone_gives_grace_twice_within_the_days(
    steps: list[tuple[int, list[Finding]]],
) -> None:
    """However a breach comes and goes: less than `returns_days` after it was shown last it is no new one."""
    phone, now = Phone(), T
    shown: dict[str, tuple[int, int]] = {}
    for step, findings in steps:
        now += step
        for code, row in phone.at(now, *findings).items():
            if row["status"] not in ("fail", "grace"):
                continue
            first, last = shown.get(code, (now, now))
            if now - last < GRADING.returns_us:
                assert row["first_seen"] == first
            shown[code] = (row["first_seen"], now)
