"""One app in `dumpsys package NAME`, what `pm` says, and which names may stand in a command line."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.parsers import Unreadable
from agent.parsers.removal import ABSENT, AppState, is_package, parse_app, said_code

APP = "com.some.game"
OTHERS = frozenset({"android", "com.android.shell"})
LINE = "ceDataInode=1 installed={} hidden=false suspended={} stopped=false notLaunched=false enabled={} instant=false"


def block(*users: str, name: str = APP, system: bool = False) -> str:
    flags = "SYSTEM HAS_CODE" if system else "HAS_CODE"
    lines = [
        f"  Package [{name}] (5a1b2c3):",
        "    userId=10401",
        "    versionCode=70 minSdk=21 targetSdk=33",
    ]
    lines += [
        f"    flags=[ {flags} ]",
        f"    pkgFlags=[ {flags} ]",
        *(f"    {line}" for line in users),
        "      gids=[3003]",
    ]
    return "\n".join(lines) + "\n"


def user(number: int = 0, installed: str = "true", suspended: str = "false", enabled: str = "0") -> str:
    return f"User {number}: {LINE.format(installed, suspended, enabled)}"


def dump(*blocks: str) -> str:
    return (
        "Key Set Manager:\n  [com.some.game]\n      Signing KeySets: 5\n\nPackages:\n"
        + "".join(blocks)
        + "\n"
    )


def test_what_the_line_of_one_user_says() -> None:
    text = dump(block(user(), user(10, "false", "true", "3")))
    assert parse_app(text, APP, 0, OTHERS | {APP}) == AppState(True, 0, False, False, 70)
    assert parse_app(text, APP, 10, OTHERS) == AppState(False, 3, True, False, 70)
    assert parse_app(text.replace("\n", "\r\n"), APP, 0, None) == AppState(True, 0, False, False, 70)
    assert parse_app(dump(block(user(), system=True)), APP, 0, None).system is True


@pytest.mark.parametrize(
    "line",
    [
        "User 0:  installed=true hidden=false stopped=true notLaunched=false enabled=2",
        "User 0: ceDataInode=9 deDataInode=3 installed=true hidden=false enabled=2 quarantined=false",
    ],
)
def test_versions_of_android_that_say_less_or_more(line: str) -> None:
    state = parse_app(dump(block(line)), APP, 0, None)
    assert (state.installed, state.enabled, state.suspended) == (True, 2, None)


def test_the_factorys_version_and_other_apps_do_not_count() -> None:
    inner = block(user(installed="false", enabled="3"))
    longer = block(user(), name="com.some.game.hd") + block(user(), name="om.some.game")
    text = dump(longer, inner) + "Hidden system packages:\n" + block(user())
    assert parse_app(text, APP, 0, OTHERS) == AppState(False, 3, False, False, 70)


def test_absent_only_where_a_whole_list_lacks_it_too() -> None:
    text = f"Dexopt state:\n  Unable to find package: {APP}\n"
    assert parse_app(text, APP, 0, OTHERS) is ABSENT
    with pytest.raises(Unreadable, match="timed out"):
        parse_app("*** SERVICE 'package' DUMP TIMEOUT (10000ms) EXPIRED ***\n", APP, 0, OTHERS)
    for listed in (None, frozenset(), frozenset({"com.a"}), OTHERS | {APP}):
        with pytest.raises(Unreadable):
            parse_app(text, APP, 0, listed)


@pytest.mark.parametrize(
    "text",
    [
        dump(block()),
        dump(block(user(10))),
        dump(block(user(), user())),
        dump(block("User 0: ceDataInode=1 hidden=false enabled=0")),
        dump(block("User 0: installed=maybe enabled=0")),
        dump(block(user()), block(user(enabled="3"))),
    ],
)
def test_what_is_not_plain_is_unread(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_app(text, APP, 0, OTHERS | {APP})


def test_a_list_that_contradicts_the_dump_is_unread() -> None:
    with pytest.raises(Unreadable):
        parse_app(dump(block(user(installed="false"))), APP, 0, OTHERS | {APP})


def test_a_number_that_android_does_not_have_is_none() -> None:
    assert parse_app(dump(block(user(enabled="9"))), APP, 0, None).enabled is None


LACKS = "Neither user 2000 nor current process has android.permission.{}."
EXCEPTION = "\nException occurred while executing 'disable-user':\njava.lang.SecurityException: {}\n\tat com.android\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Success\n", "success"),
        ("Success\r\n", "success"),
        ("Package com.some.game new state: disabled-user\n", "success"),
        ("Package com.some.game new suspended state: true\n", "success"),
        ("Package com.some.game new suspended state: false\n", "not_suspended"),
        ("Package com.some.game installed for user: 0\n", "success"),
        ("Failure [DELETE_FAILED_INTERNAL_ERROR]\n", "internal_error"),
        ("Failure [DELETE_FAILED_DEVICE_POLICY_MANAGER]\n", "device_policy"),
        ("Failure [DELETE_FAILED_OWNER_BLOCKED]\n", "device_policy"),
        ("Failure [DELETE_FAILED_USER_RESTRICTED]\n", "user_restricted"),
        ("Failure [DELETE_FAILED_ABORTED]\n", "needs_tap"),
        ("Failure [DELETE_FAILED_SOMETHING_NEW]\n", "delete_failed_something_new"),
        ("Failure [-1000]\n", "vendor_refuses"),
        ("Failure [not installed for 0]\n", "not_installed"),
        ("Failure [INSTALL_FAILED_USER_RESTRICTED: Install canceled by user]\n", "vendor_setting"),
        (EXCEPTION.format(LACKS.format("DELETE_PACKAGES")), "vendor_setting"),
        (EXCEPTION.format(LACKS.format("MANAGE_USERS")), "not_permitted"),
        (EXCEPTION.format("Shell does not have permission to access user 150"), "user_not_readable"),
        (EXCEPTION.format("Shell cannot change component state for com.a/null to 3"), "not_permitted"),
        (EXCEPTION.format("Cannot disable com.a no root permission"), "not_permitted"),
        ("User version can not delete system package\n", "not_permitted"),
        ("Unknown command: suspend\n", "not_supported"),
        ("", "words"),
        ("Sucess\n", "words"),
        ("something nobody foresaw\n", "words"),
    ],
)  # fmt: skip
def test_what_pm_says(text: str, code: str) -> None:
    assert said_code(text) == code


@pytest.mark.parametrize("name", ["com.tencent.mm", "a.b", "com.A_1.b2", "com." + "x" * 250])
def test_names_of_packages(name: str) -> None:
    assert is_package(name)


@pytest.mark.parametrize(
    "name",
    ["", "mm", "com", "com.", ".com", "com..a", "com.1a", "_a.b", "com.a b", "com.a;reboot", "com.a\n", "com.a$(id)",
     "com.a'", "com.a|sh", "com.a&", "com/a.b", "-k.a", "com.a-b", "com.微信", "com.a`id`", "com." + "x" * 252, None, 7,
     ["com.a"], b"com.a"],
)  # fmt: skip
def test_what_is_no_name_of_a_package(name: object) -> None:
    assert not is_package(name)


@given(st.text(alphabet="com.a1_ ;$`'\"\\\n|&<>(){}[]*?~#!-=/%\t\x00é", max_size=40))
def test_no_name_needs_a_quote(name: str) -> None:
    assert not is_package(name) or all(sign.isascii() and (sign.isalnum() or sign in "._") for sign in name)


@given(st.text(max_size=200), st.sampled_from([0, 10]))
def test_any_text_is_read_or_said_to_be_unread(text: str, number: int) -> None:
    assert isinstance(said_code(text), str)
    for whole in (text, dump(block(user())) + text, dump(text, block(user()))):
        with contextlib.suppress(Unreadable):
            assert isinstance(parse_app(whole, APP, number, None), AppState)
