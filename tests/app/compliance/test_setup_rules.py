"""Users, accounts, settings, security, patch level, storage, silence: each pass, fail and unknown."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.compliance.finding_rules import BREACHES, hidden, section_of
from app.compliance.rules import Inputs, Status, evaluate, next_change, worst
from app.compliance.texts import text_of
from tests.app.compliance.healthy import (
    BODY,
    IDENTITY,
    NOW,
    OWNER,
    SECURITY,
    SETUP,
    STORAGE,
    SYSTEM,
    WECHAT,
    allowlist_of,
    app,
    bad,
    found,
    inputs,
)

STRICT: dict[str, Any] = BODY | {
    "accounts": {"allowed": ["com.tencent.mm.account"]},
    "settings": {
        "developer_options": "off", "adb_wifi": "off", "unknown_sources": "off", "airplane_mode": "off",
        "lock_screen": "set", "accessibility": {"allowed": ["com.good.reader"]},
    },
}  # fmt: skip
QUIET = SETUP | {"developer_options": False}
HOUR = dt.timedelta(hours=1)
OWN = {"set": True, "package": "com.other.mdm"}


def strict(**fields: Any) -> set[tuple[str, str, str]]:
    return bad(found(STRICT, **{"setup": QUIET, **fields}))


def test_a_phone_as_it_should_be_passes_the_strictest_policy() -> None:
    findings = found(STRICT, setup=QUIET)
    assert {f.status for f in findings} == {Status.PASS}
    assert {f.code for f in findings} >= {"settings_ok", "security_ok", "accounts_ok", "only_prescribed_apps"}


def account(kind: str, user: int = 0) -> dict[str, Any]:
    return {"user": user, "type": kind, "name_hmac": None}


def sec(parts: dict[str, Any]) -> dict[str, Any]:
    return {"security": SECURITY | parts}


CASES: list[tuple[dict[str, Any], set[tuple[str, str, str]]]] = [
    ({"accounts": [account("com.xiaomi", 10)] * 2}, {("account_not_allowed", "com.xiaomi@10", "fail")}),
    ({"accounts": [account("com.tencent.mm.account")]}, set()),
    ({"unread": {"accounts": "denied"}}, {("accounts_not_read", "", "unknown")}),
    (
        {"accounts": [account("com.xiaomi")], "unread": {"accounts.user.10": "denied"}},
        {("account_not_allowed", "com.xiaomi@0", "fail"), ("accounts_not_read", "", "unknown")},
    ),
    ({"setup": SETUP}, {("developer_options_on", "", "fail")}),
    ({"setup": QUIET | {"adb_wifi": True}}, {("adb_wifi_on", "", "fail")}),
    ({"setup": QUIET | {"adb_wifi": None}}, {("setting_not_read", "adb_wifi", "unknown")}),
    (
        {"setup": QUIET | {"unknown_sources": ["com.a.b", "com.android.browser"]}},
        {("unknown_sources_on", "com.a.b", "fail"), ("unknown_sources_on", "com.android.browser", "fail")},
    ),
    ({"setup": QUIET | {"unknown_sources": ["*"]}}, {("unknown_sources_on", "*", "fail")}),
    ({"setup": QUIET | {"unknown_sources": None}}, {("setting_not_read", "unknown_sources", "unknown")}),
    ({"setup": QUIET | {"lock_screen": "none"}}, {("no_screen_lock", "", "fail")}),
    ({"setup": QUIET | {"lock_screen": "unknown"}}, {("setting_not_read", "lock_screen", "unknown")}),
    ({"airplane_mode": True}, {("airplane_mode_on", "", "fail")}),
    ({"airplane_mode": None}, {("setting_not_read", "airplane_mode", "unknown")}),
    (
        {"unread": {"setup": "denied"}},
        {("setting_not_read", name, "unknown") for name in QUIET if name in STRICT["settings"]},
    ),
    (sec({"accessibility": ["com.good.reader/.A", "com.android.settings/.B"]}), set()),
    (
        sec({"accessibility": ["com.tencent.mm/.Robot"]}),
        {("accessibility_not_allowed", "com.tencent.mm/.Robot", "fail")},
    ),
    (sec({"accessibility": ["com.gone/.A"]}), {("setting_not_read", "accessibility", "unknown")}),
    (sec({"accessibility": None}), {("setting_not_read", "accessibility", "unknown")}),
    (sec({"device_owner": OWN}), {("other_device_owner", "com.other.mdm", "fail")}),
    (sec({"device_owner": None}), {("security_not_read", "device_owner", "unknown")}),
    (
        sec({"profile_owners": [{"user": 10, "package": "com.island"}]}),
        {("other_device_owner", "com.island", "fail")},
    ),
    (sec({"profile_owners": None}), {("security_not_read", "profile_owners", "unknown")}),
    (sec({"su": True}), {("rooted", "", "fail")}),
    (sec({"selinux": "permissive", "su": None}), {("rooted", "", "fail"), ("security_not_read", "su", "unknown")}),
    (sec({"debuggable": True}), {("test_build", "", "fail")}),
    (sec({"build_tags": "test-keys"}), {("test_build", "", "fail")}),
    (sec({"build_tags": "release-keys,test-keys"}), {("test_build", "", "fail")}),
    (sec({"build_tags": "user,release-keys"}), set()),
    (sec({"build_tags": None}), {("security_not_read", "build_tags", "unknown")}),
    (sec({"verified_boot": "orange"}), {("loader_unlocked", "", "fail")}),
    (sec({"bootloader_locked": False}), {("loader_unlocked", "", "fail")}),
    (sec({"bootloader_locked": None}), {("security_not_read", "bootloader_locked", "unknown")}),
    (
        {"unread": {"security": "denied"}},
        {("security_not_read", "", "unknown"), ("setting_not_read", "accessibility", "unknown")},
    ),
    ({"identity": IDENTITY | {"security_patch": "2024-11-01"}}, {("patch_too_old", "", "fail")}),
    ({"identity": IDENTITY | {"security_patch": "2024-11-22"}}, set()),
    ({"identity": IDENTITY | {"security_patch": None}}, {("patch_not_read", "", "unknown")}),
    ({"identity": IDENTITY | {"security_patch": "soon"}}, {("patch_not_read", "", "unknown")}),
    ({"unread": {"identity": "denied"}}, {("patch_not_read", "", "unknown")}),
    ({"storage": STORAGE | {"data_free_bytes": 1000 * 2**20}}, {("storage_low", "", "fail")}),
    # Of a small phone a twentieth, of a big one a gigabyte.
    ({"storage": {"data_total_bytes": 8 * 2**30, "data_free_bytes": 500 * 2**20}}, set()),
    ({"storage": STORAGE | {"data_free_bytes": 2 * 2**30}}, set()),
    ({"storage": {"data_total_bytes": 0, "data_free_bytes": 0}}, {("storage_not_read", "", "unknown")}),
    ({"unread": {"storage": "denied"}}, {("storage_not_read", "", "unknown")}),
    ({"read_at": NOW - 72 * HOUR}, {("silent", "", "unknown")}),
    ({"read_at": NOW - 72 * HOUR + HOUR}, set()),
    ({"read_at": None}, {("never_read", "", "unknown")}),
    (
        {"users": [*OWNER, {"id": 10, "name": "二号"}], "packages": [WECHAT, app("a.b", user=10, system=True)]},
        {("user_not_allowed", "10", "fail")},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "wanted"), CASES)
def test_each_finding(fields: dict[str, Any], wanted: set[tuple[str, str, str]]) -> None:
    assert strict(**fields) == wanted


@pytest.mark.parametrize(("fields", "wanted"), CASES)
def test_each_can_be_told_in_words_with_its_reason(
    fields: dict[str, Any], wanted: set[tuple[str, str, str]]
) -> None:
    for finding in found(STRICT, **{"setup": QUIET, **fields}):
        chinese, english = text_of(finding)
        assert chinese
        assert "{" not in chinese + english
        if finding.evidence.get("reason"):
            assert "（denied）" in chinese


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"security": BODY["security"] | {"rooted": "any"}}, sec({"su": True, "debuggable": True})),
        ({"security": BODY["security"] | {"loader": "any"}}, sec({"verified_boot": "orange"})),
        ({"security": BODY["security"] | {"device_owners": ["com.other.mdm"]}}, sec({"device_owner": OWN})),
        ({"security": {k: v for k, v in BODY["security"].items() if k != "patch_months"}}, {"identity": None}),
        (
            {"security": {k: v for k, v in BODY["security"].items() if not k.startswith("free")}},
            {"storage": STORAGE | {"data_free_bytes": 1}},
        ),
        ({"settings": BODY["settings"] | {"lock_screen": "any"}}, {"setup": SETUP | {"lock_screen": "none"}}),
        ({"settings": BODY["settings"] | {"airplane_mode": "any"}}, {"airplane_mode": None}),
        ({"settings": BODY["settings"] | {"accessibility": {}}}, sec({"accessibility": ["a.b/.C"]})),
        ({}, {"accounts": [account("com.xiaomi")]}),
        ({}, {"setup": SETUP | {"developer_options": True, "adb_wifi": True}}),
    ],
)  # fmt: skip
def test_what_the_policy_does_not_judge(change: dict[str, Any], fields: dict[str, Any]) -> None:
    assert bad(found(BODY | change, **fields)) == set()


def test_a_store_that_is_allowed_may_install_apps() -> None:
    body = BODY | {"installers": {"allowed": ["com.xiaomi.market"], "by_hand": []}}
    findings = bad(found(body, setup=SETUP | {"unknown_sources": ["com.xiaomi.market", "com.tencent.mm"]}))
    assert findings == {("unknown_sources_on", "com.tencent.mm", "fail")}


class TestWhenTimeAloneChangesIt:
    def due(self, **fields: Any) -> dt.datetime:
        return next_change(inputs(**fields), allowlist_of(BODY), NOW)

    def test_when_it_falls_silent(self) -> None:
        assert self.due() == NOW + 72 * HOUR
        assert self.due(read_at=NOW - 71 * HOUR) == NOW + HOUR

    def test_a_silent_phone_is_looked_at_again(self) -> None:
        assert self.due(read_at=NOW - 100 * HOUR) == NOW + HOUR

    def test_when_its_patch_gets_too_old_by_the_days_of_shanghai(self) -> None:
        at = dt.datetime(2026, 11, 23, 16, 0, tzinfo=dt.UTC)
        assert self.due(identity=IDENTITY | {"security_patch": "2024-11-23"}) == at
        before, after = (
            evaluate(
                inputs(identity=IDENTITY | {"security_patch": "2024-11-23"}, read_at=at),
                allowlist_of(BODY),
                moment,
            )
            for moment in (at - dt.timedelta(microseconds=1), at)
        )
        assert (worst(before), worst(after)) == (Status.PASS, Status.FAIL)

    def test_the_last_day_of_a_short_month(self) -> None:
        body = BODY | {"security": BODY["security"] | {"patch_months": 3}}
        phone = inputs(identity=IDENTITY | {"security_patch": "2026-11-30"})
        assert next_change(phone, allowlist_of(body | {"silent_hours": 8760}), NOW) == dt.datetime(
            2027, 2, 28, 16, tzinfo=dt.UTC
        )

    def test_never_read(self) -> None:
        assert self.due(read_at=None) == NOW + HOUR


# --- for all phones ---------------------------------------------------------------------------------------------------

_flag = st.sampled_from([True, False, None])
_security = st.none() | st.builds(
    dict,
    device_owner=st.sampled_from([None, OWN, {"set": False, "package": None}]),
    profile_owners=st.sampled_from([None, [], [{"user": 10, "package": "com.island"}]]),
    verified_boot=st.sampled_from([None, "green", "yellow", "orange", "red"]),
    bootloader_locked=_flag,
    debuggable=_flag,
    build_tags=st.sampled_from([None, "release-keys", "test-keys"]),
    su=_flag,
    selinux=st.sampled_from([None, "enforcing", "permissive"]),
    accessibility=st.sampled_from([None, [], ["com.tencent.mm/.A"], ["com.gone/.A"]]),
)
_setup = st.none() | st.builds(
    dict,
    developer_options=_flag,
    adb_wifi=_flag,
    unknown_sources=st.sampled_from([None, [], ["com.a.b"]]),
    lock_screen=st.sampled_from(["set", "none", "unknown"]),
)
_phones = st.builds(
    Inputs,
    packages=st.sampled_from([None, [WECHAT, SYSTEM], [WECHAT, app("com.bad.game")], [SYSTEM]]),
    users=st.sampled_from([None, OWNER, [*OWNER, {"id": 10}]]),
    accounts=st.sampled_from([None, [], [account("com.xiaomi")]]),
    setup=_setup,
    storage=st.sampled_from([None, STORAGE, STORAGE | {"data_free_bytes": 5}]),
    security=_security,
    identity=st.sampled_from([None, IDENTITY, IDENTITY | {"security_patch": "2020-01-01"}]),
    airplane_mode=_flag,
    read_at=st.sampled_from([None, NOW, NOW - 100 * HOUR]),
)
_parts = st.sampled_from(
    ["packages", "users", "accounts", "setup", "storage", "security", "identity", "airplane_mode", "read_at"]
)


@given(_phones, st.sampled_from([BODY, STRICT]), st.sets(_parts, min_size=1))
def test_reading_less_never_makes_a_pass(phone: Inputs, body: dict[str, Any], lost: set[str]) -> None:
    policy = allowlist_of(body)
    whole = worst(evaluate(phone, policy, NOW))
    less = worst(evaluate(replace(phone, **dict.fromkeys(lost)), policy, NOW))
    if whole is not Status.PASS:
        assert less is not Status.PASS


@given(_phones, st.data())
def test_a_mark_that_is_not_read_never_makes_a_pass(phone: Inputs, data: st.DataObject) -> None:
    if phone.security is None:
        return
    part = data.draw(st.sampled_from(sorted(phone.security)))
    policy = allowlist_of(STRICT)
    whole = worst(evaluate(phone, policy, NOW))
    less = worst(evaluate(replace(phone, security=phone.security | {part: None}), policy, NOW))
    assert less is not Status.PASS
    if whole is Status.PASS:
        assert less in (Status.UNKNOWN, Status.PASS)


@given(_phones, st.sets(_parts, min_size=1))
def test_a_breach_that_is_no_longer_read_is_hidden_and_not_gone(phone: Inputs, lost: set[str]) -> None:
    """What keeps its first_seen: each breach that vanishes only because less was read."""
    policy = allowlist_of(STRICT)
    whole, less = (evaluate(one, policy, NOW) for one in (phone, replace(phone, **dict.fromkeys(lost))))
    unknowns = [(f.code, f.subject) for f in less if f.status is Status.UNKNOWN]
    left = {(f.code, f.subject) for f in less}
    for finding in whole:
        if finding.status is Status.FAIL and (finding.code, finding.subject) not in left:
            users = finding.evidence.get("users")
            assert hidden(finding.code, finding.subject, users, unknowns), finding


def test_every_breach_has_its_section_and_severity() -> None:
    assert set(BODY["severity"]) == set(BREACHES)
    assert {section_of(code) for code in BREACHES} >= {"packages", "users", "accounts", "power", "identity"}
    assert section_of("silent") is None
