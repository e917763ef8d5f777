from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.wipe.evidence_rules import read_evidence
from app.wipe.fact_rules import Look, Verdict, Weight
from app.wipe.grading_rules import CERTIFIABLE, EMPTY, Grade, Graded, Manual, contests, facts_to_plain, grade
from app.wipe.judging import with_presets
from tests.app.wipe.grading_world import (
    LIMITS,
    OTHER_IMEI,
    before,
    epoch,
    evidence,
    look,
    manual,
    order,
    raw,
)


def graded(*after: Look | Manual, former: Look | None = None, **changes: Any) -> Graded:
    return grade(order(**changes), former, after, LIMITS)


def verdict(found: Graded, code: str) -> str:
    return next(str(fact.verdict) for fact in found.facts if fact.code == code)


def test_a_whole_reset_is_verified_and_every_fact_is_told() -> None:
    found = graded(look(), former=before())
    assert found.grade is Grade.VERIFIED
    assert [f.code for f in found.facts if f.verdict is Verdict.FAIL] == []
    assert not found.warnings
    assert {row["verdict"] for row in facts_to_plain(found.facts)} <= {"pass", "unknown"}
    assert not contests(found)


def test_without_a_reading_before_the_first_boot_and_the_filed_identity_are_enough() -> None:
    assert graded(look()).grade is Grade.VERIFIED
    assert graded(look(), android_id=None).grade is Grade.WARNINGS


@pytest.mark.parametrize(
    ("changes", "code", "wanted"),
    [
        ({"serial": "R58M999ZZZ"}, "same_phone", Grade.UNVERIFIED),
        ({"imei": [OTHER_IMEI]}, "same_phone", Grade.UNVERIFIED),
        ({"imei": []}, "same_phone", Grade.UNVERIFIED),
        ({"serial": None}, "same_phone", Grade.UNVERIFIED),
        ({"accounts": {"count": 1, "types": ["com.google"]}}, "accounts", Grade.FAILED),
        ({"users": [{"id": 0, "running": True}, {"id": 999, "running": True}]}, "users", Grade.FAILED),
        ({"media_files": 2400}, "media", Grade.FAILED),
        ({"packages": {"count": 1, "third_party": ["com.tencent.mm"]}}, "packages", Grade.FAILED),
        ({"android_id": "aaaa"}, "new_identity", Grade.UNVERIFIED),
        ({"boot_id": "boot-1"}, "rebooted", Grade.UNVERIFIED),
        ({"boot_count": 42}, "boot_count", Grade.UNVERIFIED),
    ],
)
def test_what_tells_against_it_is_never_certified(changes: dict[str, Any], code: str, wanted: Grade) -> None:
    found = graded(look(**changes), former=before())
    assert verdict(found, code) != "pass"
    assert found.grade is wanted
    assert found.grade not in CERTIFIABLE


def test_a_phone_that_was_never_reset_failed() -> None:
    same: dict[str, Any] = {
        "android_id": "aaaa", "boot_id": "boot-1", "boot_count": 41, "uptime_s": 91_800.0,
        "boot_reasons": [{"reason": "reboot,userrequested", "at": epoch(-1510)}],
    }  # fmt: skip
    found = graded(look(**same), former=before())
    assert found.grade is Grade.FAILED
    assert contests(found)
    # A plain reboot is none, either.
    rebooted = {**same, "boot_id": "boot-2", "boot_count": 42, "uptime_s": 600.0}
    assert graded(look(**rebooted), former=before()).grade is Grade.FAILED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"accounts": None}, "accounts"),
        ({"users": None}, "users"),
        ({"media_files": None}, "media"),
        ({"media_files": 100}, "media"),
        ({"packages": None}, "packages"),
        ({"packages": {"count": 1, "third_party": ["com.miui.video"]}}, "packages"),
        ({"brand": "Hisense", "packages": {"count": 1, "third_party": ["com.hisense.tv"]}}, "packages"),
        ({"lock_screen": "set"}, "lock"),
        ({"lock_screen": "unknown"}, "lock"),
        ({"encryption": "none"}, "encryption"),
        ({"encryption": "unknown"}, "encryption"),
        ({"volumes": [{"id": "public:179,1", "kind": "sd", "state": "mounted"}]}, "sd"),
        ({"android_id": None}, "new_identity"),
    ],
)
def test_what_could_not_be_read_leaves_warnings(changes: dict[str, Any], code: str) -> None:
    found = graded(look(**changes), former=before())
    assert found.grade is Grade.WARNINGS
    assert verdict(found, code) == "unknown"
    assert code in [fact.code for fact in found.warnings]


def test_the_vendors_own_apps_are_no_warning() -> None:
    assert graded(look(packages={"count": 1, "third_party": ["com.miui.notes"]})).grade is Grade.VERIFIED


IN_THE_BOX = {
    "redmi": {"Note 12": {"com.miui.video": "视频"}, "*": {"com.miui.calc": "计算器"}},
    "oppo": {"*": {"a.b": "甲"}},
}


@pytest.mark.parametrize(
    ("changes", "grade_"),
    [
        ({}, Grade.VERIFIED),
        ({"brand": "REDMI "}, Grade.VERIFIED),
        ({"model": " Note 12 "}, Grade.VERIFIED),
        # Another model's apps, another brand's, and none that is named.
        ({"model": "Note 13"}, Grade.WARNINGS),
        ({"model": None}, Grade.WARNINGS),
        ({"brand": "OPPO"}, Grade.WARNINGS),
        ({"brand": None}, Grade.WARNINGS),
        ({"brand": "Hisense"}, Grade.WARNINGS),
    ],
)
def test_apps_that_the_allow_list_names_for_the_model_are_no_warning(
    changes: dict[str, Any], grade_: Grade
) -> None:
    names = ["com.miui.video", "com.miui.calc", "com.miui.notes"]
    after = look(packages={"count": 3, "third_party": names}, **changes)
    limits = with_presets(LIMITS, IN_THE_BOX, [after.evidence])
    assert grade(order(), None, [after], limits).grade is grade_
    assert LIMITS.presets == {"redmi": frozenset({"com.miui.notes"})}


def test_what_was_there_before_and_is_not_in_the_box_still_fails() -> None:
    after = look(packages={"count": 2, "third_party": ["com.miui.video", "com.tencent.mm"]})
    limits = with_presets(LIMITS, IN_THE_BOX, [after.evidence])
    assert grade(order(), before(), [after], limits).grade is Grade.FAILED


def test_too_little_read_is_unverified() -> None:
    nothing: dict[str, Any] = {"accounts": None, "users": None, "packages": None, "media_files": 0}
    assert graded(look(**nothing), former=before()).grade is Grade.UNVERIFIED
    undated: dict[str, Any] = {"boot_reasons": None, "boot_count": None}
    assert graded(look(**undated), former=before()).grade is Grade.UNVERIFIED


def test_evidence_from_before_the_order_never_counts() -> None:
    early = look(minutes=0.5, spread=1)
    found = graded(early, former=before())
    assert (found.grade, verdict(found, "after_order")) == (Grade.UNVERIFIED, "unknown")
    assert graded(manual(minutes=-1)).grade is Grade.UNVERIFIED
    assert graded().grade is Grade.UNVERIFIED


class TestClock:
    """The phone's wall clock alone dates nothing."""

    later: dict[str, Any] = {  # started again since the reset: the kernel's clock no longer tells of it
        "boot_count": 3,
        "uptime_s": 60.0,
        "boot_reasons": [
            {"reason": "reboot", "at": epoch(19)},
            {"reason": "reboot,factory_reset", "at": epoch(6)},
        ],
    }

    def test_a_second_boot_is_dated_where_a_reading_before_confirms_the_clock(self) -> None:
        found = graded(look(**self.later), former=before())
        assert (found.grade, verdict(found, "reset_entry")) == (Grade.VERIFIED, "pass")

    def test_and_is_not_without_one(self) -> None:
        found = graded(look(**self.later))
        assert verdict(found, "reset_entry") == "unknown"
        assert found.grade is Grade.UNVERIFIED

    def test_an_older_reset_is_told_from_this_one(self) -> None:
        old = [{"reason": "reboot", "at": epoch(19)}, {"reason": "reboot,factory_reset", "at": epoch(-900)}]
        found = graded(look(**{**self.later, "boot_reasons": old}), former=before())
        assert verdict(found, "reset_entry") == "fail"
        assert found.grade is Grade.UNVERIFIED

    @pytest.mark.parametrize("hours", [-30, -1, 1, 30])
    def test_a_clock_that_was_set_between_is_unknown(self, hours: int) -> None:
        moved = {**self.later, "phone_now_s": epoch(20 + 60 * hours)}
        assert verdict(graded(look(**moved), former=before()), "reset_entry") == "unknown"

    def test_a_clock_that_was_set_since_the_first_boot_is_unknown(self) -> None:
        found = graded(look(phone_now_s=epoch(600)), former=before())
        assert verdict(found, "reset_entry") == "unknown"
        # The kernel's own clock still tells of the first boot.
        assert (verdict(found, "first_boot"), found.grade) == ("pass", Grade.VERIFIED)

    def test_a_history_that_runs_backwards_is_unknown(self) -> None:
        odd = [{"reason": "reboot", "at": epoch(3)}, {"reason": "reboot,factory_reset", "at": epoch(6)}]
        assert (
            verdict(graded(look(**{**self.later, "boot_reasons": odd}), former=before()), "reset_entry")
            == "unknown"
        )

    def test_an_entry_without_a_time_is_unknown(self) -> None:
        odd = [{"reason": "reboot,factory_reset", "at": None}]
        assert verdict(graded(look(boot_reasons=odd), former=before()), "reset_entry") == "unknown"


@pytest.mark.parametrize(
    ("earlier", "now", "said", "wanted"),
    [
        (30, 30, "fail", Grade.FAILED),
        (15, 15, "unknown", Grade.WARNINGS),
        (0, 0, "pass", Grade.VERIFIED),
        (30, 8, "pass", Grade.VERIFIED),
        (None, 15, "pass", Grade.VERIFIED),
    ],
)
def test_files_that_are_no_fewer_than_before_were_not_erased(
    earlier: int | None, now: int, said: str, wanted: Grade
) -> None:
    found = graded(look(media_files=now), former=before(media_files=earlier))
    assert (verdict(found, "media"), found.grade) == (said, wanted)


class TestByHand:
    def test_eyes_and_photographs_give_warnings_at_best(self) -> None:
        assert graded(manual()).grade is Grade.WARNINGS

    @pytest.mark.parametrize(
        ("changes", "wanted"),
        [
            ({"typed_imei": None}, Grade.UNVERIFIED),
            ({"typed_imei": OTHER_IMEI}, Grade.UNVERIFIED),
            ({"photos": 2}, Grade.UNVERIFIED),
            ({"seen": {"welcome": "yes", "no_lock": "yes", "no_data": "no"}}, Grade.FAILED),
            ({"seen": {"welcome": "yes", "no_lock": "no", "no_data": "yes"}}, Grade.FAILED),
            ({"seen": {"welcome": "no", "no_lock": "yes", "no_data": "yes"}}, Grade.UNVERIFIED),
            ({"seen": {"welcome": "yes", "no_lock": "yes"}}, Grade.UNVERIFIED),
            ({"seen": {"welcome": "sure", "no_lock": "yes", "no_data": "yes"}}, Grade.UNVERIFIED),
        ],
    )
    def test_less_is_not_certified(self, changes: dict[str, Any], wanted: Grade) -> None:
        assert graded(manual(**changes)).grade is wanted

    def test_a_hidden_imei_is_made_good_by_the_one_that_was_typed(self) -> None:
        hidden = look(imei=[])
        assert graded(hidden).grade is Grade.UNVERIFIED
        assert graded(hidden, manual()).grade is Grade.VERIFIED
        assert graded(hidden, manual(typed_imei=OTHER_IMEI)).grade is Grade.UNVERIFIED

    def test_an_imei_alone_makes_a_hidden_one_good_and_looks_at_nothing_else(self) -> None:
        hidden, alone = look(imei=[]), manual(seen={}, photos=0)
        assert graded(hidden, alone).grade is Grade.VERIFIED
        assert (
            verdict(graded(hidden, manual(seen={}, photos=0, typed_imei=OTHER_IMEI)), "same_phone") == "fail"
        )
        assert graded(alone).grade is Grade.UNVERIFIED
        saw = manual(minutes=25, seen={"welcome": "no", "no_lock": "yes", "no_data": "no"})
        assert graded(hidden, saw, alone).grade is Grade.FAILED

    def test_an_imei_that_was_read_off_before_says_nothing_of_another_boot(self) -> None:
        """Another phone of the same serial may have been plugged in since."""
        early = manual(minutes=10, seen={}, photos=0)
        hidden = look(imei=[])
        assert graded(early, hidden).grade is Grade.UNVERIFIED
        between = manual(minutes=30, seen={}, photos=0)
        assert graded(hidden, between, look(minutes=50, imei=[], uptime_s=2700.0)).grade is Grade.VERIFIED
        swapped = look(
            minutes=50, imei=[], boot_id="boot-9", uptime_s=60.0, accounts={"count": 1, "types": []}
        )
        assert graded(early, swapped).grade is Grade.UNVERIFIED

    def test_a_phone_that_still_has_its_system_id_is_this_one_and_was_not_erased(self) -> None:
        still = look(imei=[], android_id="aaaa", boot_id="boot-1", boot_reasons=None, boot_count=41)
        assert graded(still, former=before()).grade is Grade.FAILED

    def test_data_seen_later_outweighs_every_reading(self) -> None:
        seen = {"welcome": "no", "no_lock": "yes", "no_data": "no"}
        assert graded(look(), manual(seen=seen)).grade is Grade.FAILED
        assert (
            graded(look(minutes=40), manual(seen=seen), former=before(phone_now_s=None)).grade
            is not Grade.FAILED
        )

    def test_eyes_never_outweigh_a_reading_that_failed(self) -> None:
        assert graded(look(accounts={"count": 1, "types": []}), manual()).grade is Grade.FAILED
        assert graded(look(android_id="aaaa"), manual(), former=before()).grade is Grade.UNVERIFIED

    def test_eyes_make_good_what_was_merely_not_read(self) -> None:
        undated = look(boot_reasons=None, boot_count=None)
        assert graded(undated, manual(), former=before()).grade is Grade.WARNINGS


def test_the_newest_reading_of_this_phone_counts() -> None:
    early = look(minutes=10, android_id="aaaa", boot_id="boot-1")
    stranger = look(minutes=50, serial="R58M999ZZZ")
    assert graded(early, look(), stranger, former=before()).grade is Grade.VERIFIED
    assert graded(look(), look(minutes=50, accounts={"count": 1, "types": []})).grade is Grade.FAILED


def test_a_refused_key_supports_and_decides_nothing() -> None:
    alone = grade(order(), before(), [], LIMITS, key_refused=True)
    assert (alone.grade, verdict(alone, "old_key")) == (Grade.UNVERIFIED, "pass")


def test_test_mode_is_told_and_lowers_nothing() -> None:
    found = graded(look(test_harness=True), former=before())
    assert found.grade is Grade.VERIFIED
    assert "不能交给别人" in next(f.value for f in found.facts if f.code == "test_harness")


def test_sim_and_esim_are_said_to_be_outside_and_lower_nothing() -> None:
    there = look(sims=[{"slot": 0, "state": "LOADED"}])
    found = graded(there, former=before(), esim="unknown")
    assert found.grade is Grade.VERIFIED
    assert {f.code for f in found.warnings} == {"sim", "esim"}
    [sim] = [f.value for f in found.warnings if f.code == "sim"]
    assert sim == "现场回答“已取出”，而清除后读到卡还在手机里，不在本证明范围", (
        "both stand on the certificate"
    )


_ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=3),
    st.dictionaries(st.sampled_from(["count", "oldest", "id", "kind"]), st.none() | st.text(max_size=3), max_size=3),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(raw())), _ODD, min_size=1, max_size=6))
def test_whatever_an_agent_tells_is_judged(changes: dict[str, Any]) -> None:
    """Odd parts are unknown: they break nothing, and never raise what was read without them."""
    found = graded(look(**changes), former=before())
    basis = [f for f in found.facts if f.weight is Weight.BASIS]
    if found.grade in CERTIFIABLE:
        assert all(f.verdict is Verdict.PASS for f in basis)
        assert sum(verdict(found, code) == "pass" for code in EMPTY) >= 2
        assert verdict(found, "accounts") != "fail"


@pytest.mark.parametrize("odd", [None, [], "x", 3])
def test_what_is_no_reading_is_none(odd: object) -> None:
    assert read_evidence(odd) is None


def test_a_list_that_may_have_been_cut_is_unknown() -> None:
    names = [f"com.example.a{i}" for i in range(300)]
    told = evidence(raw(packages={"count": 300, "third_party": names}))
    assert told.third_party is None
    assert "packages" in told.unread
