"""What the server takes of a section that came over the wire."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from agent.parsers.frames import parse_frames
from agent.phone import snapshot_command
from agent.simulator.canned import render
from agent.simulator.make import make_phone
from agent.snapshot import assemble
from app.readings.contents import MAX_NAME, MAX_NAMES, BadContent, check_section

ROW = {
    "name": "com.tencent.mm", "user": 0, "version_code": 2580, "version_name": "8.0.49", "system": False,
    "enabled": True, "suspended": False, "installer": None,
}  # fmt: skip
SECURITY: dict[str, Any] = {
    "device_owner": {"set": True, "package": "com.mdm"},
    "profile_owners": [{"user": 10, "package": "com.folder"}],
    "verified_boot": "green",
    "bootloader_locked": True,
    "debuggable": False,
    "build_tags": "release-keys",
    "su": False,
    "selinux": "enforcing",
    "accessibility": ["a.b/a.b.Service"],
    "notification_listeners": [],
    "device_admins": ["com.mdm/com.mdm.Admin"],
    "input_method": "k.b/k.b.Keyboard",
    "roles": {"sms": ["com.android.mms"], "dialer": [], "home": ["l"], "browser": ["b"], "assistant": []},
}


def refused(name: str, data: Any) -> str:
    with pytest.raises(BadContent) as caught:
        check_section(name, data)
    return caught.value.path


@pytest.mark.parametrize("index", range(14))
def test_what_the_agent_reads_is_taken(index: int) -> None:
    command, nonce = snapshot_command(history=True)
    body = assemble(
        parse_frames(render(command, make_phone(index)).stdout, nonce), hmac_key=b"k", history=True
    )
    for name in ("identity", "packages", "accounts", "users", "sim", "setup", "storage", "security"):
        check_section(name, body[name])


@pytest.mark.parametrize("signer", ["b378e95c", "0", None])
def test_a_signer_is_taken_and_so_is_none_at_all(signer: str | None) -> None:
    check_section("packages", [ROW, {**ROW, "signer": signer}, ROW])


@pytest.mark.parametrize("signer", ["", "B378E95C", "b378e95c0", 7, ["b378e95c"]])
def test_a_signer_that_is_none(signer: object) -> None:
    assert refused("packages", [ROW, {**ROW, "signer": signer}]) == ".1.signer"


@pytest.mark.parametrize("name", SECURITY)
def test_each_part_of_security_may_be_unread_or_missing(name: str) -> None:
    check_section("security", {**SECURITY, name: None})
    check_section("security", {part: value for part, value in SECURITY.items() if part != name})


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (".device_owner", {"device_owner": "com.mdm"}),
        (".device_owner.set", {"device_owner": {"package": None}}),
        (".device_owner.package", {"device_owner": {"set": True, "package": None}}),
        (".device_owner.package", {"device_owner": {"set": False, "package": "com.mdm"}}),
        (".device_owner.name", {"device_owner": {"set": False, "name": "x"}}),
        (".profile_owners.0.user", {"profile_owners": [{"user": "10", "package": "p"}]}),
        (".profile_owners.0.package", {"profile_owners": [{"user": 10, "package": ""}]}),
        (".profile_owners", {"profile_owners": [{"user": 1, "package": "p"}] * (MAX_NAMES + 1)}),
        (".verified_boot", {"verified_boot": "GREEN"}),
        (".selinux", {"selinux": "disabled"}),
        (".su", {"su": 0}),
        (".accessibility", {"accessibility": ["a", None]}),
        (".accessibility", {"accessibility": ["a"] * (MAX_NAMES + 1)}),
        (".device_admins.0", {"device_admins": ["a" * (MAX_NAME + 1)]}),
        (".input_method", {"input_method": ""}),
        (".roles.phone", {"roles": {"phone": []}}),
        (".roles.sms", {"roles": {"sms": None}}),
        (".roles.sms", {"roles": {"sms": "com.android.mms"}}),
        (".extra", {"extra": 1}),
    ],
)
def test_what_is_no_security(path: str, change: dict[str, Any]) -> None:
    check_section("security", SECURITY)
    assert refused("security", SECURITY | change) == path


@pytest.mark.parametrize("data", [None, [], "x", 1])
def test_a_section_that_is_no_object(data: object) -> None:
    assert refused("security", data) == ""


UGLY: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31 - 1, 2**31, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 1.0, "", "a", "\n", "é",
    "a" * 255, "a" * 256, "b378e95c", "B378E95C", [], ["a"], {},
)  # fmt: skip


def one_by_one(rows: list[Any]) -> str | None:
    """What the slow look says of a list of packages; None: nothing."""
    with mock.patch("app.readings.contents._quickly", return_value=False):
        try:
            check_section("packages", rows)
        except BadContent as exc:
            return exc.path
    return None


def at_once(rows: list[Any]) -> str | None:
    try:
        check_section("packages", rows)
    except BadContent as exc:
        return exc.path
    return None


@pytest.mark.parametrize("field", [*ROW, "signer", "other"])
def test_the_quick_look_takes_what_the_slow_one_takes(field: str) -> None:
    """A field with anything in it, or without, in a list of good rows."""
    signed = {**ROW, "signer": "1"}
    for value in UGLY:
        rows = [ROW, signed, {**ROW, field: value}, ROW]
        assert at_once(rows) == one_by_one(rows), value
    rows = [ROW, {name: value for name, value in signed.items() if name != field}]
    assert at_once(rows) == one_by_one(rows)
    rows = [{name: value for name, value in ROW.items() if name != field}, {**ROW, "other": 1}]
    assert at_once(rows) == one_by_one(rows) != ""


@pytest.mark.parametrize("row", [None, [], "", 1, {}, {"signer": 1}, dict.fromkeys([*ROW, "other"])])
def test_the_quick_look_takes_no_row_that_is_none(row: object) -> None:
    assert at_once([ROW, row]) == one_by_one([ROW, row]) is not None
    assert at_once([]) is at_once([ROW, ROW]) is None
