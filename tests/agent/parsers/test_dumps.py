"""Saved dumps: their kind, every line of them accounted for, and what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.parsers.dumps import Dump, Fact, Part, decode, read_dump
from agent.parsers.dumps.grammar import classifier
from agent.parsers.dumps.kinds import KINDS
from agent.parsers.dumps.tally import LONGEST, shown
from agent.parsers.props import parse_props
from tests.support.captures import captures

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
TEXTS = [path.read_text(encoding="utf-8") for path in CORPUS]

UNREAD = {
    "accessibility_10.txt": [6, 7],
    "accessibility_15.txt": [8],
    "account_11.txt": [16],
    "adb_13.txt": [],
    "appops_11.txt": [19],
    "battery_14.txt": [15],
    "batterystats_13.txt": [58, 62],
    "dbinfo_13.txt": [20],
    "device_policy_14.txt": [29, 30, 31],
    "device_policy_7.txt": [],
    "dumpstate_12.txt": [6, 7],
    "getprop_13.txt": [],
    "getprop_cut.txt": [5],
    "package_12.txt": [32],
    "packages.json": [25],
    "platform_compat_14.txt": [4],
    "pm_packages_9.txt": [4],
    "pm_users_9.txt": [],
    "ps_12.txt": [5],
    "role_13.txt": [],
    "settings_secure_10.txt": [5, 6],
    "usagestats_10.txt": [2],
}


def lines_of(text: str) -> int:
    return text.count("\n") + (text != "" and not text.endswith("\n"))


def hold(dump: Dump, text: str) -> None:
    """No line is lost: neither between the parts of a file nor in one of them."""
    assert dump.lines == lines_of(text)
    numbers = [row.line for part in dump.parts for row in part.tally.unread]
    assert numbers == sorted(set(numbers))
    assert all(1 <= number <= dump.lines for number in numbers)
    for part in dump.parts:
        counted = part.tally
        assert counted.lines == counted.understood + counted.skipped + len(counted.unread)


def only(text: str) -> Part:
    (part,) = read_dump(text).parts
    return part


def told(part: Part) -> dict[str, object]:
    return {fact.name: fact.value if fact.unread is None else fact for fact in part.facts}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_line_is_accounted_for(path: Path, end: str) -> None:
    text = path.read_text(encoding="utf-8").replace("\n", end)
    dump = read_dump(text)
    hold(dump, text)
    assert [row.line for part in dump.parts for row in part.tally.unread] == UNREAD[path.name]


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_the_kind_is_known_by_its_content(path: Path) -> None:
    kinds = [part.tally.kind for part in read_dump(path.read_text(encoding="utf-8")).parts]
    if path.stem.startswith("dumpstate"):
        assert kinds == ["services", "vendor.thing", "role", "device_policy"]
    else:
        assert path.name.replace(".", "_").startswith(kinds[-1])


def test_every_kind_is_in_the_corpus() -> None:
    found = {part.tally.kind for text in TEXTS for part in read_dump(text).parts}
    assert {kind.name for kind in KINDS} <= found


def test_a_captured_dump_of_any_kind_loses_no_line() -> None:
    for path in [*captures("*.txt"), *captures("*.json")]:
        text = decode(path.read_bytes())
        dump = read_dump(text)
        hold(dump, text)
        assert any(part.tally.understood for part in dump.parts), path
        assert dump.unread <= max(3, dump.lines // 100), path


def test_what_no_kind_fits_is_unread_and_no_noise() -> None:
    part = only("some words\n\nmore words")
    assert (part.tally.kind, part.tally.skipped, part.tally.understood) == ("unknown", 1, 0)
    assert [(row.line, row.text) for row in part.tally.unread] == [(1, "some words"), (3, "more words")]


def test_an_empty_file_has_no_lines() -> None:
    assert read_dump("").lines == 0
    assert read_dump("\n").lines == 1


# In getprop it may be a line of a property's value.
@pytest.mark.parametrize(
    "path", [path for path in CORPUS if "getprop" not in path.name], ids=lambda path: path.name
)
def test_a_vendors_line_is_named_wherever_it_stands(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    for place in range(3, len(lines)):
        text = "\n".join([*lines[:place], "!厂商自己加的一行!", *lines[place:]])
        unread = [row.line for part in read_dump(text).parts for row in part.tally.unread]
        shifted = [line + (line > place) for line in UNREAD[path.name]]
        assert unread == sorted([*shifted, place + 1])


def test_a_record_of_getprop_is_whole_or_unread() -> None:
    text = "[a]: [1]\n[b]: [2\n]\n\n[c]: [3\n[d]: [4]x\n[e]: [\n\n5]\n"
    part = only(text)
    assert part.tally.read == {"property": 3, "line of a property": 3}
    assert part.tally.noise == {"blank": 1}
    assert [row.line for row in part.tally.unread] == [5, 6]
    assert parse_props(text).keys() == {"a", "b", "e"}


def test_getprop_says_what_counts() -> None:
    part = only(TEXTS[[path.name for path in CORPUS].index("getprop_13.txt")])
    assert told(part) == {
        "brand": "HONOR",
        "model": "ANY-AN00",
        "android_release": "13",
        "sdk": 33,
        "security_patch": "2024-05-01",
        "build_type": "user",
        "verified_boot": "green",
        "bootloader_locked": True,
        "debuggable": False,
        "build_tags": "release-keys",
    }


def test_what_cannot_be_read_is_told_with_its_reason() -> None:
    part = only("[ro.boot.verifiedbootstate]: [green]\n[ro.secureboot.lockstate]: [unlocked]\n")
    contradiction = "the phone's properties contradict each other"
    assert told(part)["bootloader_locked"] == Fact("bootloader_locked", None, contradiction)


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("accessibility_10.txt", {"accessibility": ["com.example.talk/com.example.talk.TalkService"]}),
        (
            "accessibility_15.txt",
            {"accessibility": ["com.example.talk/com.example.talk.A", "com.example.b/com.example.b.B"]},
        ),
        ("account_11.txt", {"accounts": {"com.vivo.account@0": 1, "com.tencent.mm.account@0": 1}}),
        ("adb_13.txt", {"keys": 1}),
        ("appops_11.txt", {"unknown_sources": ["com.example.store"]}),
        ("batterystats_13.txt", {"power_events": 2}),
        ("battery_14.txt", {"battery_percent": 57}),
        ("usagestats_10.txt", {"power_events": 2}),
        ("package_12.txt", {"packages": 1, "signed": 1}),
        ("pm_packages_9.txt", {"packages": 3}),
        ("pm_users_9.txt", {"users": ["0", "10", "999"]}),
        ("dbinfo_13.txt", {}),
    ],
)
def test_facts(name: str, facts: dict[str, object]) -> None:
    text = TEXTS[[path.name for path in CORPUS].index(name)]
    assert told(read_dump(text).parts[-1]) == facts


def test_a_service_in_a_bug_report_says_the_same_as_alone() -> None:
    parts = read_dump(TEXTS[[path.name for path in CORPUS].index("dumpstate_12.txt")]).parts
    assert told(parts[2]) == {"roles": {"sms": ["com.hihonor.mms"]}}
    assert told(parts[3])["device_owner"] == Fact("device_owner", None, "the dump ends too early")


def test_names_of_accounts_are_not_told() -> None:
    text = TEXTS[[path.name for path in CORPUS].index("account_11.txt")]
    assert "13900001111" not in str(read_dump(text))
    assert "wang@" not in str(read_dump(text))


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("call 13900001111 now", "call <number> now"),
        ("a wang.er@example.com b", "a <mail> b"),
        ("    Account {name=王二, type=x}", "    Account {name=<name>, type=x}"),
        ("bssid=00:11:22:33:44:55", "bssid=<address>"),
        ("key=" + "Qa1/" * 20, "key=<key>"),
        ("mIsNavBarMagnifierWindowAssignedToAccessibilityButton = x", None),
        ("2024-05-02 09:10:11.123", None),
        ("com.example.app/com.example.app.service.Background", None),
        ("a\x00b\x1b[0m\u202e", "a b [0m"),
        ("厂商" * 200, "厂商" * 79 + "厂…"),
    ],
)
def test_a_line_is_shown_without_what_looks_personal(line: str, seen: str | None) -> None:
    assert shown(line) == (line if seen is None else seen)
    assert len(shown(line)) <= LONGEST


def test_files_as_windows_saves_them() -> None:
    text = "[ro.product.brand]: [荣耀]\r\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert decode(text.encode(encoding)) == text
    assert decode(text.encode("utf-16-be").join([b"\xfe\xff", b""])) == text
    assert "\ufffd" in decode(b"\xff\xff[a]: [1]")


def test_a_rule_may_not_capture() -> None:
    with pytest.raises(ValueError, match="capture"):
        classifier((("x", "(a)b"),))


LINES = st.sampled_from([line for text in TEXTS for line in text.splitlines()])
ANY = st.one_of(
    LINES, st.text(st.characters(codec="utf-8"), max_size=40), st.sampled_from(["", "\r", "}", "]"])
)


@given(st.lists(ANY, max_size=60))
def test_any_lines_in_any_order_are_accounted_for(lines: list[str]) -> None:
    text = "\n".join(lines)
    hold(read_dump(text), text)


@given(st.binary(max_size=200))
def test_any_bytes_are_accounted_for(raw: bytes) -> None:
    text = decode(raw)
    hold(read_dump(text), text)


@given(st.sampled_from(TEXTS), st.data())
def test_a_dump_that_is_cut_is_accounted_for(text: str, data: st.DataObject) -> None:
    cut = text[: data.draw(st.integers(0, len(text)))]
    hold(read_dump(cut), cut)
