"""From sections to a snapshot: what failed is unread, never empty and never good."""

from __future__ import annotations

import re
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


def test_security_of_a_phone_that_nobody_changed() -> None:
    security = assemble(WHOLE)["security"]
    assert security["device_owner"] == {"set": False, "package": None}
    assert (security["profile_owners"], security["device_admins"]) == ([], [])
    assert (security["verified_boot"], security["bootloader_locked"], security["su"]) == (
        "green",
        True,
        False,
    )
    assert (security["debuggable"], security["build_tags"], security["selinux"]) == (
        False,
        "release-keys",
        "enforcing",
    )
    assert (security["accessibility"], security["notification_listeners"]) == ([], [])
    assert security["input_method"].startswith("com.sohu.inputmethod")
    assert {role: len(holders) for role, holders in security["roles"].items()} == dict.fromkeys(
        ("sms", "dialer", "home", "browser", "assistant"), 1
    )


@pytest.mark.parametrize(
    ("section", "parts"),
    [
        ("policy", {"device_owner", "profile_owners", "device_admins"}),
        ("roles", {"roles"}),
        ("su", {"su"}),
        ("selinux", {"selinux"}),
        ("secure", {"accessibility", "notification_listeners", "input_method"}),
        ("getprop", {"verified_boot", "bootloader_locked", "debuggable", "build_tags", "roles"}),
    ],
)
@pytest.mark.parametrize("answer", [None, Section("", 1), Section("java.lang.SecurityException: no", 0)])
def test_one_refusal_costs_its_own_parts_of_security_alone(
    section: str, parts: set[str], answer: Section | None
) -> None:
    body = changed(**{section: answer})
    assert {name for name, value in body["security"].items() if value is None} == parts
    assert {note.removeprefix("security.") for note in unread(body) if note.startswith("security")} == parts


def test_security_of_which_nothing_is_read_is_unread() -> None:
    body = changed(policy=None, roles=None, su=None, selinux=None, secure=None, getprop=None)
    assert body["security"] is None
    assert unread(body)["security"] == "no part of it could be read"


def test_a_phone_that_does_not_list_its_settings_has_no_empty_lists() -> None:
    body = changed(secure=Section("", 1))
    assert body["security"]["accessibility"] is None
    listed = changed(secure=Section("android_id=1\nenabled_accessibility_services=a.b/.C:null", 0))
    assert listed["security"]["accessibility"] is None
    assert unread(listed)["security.accessibility"] == "not understood"
    assert unread(listed)["security.input_method"] == "not set"


def test_signers_are_told_of_apps_that_are_not_the_systems() -> None:
    rows = assemble(WHOLE)["packages"]
    assert {row["system"] for row in rows if "signer" in row} == {False}
    signers = {row["name"]: row["signer"] for row in rows if "signer" in row}
    assert re.fullmatch(r"[0-9a-f]{1,8}", signers["com.tencent.mm"])
    unsigned = changed(details=Section("", 1))["packages"]
    assert {row["signer"] for row in unsigned if "signer" in row} == {None}
    assert not [row for row in changed(system__0=Section("", 1))["packages"] if "signer" in row]


def test_the_number_of_a_command() -> None:
    assert nonce_of(COMMAND) == NONCE
    assert nonce_of("# butler-snapshot\nN=short\n") is None
    assert nonce_of("id") is None
