"""Prescribed apps as they must be, where they come from, in which user, and what a model brings in its box."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from app.compliance.lists import allowlist_of as for_model
from app.compliance.rules import Status, evaluate, worst
from tests.app.compliance.healthy import ANY_USER as BODY
from tests.app.compliance.healthy import BODY as HEALTHY
from tests.app.compliance.healthy import (
    EXACT,
    NOW,
    OWNER,
    SYSTEM,
    WECHAT,
    allowlist_of,
    app,
    found,
    inputs,
    judge,
    told,
)


class TestPrescribed:
    EXACT: ClassVar = {
        "apps": {
            "微信": {"package": "com.tencent.mm", "required": True, "least_version": 5, "signer": "0b378e95"}
        }
    }
    RIGHT: ClassVar = {"version_code": 5, "signer": "b378e95"}

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({}, None),
            ({"version_code": 4}, ("required_too_old", "fail")),
            ({"version_code": None}, ("required_version_unknown", "unknown")),
            ({"signer": "deadbeef"}, ("required_other_signer", "fail")),
            ({"signer": None}, ("required_signer_unknown", "unknown")),
        ],
    )
    def test_version_and_signer(self, fields: dict[str, Any], code: tuple[str, str] | None) -> None:
        findings = judge(app("com.tencent.mm", **self.RIGHT | fields), **EXACT)
        wanted = ("required_present", "pass") if code is None else code
        assert {(f.code, f.status.value) for f in findings} == {wanted, ("only_prescribed_apps", "pass")}

    def test_a_signer_that_was_not_asked_for_is_unknown(self) -> None:
        findings = judge(app("com.tencent.mm", version_code=5), **EXACT)
        assert ("required_signer_unknown", "com.tencent.mm", "unknown") in told(findings)

    def test_all_that_is_wrong_is_told(self) -> None:
        row = app(
            "com.tencent.mm", version_code=1, signer="1", enabled=False, installer="com.miui.packageinstaller"
        )
        assert {f.code for f in judge(row, **EXACT) if f.status is Status.FAIL} == {
            "required_too_old", "required_other_signer", "required_inactive",
        }  # fmt: skip

    def test_an_app_that_is_not_required_is_looked_at_where_it_is(self) -> None:
        apps = {"水印相机": {"package": "com.stamp.camera", "required": False, "least_version": 9}}
        assert worst(judge(SYSTEM, apps=apps)) is Status.PASS
        findings = judge(SYSTEM, app("com.stamp.camera"), apps=apps)
        assert ("required_too_old", "com.stamp.camera", "fail") in told(findings)


class TestByHand:
    BY_HAND = app("com.tencent.mm", installer="com.miui.packageinstaller")

    def test_an_app_installed_by_hand(self) -> None:
        assert ("app_sideloaded", "com.tencent.mm", "fail") in told(judge(self.BY_HAND))

    def test_an_installer_that_is_not_told_accuses_nobody(self) -> None:
        findings = judge(app("com.tencent.mm", installer=None))
        assert ("installer_unknown", "com.tencent.mm", "unknown") in told(findings)

    def test_whether_it_is_the_systems_was_not_read(self) -> None:
        findings = judge(app("com.tencent.mm", installer="com.miui.packageinstaller", system=None))
        assert ("installer_unknown", "com.tencent.mm", "unknown") in told(findings)

    @pytest.mark.parametrize(("enabled", "code"), [(False, None), (None, "app_activity_unknown")])
    def test_one_that_is_switched_off_is_remedied(self, enabled: bool | None, code: str | None) -> None:
        off = app("com.good.reader", installer="com.miui.packageinstaller", enabled=enabled)
        assert {f.code for f in judge(WECHAT, off) if f.status is not Status.PASS} == ({code} - {None})
        assert "app_sideloaded" in {f.code for f in judge(WECHAT, off, judge_inactive=True)}

    @pytest.mark.parametrize(
        ("enabled", "code"), [(False, None), (None, "app_activity_unknown"), (True, "required_too_old")]
    )
    def test_so_is_an_old_one_that_need_not_be_there(self, enabled: bool | None, code: str | None) -> None:
        apps = BODY["apps"] | {
            "水印相机": {"package": "com.stamp.camera", "required": False, "least_version": 9}
        }
        findings = judge(WECHAT, app("com.stamp.camera", enabled=enabled), apps=apps)
        assert {f.code for f in findings if f.status is not Status.PASS} == ({code} - {None})

    def test_an_app_that_no_store_carries(self) -> None:
        apps = {"微信": {"package": "com.tencent.mm", "required": True, "by_hand": True}}
        assert worst(judge(self.BY_HAND, apps=apps)) is Status.PASS
        assert worst(judge(app("com.tencent.mm", installer=None), apps=apps)) is Status.PASS

    def test_not_judged(self) -> None:
        assert worst(judge(self.BY_HAND, installers={"by_hand": []})) is Status.PASS

    def test_a_store_that_is_allowed_is_no_hand(self) -> None:
        both = {"allowed": ["com.miui.packageinstaller"], "by_hand": ["com.miui.packageinstaller"]}
        assert worst(judge(self.BY_HAND, installers=both)) is Status.PASS

    def test_an_app_on_no_list_is_told_once(self) -> None:
        findings = judge(WECHAT, app("com.x.one", installer="com.miui.packageinstaller"))
        assert {f.code for f in findings if f.status is Status.FAIL} == {"app_not_prescribed"}


class TestOtherUsers:
    USERS: ClassVar = [*OWNER, {"id": 999, "name": "MultiApp", "running": True}]
    ONE: ClassVar = {"users": {"work": 0, "allowed": []}}

    def second(self, **fields: Any) -> set[tuple[str, str, str]]:
        rows = [
            WECHAT,
            SYSTEM,
            app("com.tencent.mm", user=999, **fields),
            app("com.a", user=999, system=True),
        ]
        return told(found(HEALTHY | self.ONE, packages=rows, users=self.USERS))

    def test_a_second_wechat(self) -> None:
        findings = self.second()
        assert ("app_in_other_user", "com.tencent.mm@999", "fail") in findings
        assert ("user_not_allowed", "999", "fail") in findings

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"system": None}, "app_origin_unknown"),
            ({"enabled": None}, "app_activity_unknown"),
            ({"enabled": False}, None),
            ({"system": True}, None),
        ],
    )
    def test_that_is_not_proved(self, fields: dict[str, Any], code: str | None) -> None:
        about = {t for t in self.second(**fields) if t[1] == "com.tencent.mm@999"}
        assert about == (set() if code is None else {(code, "com.tencent.mm@999", "unknown")})

    def test_a_user_that_may_be(self) -> None:
        rows = [WECHAT, app("com.tencent.mm", user=999)]
        body = HEALTHY | {"users": {"work": 0, "allowed": [999]}}
        assert worst(found(body, packages=rows, users=self.USERS)) is Status.PASS

    def test_packages_prove_a_user_that_no_list_names(self) -> None:
        rows = [WECHAT, app("com.a", user=10, system=True)]
        assert ("user_not_allowed", "10", "fail") in told(found(packages=rows, users=None))


class TestModels:
    def test_what_comes_in_the_box_is_no_stranger(self) -> None:
        presets = {
            "xiaomi": {
                "*": {"com.x.one": "壁纸"},
                "M2101K9C": {"com.x.two": "视频"},
                "other": {"com.x.three": "音乐"},
            }
        }
        strangers = [app("com.x.one", installer=None), app("com.x.two"), app("com.x.three")]
        findings = judge(WECHAT, *strangers, presets=presets)
        assert {f.subject for f in findings if f.status is Status.FAIL} == {"com.x.three"}
        assert allowlist_of(BODY | {"presets": presets}).place_of("com.x.one") == "preset"

    def test_a_ban_holds_against_the_box(self) -> None:
        presets = {"xiaomi": {"*": {"com.bad.game": "游戏"}}}
        assert ("app_forbidden", "com.bad.game", "fail") in told(
            judge(WECHAT, app("com.bad.game"), presets=presets)
        )

    def test_a_brands_patch_and_its_models(self) -> None:
        models = {
            "xiaomi": {"forbidden": {"com.x.one": "甲"}, "silent_hours": 5},
            "xiaomi/M2101K9C": {"forbidden": {"com.bad.game": None}, "silent_hours": 9},
            "xiaomi/other": {"silent_hours": 7},
            "huawei": {"silent_hours": 1},
        }
        policy = allowlist_of(BODY | {"models": models})
        assert policy.place_of("com.x.one") == "forbidden"
        assert policy.place_of("com.bad.game") == "unlisted"
        assert policy.silent_hours == 9

    def test_a_phone_of_no_known_model(self) -> None:
        models = {"xiaomi": {"silent_hours": 5}}
        assert for_model(BODY | {"models": models}, None, None).silent_hours == 72
        assert for_model(BODY | {"models": models}, " XIAOMI", None).silent_hours == 5


class TestExcused:
    def test_an_app_that_an_exemption_allows_is_held_against_nobody_else(self) -> None:
        """Else the phone could not be put right while names of prescribed apps are missing."""
        apps = BODY["apps"] | {"助这儿": {"package": None, "required": True}}
        policy = allowlist_of(BODY | {"apps": apps})
        phone = inputs(packages=[WECHAT, app("com.x.one"), app("com.x.two")])
        assert "more_apps_than_prescribed" in {f.code for f in evaluate(phone, policy, NOW)}
        findings = told(evaluate(phone, policy, NOW, {"com.x.one"}))
        assert ("app_not_prescribed", "com.x.one", "fail") in findings
        assert ("app_maybe_prescribed", "com.x.two", "unknown") in findings
        assert "more_apps_than_prescribed" not in {code for code, _, _ in findings}
