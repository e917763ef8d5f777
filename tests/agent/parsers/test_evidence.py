"""What a wipe's evidence is read from, in the phones' own words, good and bad."""

from __future__ import annotations

import pytest

from agent.parsers import Unreadable
from agent.parsers.evidence import (
    Installs,
    PhoneDate,
    Volume,
    parse_count,
    parse_date,
    parse_encryption,
    parse_installs,
    parse_volumes,
)

DATE = PhoneDate(1_800_000_000, 8 * 3600)


def block(path: str, *times: str) -> str:
    return f"    codePath={path}\n" + "".join(f"      firstInstallTime={time}\n" for time in times)


def test_the_phones_date() -> None:
    assert parse_date("1773796364 +0800\n") == PhoneDate(1_773_796_364, 28_800)
    assert parse_date("5 -0330") == PhoneDate(5, -12_600)
    for bad in ("", "1773796364", "x +0800", "%s %z", "1773796364 CST"):
        with pytest.raises(Unreadable):
            parse_date(bad)


def test_volumes_by_their_kind() -> None:
    text = (
        "public:179,65 mounted 4A21-0000\npublic:8,1 unmounted null\nprivate mounted null\nemulated;0 mounted null\n"
        "private:179,66 mounted 57f8f4bc-abf4-655f-bf67-946fc0f9f25b\nWARNING: linker: x\n\nstub:12,3 mounted X\n"
    )
    assert parse_volumes(text) == [
        Volume("public:179,65", "sd", "mounted"),
        Volume("public:8,1", "usb", "unmounted"),
        Volume("private", "internal", "mounted"),
        Volume("emulated;0", "internal", "mounted"),
        Volume("private:179,66", "sd", "mounted"),
        Volume("stub:12,3", "sd", "mounted"),
    ]
    assert parse_volumes("") == []
    for bad in ("Error: Can't find service", "public:179,65", "something else entirely"):
        with pytest.raises(Unreadable):
            parse_volumes(bad)


def test_only_apps_on_the_data_partition_count() -> None:
    text = (
        block("/system/app/Phone", "2009-01-01 08:00:00")
        + block("/data/app/~~x==/a-1", "2026-03-18 09:12:44", "1970-01-01 08:00:00")
        + block("/mnt/expand/u/app/b", "2026-03-19 00:00:00")
        + block("/apex/com.android.x")
    )
    assert parse_installs(text, DATE) == Installs(1_773_796_364, 1_773_849_600)
    assert parse_installs(block("/system/app/Phone"), DATE) == Installs(None, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "java.lang.SecurityException: no",
        block("/data/app/a"),
        block("/data/app/a") + block("/data/app/b", "2026-03-18 09:12:44"),
        block("/data/app/a", "gestern"),
        block("/data/app/a", "2026-13-01 00:00:00"),
    ],
)
def test_a_time_that_is_missing_is_not_none(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_installs(text, DATE)


@pytest.mark.parametrize(
    ("state", "kind", "told"),
    [
        ("encrypted", "file", "file"),
        ("encrypted", "block", "full"),
        ("encrypted", "", "unknown"),
        ("unencrypted", "file", "none"),
        ("unsupported", "", "unknown"),
        ("", "file", "unknown"),
    ],
)
def test_encryption(state: str, kind: str, told: str) -> None:
    assert parse_encryption({"ro.crypto.state": state, "ro.crypto.type": kind}) == told


def test_a_count_is_a_number_alone() -> None:
    assert parse_count(" 12\n") == 12
    for bad in ("", "-1", "12 files", "find: /sdcard/: Permission denied"):
        with pytest.raises(Unreadable):
            parse_count(bad)
