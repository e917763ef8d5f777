"""What is gone and what is only unseen; what a word proves; what policy protects."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.remedy.rules import (
    REMOVED_BY,
    Seen,
    Standing,
    Target,
    protected,
    standing,
    step_at,
    system_refused,
    target_of,
    told_of,
)

T = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
APP = "com.example.game"


def found(code: str, subject: str = "", status: str = "unknown", **evidence: Any) -> Seen:
    return Seen(code, subject, status, "medium", evidence, code, T)


@pytest.mark.parametrize("status", ["fail", "grace", "exempt", "unknown"])
def test_a_finding_stands_as_it_is_judged(status: str) -> None:
    assert standing([found("app_forbidden", APP, status)], "app_forbidden", APP) == status


def test_gone_only_where_all_that_would_show_it_was_read() -> None:
    assert standing([], "app_forbidden", APP) is Standing.ABSENT
    assert standing([found("app_forbidden", APP, "pass")], "app_forbidden", APP) is Standing.ABSENT
    for code in ("packages_not_read", "users_not_read", "user_not_inspected", "never_read"):
        assert standing([found(code, "10")], "app_forbidden", APP) is Standing.UNKNOWN, code
    for code in ("app_activity_unknown", "app_origin_unknown", "app_maybe_prescribed"):
        assert standing([found(code, APP)], "app_not_prescribed", APP) is Standing.UNKNOWN
        assert standing([found(code, APP)], "app_in_other_user", f"{APP}@10") is Standing.UNKNOWN
        assert standing([found(code, "com.other")], "app_not_prescribed", APP) is Standing.ABSENT
    assert standing([found("accounts_not_read")], "app_forbidden", APP) is Standing.ABSENT
    assert standing([found("accounts_not_read")], "account_not_allowed", "x@0") is Standing.UNKNOWN
    assert standing([found("setting_not_read", "lock_screen")], "no_screen_lock", "") is Standing.UNKNOWN
    assert standing([found("patch_not_read")], "patch_too_old", "") is Standing.UNKNOWN
    assert standing([found("security_not_read", "su")], "rooted", "") is Standing.UNKNOWN
    assert standing([found("storage_not_read")], "storage_low", "") is Standing.UNKNOWN
    assert (
        standing([found("package_name_not_configured", "水印相机")], "app_forbidden", APP) is Standing.ABSENT
    )


def test_a_user_that_it_was_never_in_hides_nothing() -> None:
    closed = [found("user_not_inspected", "150")]
    assert standing(closed, "app_forbidden", APP, (0,)) is Standing.ABSENT
    assert standing(closed, "app_forbidden", APP, (0, 150)) is Standing.UNKNOWN
    assert standing(closed, "app_forbidden", APP) is Standing.UNKNOWN


def test_of_a_finding_that_is_not_known_here_anything_unread_may_hide_it() -> None:
    assert standing([found("storage_not_read")], "something_new", "") is Standing.UNKNOWN
    assert standing([found("storage_low", "", "fail")], "something_new", "") is Standing.ABSENT


@pytest.mark.parametrize(
    ("subject", "evidence", "wanted"),
    [
        (APP, {"users": [10, 0, 10]}, Target(APP, (0, 10))),
        (f"{APP}@999", {}, Target(APP, (999,))),
        (APP, {}, None),
        (APP, {"users": []}, None),
        (APP, {"users": [True]}, None),
        (APP, {"users": [-1]}, None),
        (APP, {"users": ["0"]}, None),
        (APP, {"users": list(range(11))}, None),
        ("抖音", {"users": [0]}, None),
        ("a; rm -rf /", {"users": [0]}, None),
        ("", {"users": [0]}, None),
        ("onepart", {"users": [0]}, None),
        ("com.9digit", {"users": [0]}, None),
        (f"{APP}@", {"users": [0]}, Target(APP, (0,))),
        (f"{APP}@x", {"users": [0]}, None),
    ],
)
def test_what_an_order_would_remove(subject: str, evidence: Any, wanted: Target | None) -> None:
    assert target_of(subject, evidence) == wanted


def after(installed: Any = True, enabled: Any = 0, suspended: Any = False) -> dict[str, Any]:
    return {"installed": installed, "enabled": enabled, "suspended": suspended}


@pytest.mark.parametrize(
    ("outcome", "look", "said"),
    [
        ("uninstalled", after(installed=False), "uninstalled"),
        ("gone", after(installed=False), "gone"),
        ("disabled", after(enabled=3), "disabled"),
        ("suspended", after(suspended=True), "suspended"),
        ("uninstalled", after(), "unknown"),
        ("uninstalled", after(installed=None), "unknown"),
        ("gone", after(), "unknown"),
        ("disabled", after(enabled=0), "unknown"),
        ("disabled", after(enabled=True), "unknown"),
        ("suspended", after(suspended=None), "unknown"),
        ("uninstalled", None, "unknown"),
        ("uninstalled", "no", "unknown"),
        ("protected", after(), "protected"),
        ("unchanged", after(), "unchanged"),
        ("wiped", after(installed=False), "unknown"),
        (None, after(installed=False), "unknown"),
        (7, {}, "unknown"),
    ],
)
def test_a_word_counts_only_where_its_own_look_agrees(outcome: Any, look: Any, said: str) -> None:
    told = told_of("succeeded", {"outcome": outcome, "reason": None, "after": look})
    assert told.outcome == said
    assert told.proved == (said in REMOVED_BY)


def test_what_failed_removed_nothing() -> None:
    detail = {"outcome": "uninstalled", "after": after(installed=False)}
    for state in ("failed", "refused", "expired"):
        assert told_of(state, detail).outcome == "unknown"
    assert told_of("failed", {}).reason == ""
    assert told_of("succeeded", {"outcome": "uninstalled", "after": after()}).reason == "contradicts_itself"
    assert told_of("succeeded", {"outcome": "restored", "after": after()}).proved
    for look in (after(installed=False), after(enabled=2), after(suspended=True), after(enabled=None)):
        assert not told_of("succeeded", {"outcome": "restored", "after": look}).proved


BODY = {
    "ladder_hours": {"high": {"lead": 24, "act": 72}, "medium": {"lead": 72, "act": 24}},
    "never": ["com.android.settings"],
    "system_packages": ["com.vendor.video"],
}


def test_the_ladder() -> None:
    assert step_at(BODY, "high", T, "lead") == T + dt.timedelta(hours=24)
    assert step_at(BODY, "high", T, "act") == T + dt.timedelta(hours=72)
    assert step_at(BODY, "odd", T, "lead") == T + dt.timedelta(hours=72)
    assert step_at(BODY, "medium", T, "act") == T + dt.timedelta(hours=72), "never before the lead knows"


def test_what_policy_protects() -> None:
    assert protected("com.android.settings", BODY["never"], ())
    assert protected("com.tencent.mm", BODY["never"], {"com.tencent.mm"})
    assert protected(APP, BODY["never"], {"com.tencent.mm"}) is None


@pytest.mark.parametrize(("system", "refused"), [(False, False), (True, True), (None, True)])
def test_a_part_of_the_system_only_where_policy_names_it(system: Any, refused: bool) -> None:
    rows = [
        {"name": APP, "user": 0, "system": system},
        {"name": "com.vendor.video", "user": 0, "system": True},
    ]
    assert system_refused(rows, Target(APP, (0,)), BODY) is refused
    assert not system_refused(rows, Target("com.vendor.video", (0,)), BODY)
    assert not system_refused([], Target(APP, (0,)), BODY), "not read as installed: the gateway looks"
