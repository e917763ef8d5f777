"""From sections to a snapshot: what failed is unread, never empty and never good."""

from __future__ import annotations

from typing import Any

import pytest

from agent.parsers.frames import Frames, Section, parse_frames
from agent.phone import nonce_of, snapshot_command
from agent.simulator.canned import render
from agent.simulator.make import make_phone
from agent.snapshot import assemble

COMMAND, NONCE = snapshot_command()
WHOLE = parse_frames(render(COMMAND, make_phone(2)).stdout, NONCE)


def changed(**sections: Section | None) -> dict[str, Any]:
    """The snapshot of a phone with some sections exchanged or (None) never sent; `__` stands for a dot."""
    mended = dict(WHOLE.sections)
    for name, section in sections.items():
        key = name.replace("__", ".")
        if section is None:
            del mended[key]
        else:
            mended[key] = section
    return assemble(Frames(mended, frozenset(), done=True))


def unread(body: dict[str, Any]) -> dict[str, str]:
    return {note["section"]: note["reason"] for note in body["unread"]}


def test_the_whole_is_read() -> None:
    assert unread(assemble(WHOLE)).keys() <= {"identity.imei", "setup.lock_screen", "power.boot_reasons"}


def test_a_command_that_failed_without_a_word_is_no_empty_list() -> None:
    body = changed(sources=Section("", 1), disabled__0=Section("", 255))
    assert body["setup"]["unknown_sources"] is None
    assert unread(body)["setup.unknown_sources"] == "the command failed (1)"
    assert {package["enabled"] for package in body["packages"] if package["user"] == 0} == {None}
    assert "packages.user.0.enabled" in unread(body)


def test_a_list_that_broke_off_with_an_error_is_not_used() -> None:
    listed = WHOLE.sections["packages.0"].text
    body = changed(packages__0=Section(listed, 137))
    assert unread(body)["packages.user.0"] == "timed out on the phone"
    assert not [package for package in body["packages"] or [] if package["user"] == 0]


@pytest.mark.parametrize("code", [124, 137, 142, 143])
def test_a_slow_service_is_named(code: int) -> None:
    assert unread(changed(accounts=Section("", code)))["accounts"] == "timed out on the phone"


@pytest.mark.parametrize(
    ("section", "part", "field"),
    [
        ("battery", "power.battery", "battery_percent"),
        ("screen", "power.screen_on", "screen_on"),
        ("global", "power.boot_count", "boot_count"),
        ("global", "power.airplane_mode", "airplane_mode"),
    ],
)
def test_power_without_one_of_its_sources(section: str, part: str, field: str) -> None:
    body = changed(**{section: None})
    assert body["power"][field] is None
    assert part in unread(body)
    assert body["power"]["boot_id"]


@pytest.mark.parametrize("section", ["uptime", "boot_id"])
def test_no_proof_without_boot_id_and_uptime(section: str) -> None:
    body = changed(**{section: None})
    assert body["power"] is None
    assert unread(body)["power"] == "the phone did not send it"


def test_sections_that_hang_on_getprop() -> None:
    body = changed(getprop=Section("", 1))
    assert body["identity"] is None
    assert body["sim"] is None
    assert body["power"]["boot_count"] is None
    assert body["setup"]["unknown_sources"] is None
    assert {"identity", "sim", "power.boot_count", "setup.unknown_sources"} <= unread(body).keys()


def test_without_the_list_of_users_only_the_owner_is_inspected() -> None:
    body = changed(users=Section("Error", 1))
    assert body["users"] is None
    assert "users" in unread(body)
    assert {package["user"] for package in body["packages"]} == {0}


def test_strange_lines_are_counted_and_the_rest_is_kept() -> None:
    listed = WHOLE.sections["packages.0"].text
    body = changed(packages__0=Section(f"{listed}\n包：？\n", 0))
    assert unread(body)["packages.user.0"] == "1 lines were not understood"
    assert len([package for package in body["packages"] if package["user"] == 0]) == listed.count("\n") + 1


def test_a_mark_list_with_strange_lines_marks_nothing() -> None:
    body = changed(system__0=Section("package:a.b\n？？\n", 0))
    assert {package["system"] for package in body["packages"] if package["user"] == 0} == {None}
    assert unread(body)["packages.user.0.system"] == "1 lines were not understood"


def test_details_that_lack_packages_are_named() -> None:
    text = WHOLE.sections["details"].text.partition("  Package [com.tencent.mm]")[0]
    body = changed(details=Section(text, 0))
    assert unread(body)["packages.details"].startswith("missing for ")


def test_the_number_of_a_command() -> None:
    assert nonce_of(COMMAND) == NONCE
    assert nonce_of("# butler-snapshot\nN=short\n") is None
    assert nonce_of("id") is None
