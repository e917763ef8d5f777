"""What one more reading of a phone changes, and what it does not prove."""

from __future__ import annotations

from tests.app.apps.support import AWEME, OWNER, READER, SYSTEM_APP, WECHAT, OnPaper, app, minutes

DUAL = [*OWNER, {"id": 999, "name": "dual", "running": True}]


def test_a_user_that_cannot_be_read_any_more_is_not_removed() -> None:
    site = OnPaper()
    both = [SYSTEM_APP, app(WECHAT), app(WECHAT, 999), app(READER, 999)]
    site.read(0, users=DUAL, packages=both)
    site.read(4, users=DUAL, packages=both)
    site.read(7, users=DUAL, packages=both[:2], unread=["packages.user.999"])
    assert site.events[1:] == [("user_away", 999, "", 4, 7)]
    assert {key for key in site.there if key[0] == 999} == {(999, WECHAT), (999, READER)}
    assert minutes(site.rows[999, READER]["unseen_at"]) == 4
    assert site.rows[0, WECHAT]["unseen_at"] is None
    site.read(20, users=DUAL, packages=[*both[:3], app(AWEME, 999)])
    # What differs then happened at any time since that user was last read.
    assert site.events[2:] == [
        ("removed", 999, READER, 4, 20),
        ("installed", 999, AWEME, 4, 20),
        ("user_back", 999, "", 4, 20),
    ]
    assert site.rows[999, WECHAT]["unseen_at"] is None


def test_a_list_that_is_not_whole_shows_what_came_and_not_what_went() -> None:
    site = OnPaper()
    site.read(0, packages=[SYSTEM_APP, app(WECHAT), app(READER)])
    site.read(3, packages=[SYSTEM_APP, app(WECHAT), app(AWEME)], unread=["packages.user.0"])
    assert [event[:3] for event in site.events[1:]] == [("installed", 0, AWEME), ("user_away", 0, "")]
    assert (0, READER) in site.there
    site.read(9, packages=[SYSTEM_APP, app(WECHAT)])
    assert site.events[3:] == [
        ("removed", 0, READER, 0, 9),
        ("removed", 0, AWEME, 0, 9),
        ("user_back", 0, "", 0, 9),
    ]


def test_a_new_user_and_one_that_is_gone() -> None:
    site = OnPaper()
    alone = [SYSTEM_APP, app(WECHAT)]
    site.read(0, users=OWNER, packages=alone)
    site.read(5, users=DUAL, packages=[*alone, app(WECHAT, 999), SYSTEM_APP | {"user": 999}])
    assert site.events[1:] == [("user_added", 999, "", 0, 5), ("user_read", 999, "", 0, 5)]
    assert site.details("user_read")[0]["after"] == {"apps": 1, "names": [WECHAT]}
    assert minutes(site.rows[999, WECHAT]["since_from"]) == 0
    site.read(8, users=OWNER, packages=alone)
    assert site.events[3:] == [("user_removed", 999, "", 5, 8)]
    assert site.there == {(0, WECHAT)}
    assert minutes(site.rows[999, WECHAT]["gone_at"]) == 8


def test_a_reset_begins_anew() -> None:
    site = OnPaper()

    def identity(android_id: str | None) -> dict[str, object]:
        return {"serial": "S1", "android_id": android_id, "imei": [], "brand": "Xiaomi"}

    before = {"developer_options": True, "lock_screen": "pin"}
    site.read(0, identity=identity("a"), setup=before, packages=[SYSTEM_APP, app(READER), app(WECHAT)])
    site.read(3, identity=identity(None), setup=before, packages=[SYSTEM_APP, app(READER), app(WECHAT)])
    after = {"developer_options": False, "lock_screen": "none"}
    site.read(9, identity=identity("b"), setup=after, packages=[SYSTEM_APP, app(WECHAT)])
    assert site.events[1:] == [("reset", None, "", 0, 9), ("baseline", None, "", None, 9)]
    assert site.there == {(0, WECHAT)}
    row = site.rows[0, WECHAT]
    assert (minutes(row["since_at"]), row["since_from"]) == (9, None)
    site.read(12, identity=identity("b"), setup=before, packages=[SYSTEM_APP])
    assert [event[:3] for event in site.events[3:]] == [
        ("removed", 0, WECHAT),
        ("setting", None, "setup.developer_options"),
        ("setting", None, "setup.lock_screen"),
    ]


def test_a_new_version_of_the_system_is_one_event() -> None:
    site = OnPaper()

    def parts(code: int) -> list[dict[str, object]]:
        return [app(f"com.vendor.p{n}", system=True, code=code, installer=None) for n in range(40)]

    old = {"fingerprint": "x/1", "security_patch": "2026-05-01"}
    new = {"fingerprint": "x/2", "security_patch": "2026-10-01"}
    site.read(0, identity=old, packages=[*parts(1), app(WECHAT)])
    site.read(5, identity=new, packages=[*parts(2), app(WECHAT, code=2)])
    assert site.events[1:] == [
        ("setting", None, "identity.fingerprint", 0, 5),
        ("setting", None, "identity.security_patch", 0, 5),
        ("updated", 0, WECHAT, 0, 5),
        ("system_apps", 0, "", 0, 5),
    ]
    site.read(9, identity=new, packages=[*parts(2)[1:], app("com.vendor.p0", system=True, code=3)])
    assert ("updated", 0, "com.vendor.p0", 5, 9) in site.events
    assert (0, "com.vendor.p0") in site.there


def test_an_app_that_comes_again_begins_a_new_stay() -> None:
    site = OnPaper()
    for minute, there in ((0, []), (3, [READER]), (6, []), (9, [READER])):
        site.read(minute, packages=[SYSTEM_APP, *map(app, there)])
    row = site.rows[0, READER]
    assert [minutes(at) for at in (row["first_at"], row["since_from"], row["since_at"])] == [3, 6, 9]
    assert row["gone_at"] is None
    assert [event[0] for event in site.events] == ["baseline", "installed", "removed", "installed"]


def test_each_change_tells_the_span_in_which_it_happened() -> None:
    site = OnPaper()
    site.read(0, packages=[app(WECHAT), app(READER), SYSTEM_APP])
    site.read(5, packages=[app(WECHAT), app(READER), SYSTEM_APP])
    hidden = SYSTEM_APP | {"enabled": False}
    site.read(9, packages=[app(WECHAT, code=2, suspended=True), app(AWEME), hidden])
    assert site.events[1:] == [
        ("disabled", 0, "com.android.browser", 5, 9),
        ("removed", 0, READER, 5, 9),
        ("installed", 0, AWEME, 5, 9),
        ("updated", 0, WECHAT, 5, 9),
        ("suspended", 0, WECHAT, 5, 9),
    ]
    told = site.details("updated")[0]
    assert (told["before"]["name"], told["after"]["name"]) == ("1.0", "2.0")
    gone = site.rows[0, READER]
    assert (minutes(gone["gone_from"]), minutes(gone["gone_at"])) == (5, 9)
    assert site.there == {(0, WECHAT), (0, AWEME), (0, "com.android.browser")}
    site.read(12, packages=[app(WECHAT, code=2), app(AWEME, installer=None), SYSTEM_APP])
    kinds = [event[0] for event in site.events[6:]]
    assert kinds == ["enabled", "installer", "resumed"]
    assert site.details("installer") == [{"before": "com.xiaomi.market", "after": None}]


def test_settings_tell_what_was_read_and_nothing_else() -> None:
    site = OnPaper()
    whole = {
        "developer_options": False,
        "adb_wifi": None,
        "unknown_sources": ["com.b", "com.a"],
        "lock_screen": "pin",
    }
    site.read(0, setup=whole)
    site.read(2, setup=whole | {"developer_options": None, "lock_screen": "unknown"})
    site.read(4, setup=whole | {"unknown_sources": ["com.a", "com.b"], "adb_wifi": True})
    assert site.events == []  # an order is no change, and what was never read did not change
    site.read(6, setup=whole | {"developer_options": None})
    site.read(9, setup=whole | {"developer_options": True, "adb_wifi": True})
    assert site.events == [("setting", None, "setup.developer_options", 4, 9)]


def test_the_security_section_by_its_parts() -> None:
    site = OnPaper()
    first = {
        "device_owner": {"set": False, "package": None},
        "roles": {"sms": ["com.a"]},
        "su": None,
        "accessibility": [],
    }
    site.read(0, security=first)
    later = {
        "device_owner": {"set": True, "package": "com.x"}, "roles": {"sms": ["com.b"]}, "su": True,
        "accessibility": ["com.x/.S"], "profile_owners": [{"user": 10, "package": "com.y"}],
    }  # fmt: skip
    site.read(3, security=later)
    assert [(c.subject, c.before, c.after) for c in site.changes] == [
        ("security.device_owner", "", "com.x"),
        ("security.roles.sms", ["com.a"], ["com.b"]),
        ("security.accessibility", [], ["com.x/.S"]),
    ]
    site.read(6, security=later | {"device_owner": {"set": None, "package": None}, "roles": None})
    assert len(site.changes) == 3


def test_accounts_by_type_and_user() -> None:
    def row(kind: str, name: str | None, user: int = 0) -> dict[str, object]:
        return {"user": user, "type": kind, "name_hmac": name}

    site = OnPaper()
    site.read(0, accounts=[row("com.xiaomi", None)])
    site.read(2, accounts=[row("com.xiaomi", "a")])  # told more than before, not changed
    site.read(4, accounts=[row("com.xiaomi", "b"), row("com.tencent.mm.account", "c", 999)])
    assert site.events == [
        ("account_changed", 0, "com.xiaomi", 2, 4),
        ("account_added", 999, "com.tencent.mm.account", 2, 4),
    ]
    site.read(6, accounts=[], unread=["accounts"])
    site.read(8, accounts=[row("com.xiaomi", "b")], unread=["accounts.user.999"])
    site.read(9, accounts=[row("com.xiaomi", "b"), row("com.xiaomi", "d")])
    assert site.events[2:] == [
        ("account_added", 0, "com.xiaomi", 8, 9),
        ("account_removed", 999, "com.tencent.mm.account", 4, 9),
    ]


def test_a_list_without_details_changes_no_version_and_no_installer() -> None:
    site = OnPaper()
    site.read(0, packages=[app(WECHAT), SYSTEM_APP])
    bare = app(WECHAT, code=None, enabled=None, suspended=None, installer=None)
    site.read(3, packages=[bare, SYSTEM_APP])
    site.read(6, packages=[app(WECHAT), SYSTEM_APP])
    assert [event[0] for event in site.events] == ["baseline"]


def test_a_list_from_before_the_reset_that_comes_late_is_not_the_new_phones() -> None:
    site = OnPaper()
    site.read(0, identity={"android_id": "a"}, packages=[app(READER)])
    site.read(9, identity={"android_id": "b"})
    site.read(5, packages=[app(READER), app(AWEME)])
    site.read(12, packages=[app(WECHAT)])
    assert [event[0] for event in site.events] == ["baseline", "reset", "baseline"]
    assert site.there == {(0, WECHAT)}


def test_a_phone_whose_first_list_was_not_whole_takes_the_rest_without_a_first_instant() -> None:
    site = OnPaper()
    site.read(0, packages=[app(WECHAT)], unread=["packages.user.0"])
    site.read(3, packages=[app(WECHAT), app(READER)])
    assert site.events[1:] == [("installed", 0, READER, None, 3), ("user_back", 0, "", None, 3)]
