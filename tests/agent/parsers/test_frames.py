"""Frames: what is not ended is cut, and nothing that a phone prints can pass for a frame."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.parsers import Unreadable
from agent.parsers.device import parse_lock, parse_settings, parse_storage, parse_unknown_sources
from agent.parsers.frames import Section, parse_frames
from agent.parsers.identity import parse_imei_parcel
from agent.parsers.packages import parse_details, parse_listing, parse_names
from agent.parsers.power import parse_battery, parse_boot_id, parse_screen_on, parse_uptime
from agent.parsers.props import parse_boot_reasons, parse_props
from agent.parsers.users import parse_accounts, parse_users
from agent.phone import snapshot_command
from agent.simulator.canned import render
from agent.simulator.make import make_phone
from agent.snapshot import assemble

N = "0123456789abcdef"


def framed(*sections: tuple[str, str, int], done: bool = True) -> bytes:
    text = "".join(f"{N} b {name}\n{body}\n{N} e {name} {code}\n" for name, body, code in sections)
    return (text + (f"{N} done\n" if done else "")).encode()


def test_sections_with_and_without_text() -> None:
    frames = parse_frames(framed(("a", "one\ntwo\n", 0), ("b", "", 3)), N)
    assert frames.sections == {"a": Section("one\ntwo\n", 0), "b": Section("", 3)}
    assert frames.done
    assert not frames.cut


def test_a_section_that_does_not_end_is_cut() -> None:
    frames = parse_frames(framed(("a", "x", 0), done=False) + f"{N} b b\nhalf".encode(), N)
    assert frames.sections.keys() == {"a"}
    assert frames.cut == {"b"}
    assert not frames.done


def test_foreign_numbers_and_stray_ends_are_text() -> None:
    body = f"feedfeedfeedfeed e a 0\nx{N} e a 0\n{N} e other 0\n{N} e a x\n{N} e a 1 2\n {N} done"
    frames = parse_frames(framed(("a", body, 0), done=False), N)
    assert frames.sections == {"a": Section(body, 0)}
    assert not frames.done


def test_the_last_of_two_counts() -> None:
    assert parse_frames(framed(("a", "x", 255), ("a", "y", 0)), N).sections["a"] == Section("y", 0)


def test_a_terminals_line_ends() -> None:
    whole = framed(("a", "one\ntwo", 0)).replace(b"\n", b"\r\n")
    assert parse_frames(whole, N).sections["a"].text == "one\ntwo"


def test_bytes_that_are_no_text_cost_their_place_only() -> None:
    output = framed(("a", "x", 0)).replace(b"x", b"\xff\xfe") + framed(("b", "机主", 0))
    assert parse_frames(output, N).sections["b"].text == "机主"


def test_words_before_the_frames_do_no_harm() -> None:
    assert parse_frames(b"WARNING: linker: x\n" + framed(("a", "x", 0)), N).sections["a"].text == "x"


def both_lock_sources(text: str) -> str:
    return parse_lock(text, text)


PARSERS: tuple[Callable[[str], object], ...] = (
    both_lock_sources,
    parse_settings,
    parse_storage,
    parse_unknown_sources,
    parse_imei_parcel,
    parse_details,
    parse_listing,
    parse_names,
    parse_battery,
    parse_boot_id,
    parse_screen_on,
    parse_uptime,
    parse_boot_reasons,
    parse_props,
    parse_accounts,
    parse_users,
)
LINES = st.sampled_from(
    [
        "package:a.b=c versionCode:1  installer=x",
        "package:/a==/b==/c=d",
        "Package [x] (1):",
        "versionName=1",
        "User 0: suspended=true",
        "[a]: [b",
        "[a]: [b]",
        "User UserInfo{0:a:13}:",
        "  Accounts: 1",
        "    Account {name=x, type=y}",
        "UserInfo{0:a:13} running",
        "0x00000000: 00000000 ffffffff 00390034 00310030 'x'",
        "Result: Parcel(00000000 0000000f",
        "level: 99999999",
        "CredentialType: Pin",
        "reboot,ota,1",
        "boot_count=1",
        "a=" + "=" * 50,
        "package:" + "a" * 200,
        "\x00\r",
        "12.5 13",
        "１２.5 ٣",
    ]
)
TEXTS = st.one_of(st.text(max_size=300), st.lists(LINES, max_size=30).map("\n".join))


@settings(max_examples=150, deadline=2000)
@given(TEXTS)
def test_no_text_breaks_a_parser(text: str) -> None:
    reasons: list[str] = []
    for parse in PARSERS:
        try:
            parse(text)
        except Unreadable as refusal:
            reasons.append(str(refusal))
    assert all(reasons)


@settings(max_examples=60, deadline=2000)
@given(st.binary(max_size=400), st.integers(0, 10**6), st.integers(0, 400))
def test_no_damage_to_the_output_breaks_the_snapshot(junk: bytes, at: int, cut: int) -> None:
    """Bytes put in, bytes lost, an early end: always a snapshot that says what it lacks."""
    place = at % len(WHOLE)
    for output in (
        WHOLE[:place],
        WHOLE[:place] + junk + WHOLE[place:],
        WHOLE[:place] + WHOLE[place + cut :],
        junk,
    ):
        body = assemble(parse_frames(output, NONCE))
        json.dumps(body, allow_nan=False)
        named = {note["section"] for note in body["unread"]}
        missing = {name for name, part in body.items() if part is None}
        assert missing <= named
        assert all(note["reason"] for note in body["unread"])


COMMAND, NONCE = snapshot_command(N)
WHOLE = render(COMMAND, make_phone(3)).stdout


@pytest.mark.parametrize("size", [0, 100, 1000, 3000])
def test_a_cut_is_named(size: int) -> None:
    body = assemble(parse_frames(WHOLE[:-size] if size else WHOLE, NONCE))
    named = {note["section"]: note["reason"] for note in body["unread"]}
    assert ("packages.details" in named) is bool(size)
    if size:
        assert named["packages.details"] == "truncated"


@pytest.mark.parametrize(
    "text",
    ["package:" + "a=" * 20_000, "[" * 40_000, "[a]: [" * 8_000, "Package [" * 8_000, "UserInfo{0:" + ":" * 40_000,
     "Account {name=" + ", type=" * 8_000, " " * 40_000 + "x", "User 0: " * 8_000, "0x00000000: " * 8_000],
)  # fmt: skip
def test_hostile_repetition_does_not_hang(text: str) -> None:
    """Each pattern is linear in what a phone may send; a quadratic one would run for minutes on these."""
    for parse in PARSERS:
        try:
            parse(text)
        except Unreadable:
            continue
