"""`pm list packages` and `dumpsys package packages`."""

from __future__ import annotations

import pytest

from agent.parsers import Unreadable
from agent.parsers.packages import Listed, parse_details, parse_listing, parse_names, suspended, user_head
from tests.support.captures import captures, own


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("package:com.tencent.mm", ("com.tencent.mm", "", "")),
        (
            "package:/data/app/~~Ab_-9Q==/com.tencent.mm-xY3==/base.apk=com.tencent.mm",
            ("com.tencent.mm", "", ""),
        ),
        (
            "package:com.tencent.mm versionCode:2580  installer=com.xiaomi.market",
            ("com.tencent.mm", "2580", "com.xiaomi.market"),
        ),
        ("package:android  installer=null", ("android", "", "null")),
        (
            "package:/data/app/a==/b=x.y versionCode:-1  installer=z.z uid:10123",
            ("x.y", "-1", "z.z"),
        ),
        ("package:a.b uid:10001,99910001", ("a.b", "", "")),
        ("package:a.b\r", ("a.b", "", "")),
    ],
)
def test_one_line(line: str, expected: Listed) -> None:
    listing = parse_listing(line)
    assert listing.packages == [expected]
    assert listing.strange == 0


@pytest.mark.parametrize("line", [f"package:{'a' * 256}", "package:a.b versionCode:9999999999999999999"])
def test_what_no_phone_can_have_is_not_understood(line: str) -> None:
    listing = parse_listing(f"package:x.y\n{line}")
    assert ([name for name, _, _ in listing.packages], listing.strange) == (["x.y"], 1)


def test_the_linkers_warnings_are_no_packages() -> None:
    listing = parse_listing("WARNING: linker: /data/lib.so: unused DT entry\n\npackage:a.b\n")
    assert (listing.packages, listing.strange) == ([("a.b", "", "")], 0)


def test_lines_that_are_not_understood_are_counted() -> None:
    listing = parse_listing("package:a.b\npackage:\n包:c.d\npackage:c d\n")
    assert (len(listing.packages), listing.strange) == (1, 3)


BARRED = (
    "\nException occurred while executing 'list':\n"
    "java.lang.SecurityException: Shell does not have permission to access user 150\n\tat com.android.server.am…"
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BARRED, "permission denied"),
        ("Error: java.lang.SecurityException: …", "permission denied"),
        ("Error: Unknown option: --show-versioncode", "not available on this phone"),
        ("package:a.b\njava.lang.NullPointerException: x", "NullPointerException"),
        ("没有权限", "not understood"),
        ("", "no package was listed"),
    ],
)
def test_refusals(text: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        parse_listing(text)


def test_an_empty_list_is_good_only_for_marks() -> None:
    assert parse_names("").names == frozenset()
    assert parse_names("package:a.b\npackage:c.d-e").names == {"a.b", "c.d-e"}
    with pytest.raises(Unreadable):
        parse_names("Error: no")


@pytest.mark.parametrize(
    ("text", "names", "strange"),
    [
        ("package:a.b\r\npackage:c.d\r", {"a.b", "c.d"}, 0),
        ("\npackage:a.b\n", {"a.b"}, 0),
        ("package:a.b\na.c", {"a.b"}, 1),
        ("package:a.b\npackage:", {"a.b"}, 1),
        ("package:package:a.b\nc.d", set(), 2),
        ("package:a.b\npackage:中.文", {"a.b"}, 1),
        ("package:/data/app/x==/base.apk=a.b", {"a.b"}, 0),
    ],
)
def test_only_whole_lines_are_names(text: str, names: set[str], strange: int) -> None:
    if not names:
        with pytest.raises(Unreadable):
            parse_names(text)
        return
    found = parse_names(text)
    assert found.names == names
    assert found.strange == strange


def test_of_a_package_that_comes_twice_the_first_counts() -> None:
    text = "Packages:\n  Package [a.b] (1):\n    versionName=2\n  Package [a.b] (2):\n    versionName=1"
    assert parse_details(text)["a.b"][2] == "2"


def test_details() -> None:
    details = parse_details(own("dumpsys_package_11.txt"))
    wechat = details["com.tencent.mm"]
    assert wechat[:3] == ("com.tencent.mm", "2580", "8.0.49")
    assert [suspended(wechat[4], user_head(user)) for user in (0, 999, 10)] == [False, True, None]
    assert suspended(details["com.android.shell"][4], user_head(0)) is None


def test_the_factorys_hidden_version_is_not_taken_for_the_one_that_runs() -> None:
    notes = parse_details(own("dumpsys_package_11.txt"))["com.miui.notes"]
    assert notes[1:3] == ("11903", "null")


def test_a_package_that_is_only_hidden_has_no_details() -> None:
    _, hidden, rest = own("dumpsys_package_11.txt").partition("Hidden")
    before = "Packages:\n  Package [a.b] (1):\n    versionName=2\n"
    assert parse_details(before + hidden + rest).keys() == {"a.b"}


def test_crlf_in_details() -> None:
    text = own("dumpsys_package_11.txt").replace("\n", "\r\n")
    assert parse_details(text)["com.tencent.mm"][2] == "8.0.49"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Permission Denial: can't dump package from pid=1", "permission denied"),
        ("*** SERVICE 'package' DUMP TIMEOUT (10000ms) EXPIRED ***", "timed out"),
        ("Can't find service: package", "not available"),
        ("", "not understood"),
    ],
)
def test_no_details(text: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        parse_details(text)


def test_a_recorded_dump() -> None:
    wanted = (
        "Package [",
        "versionCode=",
        "versionName=",
        "signatures=",
        "User ",
        "Hidden system packages:",
        "Packages:",
    )
    for path in captures("dumpsys_packages.txt"):
        lines = path.read_text("utf-8", "replace").splitlines()
        text = "\n".join(line for line in lines if line.strip().startswith(wanted))
        details = parse_details(text)
        assert len(details) == text.count("Package [")
        for detail in details.values():
            assert detail[1].isdecimal()
            assert detail[2]
            assert detail[3] == "b378e95c"
            assert suspended(detail[4], user_head(0)) is False


@pytest.mark.parametrize(
    ("line", "signer"),
    [
        (
            "signatures=PackageSignatures{3d8c1a0 version:2, signatures:[b378e95c], past signatures:[]}",
            "b378e95c",
        ),
        (
            "signatures=PackageSignatures{3d8c1a0 version:3, signatures:[5c1], past signatures:[a1 flags: 17]}",
            "5c1",
        ),
        ("signatures=PackageSignatures{3d8c1a0 version:2, signatures:[b378e95c, 1], past signatures:[]}", ""),
        ("signatures=PackageSignatures{3d8c1a0 version:0, signatures:[], past signatures:[]}", ""),
        ("signatures=PackageSignatures{3d8c1a0 [b378e95c]}", ""),
        ("signatures=", ""),
        ("versionName2=x", ""),
    ],
)
def test_the_signers_print(line: str, signer: str) -> None:
    text = f"Packages:\n  Package [a.b] (1):\n    versionName=2\n    {line}\n    User 0: installed=true suspended=true"
    found = parse_details(text)["a.b"]
    assert found[3] == signer
    assert (suspended(found[4], user_head(0)) is True) is line.startswith("signatures")
