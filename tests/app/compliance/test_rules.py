"""Apps against the list: pass, fail, unknown, and never a pass by not looking."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.compliance import app_rules
from app.compliance.finding_rules import BREACHES
from app.compliance.rules import Finding, Inputs, Status, evaluate, worst
from app.compliance.texts import TEXTS, text_of
from tests.app.compliance.healthy import (
    ANY_USER as BODY,
)
from tests.app.compliance.healthy import (
    BODY as HEALTHY,
)
from tests.app.compliance.healthy import (
    EXACT,
    NOW,
    OWNER,
    SYSTEM,
    WECHAT,
    allowlist_of,
    app,
    apps_of,
    found,
    inputs,
    judge,
    told,
)


def test_a_phone_as_it_should_be_passes() -> None:
    findings = judge(WECHAT, SYSTEM, app("com.good.reader"), app("com.stamp.camera"))
    assert told(findings) == {
        ("required_present", "com.tencent.mm", "pass"),
        ("only_prescribed_apps", "", "pass"),
    }
    assert worst(findings) is Status.PASS


def test_an_app_on_no_list_fails() -> None:
    findings = judge(WECHAT, app("com.some.shop", user=10), app("com.some.shop"), users=[*OWNER, {"id": 10}])
    assert ("app_not_prescribed", "com.some.shop", "fail") in told(findings)
    assert findings[0].evidence["users"] == [0, 10]
    assert worst(findings) is Status.FAIL


def test_the_systems_own_apps_are_not_judged() -> None:
    assert worst(judge(WECHAT, SYSTEM, app("com.miui.browser", system=True))) is Status.PASS


def test_a_forbidden_app_fails_also_when_the_maker_put_it_there() -> None:
    findings = judge(WECHAT, app("com.bad.game", system=True))
    assert ("app_forbidden", "com.bad.game", "fail") in told(findings)


def test_a_ban_holds_against_a_permission() -> None:
    findings = judge(WECHAT, forbidden={"com.tencent.mm": "微信"})
    assert ("app_forbidden", "com.tencent.mm", "fail") in told(findings)
    assert ("required_present", "com.tencent.mm", "pass") in told(findings)


def test_a_missing_required_app_fails_and_an_optional_one_does_not() -> None:
    findings = judge(SYSTEM)
    assert ("required_missing", "com.tencent.mm", "fail") in told(findings)
    assert not any(f.subject == "com.stamp.camera" for f in findings)


def test_the_required_app_in_another_user_does_not_serve_the_work() -> None:
    findings = judge(SYSTEM, app("com.tencent.mm", user=999), users=[*OWNER, {"id": 999}])
    assert ("required_missing", "com.tencent.mm", "fail") in told(findings)


@pytest.mark.parametrize("off", [{"enabled": False}, {"suspended": True}])
def test_a_required_app_that_is_switched_off_fails(off: dict[str, Any]) -> None:
    assert ("required_inactive", "com.tencent.mm", "fail") in told(judge(app("com.tencent.mm", **off)))


@pytest.mark.parametrize("name", ["com.some.shop", "com.bad.game"])
def test_a_strange_app_that_is_switched_off_is_remedied_unless_the_policy_says_otherwise(name: str) -> None:
    off = app(name, enabled=False)
    assert worst(judge(WECHAT, off)) is Status.PASS
    assert worst(judge(WECHAT, off, judge_inactive=True)) is Status.FAIL


@pytest.mark.parametrize("name", ["com.some.shop", "com.bad.game"])
def test_whether_it_is_switched_off_could_not_be_read(name: str) -> None:
    findings = judge(WECHAT, app(name, enabled=None))
    assert ("app_activity_unknown", name, "unknown") in told(findings)
    assert worst(findings) is Status.UNKNOWN
    assert worst(judge(app("com.tencent.mm", suspended=None))) is Status.UNKNOWN


def test_whether_it_is_the_systems_could_not_be_read() -> None:
    findings = judge(WECHAT, app("com.some.shop", system=None))
    assert told(findings) >= {("app_origin_unknown", "com.some.shop", "unknown")}
    assert worst(findings) is Status.UNKNOWN


class TestNotInspected:
    def test_packages_never_read(self) -> None:
        findings = apps_of(found(BODY, packages=None))
        assert told(findings) == {
            ("packages_not_read", "", "unknown"),
            ("required_not_seen", "com.tencent.mm", "unknown"),
        }

    def test_packages_not_read_this_time(self) -> None:
        """An older list is no evidence of what is there now, for good or for bad."""
        findings = judge(WECHAT, app("com.bad.game"), unread={"packages": "timed out"})
        assert worst(findings) is Status.UNKNOWN
        assert findings[0].evidence == {"reason": "timed out"}

    def test_users_not_read(self) -> None:
        assert ("users_not_read", "", "unknown") in told(judge(WECHAT, users=None))
        assert worst(judge(WECHAT, users=None)) is Status.UNKNOWN
        assert worst(judge(WECHAT, unread={"users": "denied"})) is Status.UNKNOWN

    def test_a_user_that_was_refused_is_unknown_and_never_clean(self) -> None:
        findings = judge(WECHAT, users=[*OWNER, {"id": 10}], unread={"packages.user.10": "SecurityException"})
        assert told(findings) == {
            ("required_present", "com.tencent.mm", "pass"),
            ("user_not_inspected", "10", "unknown"),
        }

    def test_a_user_that_is_simply_missing_from_the_list(self) -> None:
        assert ("user_not_inspected", "10", "unknown") in told(judge(WECHAT, users=[*OWNER, {"id": 10}]))

    def test_a_list_not_wholly_understood_says_of_no_app_that_it_is_missing(self) -> None:
        findings = judge(SYSTEM, unread={"packages.user.0": "2 lines were not understood"})
        assert ("required_not_seen", "com.tencent.mm", "unknown") in told(findings)

    def test_marks_that_were_not_read_are_no_users(self) -> None:
        assert (
            worst(judge(WECHAT, unread={"packages.user.0.system": "x", "packages.details": "x"}))
            is Status.PASS
        )

    def test_what_is_proved_wrong_stays_a_fail(self) -> None:
        findings = judge(app("com.bad.game"), unread={"packages.user.10": "refused", "users": "refused"})
        assert worst(findings) is Status.FAIL


class TestNamesMissing:
    APPS = BODY["apps"] | {"助这儿": {"package": None, "required": True}, "易企秀": {"required": False}}

    def test_a_required_app_without_its_package_name_is_unknown(self) -> None:
        findings = judge(WECHAT, apps=self.APPS)
        assert ("package_name_not_configured", "助这儿", "unknown") in told(findings)
        assert ("only_prescribed_apps", "", "pass") in told(findings)
        assert not any(f.subject == "易企秀" for f in findings)
        assert worst(findings) is Status.UNKNOWN

    def test_an_unlisted_app_may_be_the_one(self) -> None:
        findings = judge(WECHAT, app("com.x.one"), app("com.x.two"), apps=self.APPS)
        assert {f.code for f in findings if f.subject.startswith("com.x")} == {"app_maybe_prescribed"}
        assert worst(findings) is Status.UNKNOWN

    def test_more_unlisted_apps_than_missing_names_are_a_breach(self) -> None:
        strangers = [app(f"com.x.a{i}") for i in range(3)]
        findings = judge(WECHAT, *strangers, apps=self.APPS)
        assert findings[0].code == "more_apps_than_prescribed"
        assert findings[0].evidence == {"apps": 3, "unnamed": 2, "surplus": 1}
        assert worst(findings) is Status.FAIL

    def test_a_forbidden_app_fails_all_the_same(self) -> None:
        assert worst(judge(WECHAT, app("com.bad.game"), apps=self.APPS)) is Status.FAIL


class TestInstallers:
    FROM: ClassVar = {"installers": {"allowed": ["com.xiaomi.market"], "by_hand": []}}

    def test_from_an_allowed_source(self) -> None:
        assert worst(judge(WECHAT, **self.FROM)) is Status.PASS

    def test_from_elsewhere(self) -> None:
        findings = judge(app("com.tencent.mm", installer="com.android.shell"), **self.FROM)
        assert ("installer_not_allowed", "com.tencent.mm", "fail") in told(findings)

    def test_not_told(self) -> None:
        findings = judge(app("com.tencent.mm", installer=None), **self.FROM)
        assert ("installer_unknown", "com.tencent.mm", "unknown") in told(findings)

    def test_a_preloaded_app_needs_no_source(self) -> None:
        assert worst(judge(app("com.tencent.mm", installer=None, system=True), **self.FROM)) is Status.PASS


def test_of_nothing_the_verdict_is_unknown() -> None:
    assert worst([]) is Status.UNKNOWN


# --- for all phones ---------------------------------------------------------------------------------------------------

_mark = st.sampled_from([True, False, None])
_apps = st.builds(
    app,
    st.sampled_from(["com.tencent.mm", "com.bad.game", "com.x.one", "com.x.two", "com.good.reader"]),
    user=st.sampled_from([0, 10]),
    system=_mark,
    enabled=_mark,
    suspended=_mark,
)
_phones = st.builds(
    lambda packages, users, unread: inputs(packages=packages, users=users, unread=unread),
    st.none() | st.lists(_apps, max_size=6, unique_by=lambda p: (p["name"], p["user"])),
    st.none() | st.just(OWNER) | st.just([*OWNER, {"id": 10}]),
    st.dictionaries(
        st.sampled_from(["packages", "users", "packages.user.0", "packages.user.10", "sim"]),
        st.just("refused"),
    ),
)
_lists = st.sampled_from(
    [
        BODY,
        HEALTHY,
        BODY | {"apps": TestNamesMissing.APPS},
        BODY | {"judge_inactive": True},
        BODY | TestInstallers.FROM,
        BODY | EXACT,
    ]
)


@given(_phones, _lists)
def test_a_pass_was_wholly_inspected(inputs: Inputs, body: dict[str, Any]) -> None:
    findings = evaluate(inputs, allowlist_of(body), NOW)
    if worst(findings) is Status.PASS:
        assert inputs.packages is not None
        assert inputs.users is not None
        assert {user["id"] for user in inputs.users} <= {p["user"] for p in inputs.packages}
        assert set(inputs.unread) <= {"sim"}
        assert not any(
            p["name"].startswith("com.x") and p["system"] is not True for p in inputs.packages
        ) or (all(p["enabled"] is False or p["suspended"] for p in inputs.packages if "com.x" in p["name"]))


@given(_phones, _lists, st.data())
def test_reading_more_settles_and_never_turns_a_fail_into_a_pass(
    inputs: Inputs, body: dict[str, Any], data: st.DataObject
) -> None:
    """Marks that were not read, read now: a fail stays a fail, and a pass stays a pass."""
    if inputs.packages is None:
        return
    settled = [
        package
        | {
            key: data.draw(st.booleans())
            for key in ("system", "enabled", "suspended")
            if package[key] is None
        }
        for package in inputs.packages
    ]
    policy = allowlist_of(body)
    before = worst(evaluate(inputs, policy, NOW))
    after = worst(evaluate(replace(inputs, packages=settled), policy, NOW))
    assert before in (Status.UNKNOWN, after)


@given(_phones, _lists, st.randoms())
def test_the_order_of_packages_does_not_matter(inputs: Inputs, body: dict[str, Any], random: Random) -> None:
    policy = allowlist_of(body)
    packages = None if inputs.packages is None else random.sample(list(inputs.packages), len(inputs.packages))
    assert told(evaluate(inputs, policy, NOW)) == told(
        evaluate(replace(inputs, packages=packages), policy, NOW)
    )


@given(_phones, _lists)
def test_every_finding_can_be_told_in_words(inputs: Inputs, body: dict[str, Any]) -> None:
    findings = evaluate(inputs, allowlist_of(body), NOW)
    assert len({(f.code, f.subject) for f in findings}) == len(findings)
    for finding in findings:
        for text in text_of(finding):
            assert text
            assert "{" not in text


def test_an_apps_name_is_no_template() -> None:
    finding = Finding("app_forbidden", "com.bad", Status.FAIL, {"label": "{subject.__class__}"})
    assert "{subject.__class__}" in text_of(finding)[0]


def test_no_text_is_left_without_its_finding() -> None:
    folder = Path(app_rules.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*rules.py"))
    assert {code for code in TEXTS if f'"{code}"' not in source} == set()
    assert set(BREACHES) <= set(TEXTS)
