"""Makers' phones, fresh and worked, and how they print."""

import json

import pytest

from agent.parsers.frames import parse_frames
from agent.phone import snapshot_command
from agent.simulator import changes, scenario
from agent.simulator.catalogue import RELEASES, WORK_APPS
from agent.simulator.checks import ScenarioError
from agent.simulator.cli import _fleet
from agent.simulator.fleet import Fleet
from agent.simulator.mksh import MkshRunner
from agent.simulator.profiles import PROFILES, add_second_users, fresh_phone, worked_phone
from agent.simulator.reset import erase
from agent.simulator.runner import execute
from agent.simulator.state import AuthMode, PhoneState, Way
from agent.simulator.vendors import VENDORS
from agent.snapshot import assemble
from agent.snapshot_parts import Json
from agent.transport import TransportOptions, open_transport


def snapshot(phone: PhoneState) -> Json:
    command, nonce = snapshot_command(history=True)
    return assemble(parse_frames(execute(command, phone).stdout, nonce), history=True)


def test_every_maker_and_every_release_from_7_to_16_is_there() -> None:
    assert {profile.model.vendor for profile in PROFILES.values()} == VENDORS.keys()
    releases = {RELEASES[profile.model.sdk].partition(".")[0] for profile in PROFILES.values()}
    assert releases == {str(number) for number in range(7, 17)}
    assert {way for profile in PROFILES.values() for way in profile.ways} >= set(Way)
    assert {user for profile in PROFILES.values() for user in profile.users} == {10, 150, 999}


@pytest.mark.parametrize("name", PROFILES)
def test_a_worked_phone_is_read_but_for_what_its_maker_hides(name: str) -> None:
    phone = worked_phone(name)
    add_second_users(phone, name)
    body = snapshot(phone)
    unread = {note["section"] for note in body["unread"]}
    hidden = {f"packages.user.{user}" for user in phone.unreadable_users}
    silent = {"power.boot_reasons", "identity.imei", "setup.lock_screen", "security.roles.browser"}
    if phone.identity.sdk < 26:
        silent |= {"security.verified_boot", "security.bootloader_locked"}
    assert hidden <= unread <= hidden | silent
    assert {user["id"] for user in body["users"]} == {0, *PROFILES[name].users}
    names = {row["name"] for row in body["packages"] if row["user"] == 0 and not row["system"]}
    assert names == {*VENDORS[PROFILES[name].model.vendor].removable, *(app.name for app in WORK_APPS)}
    assert body["identity"]["serial"] == phone.identity.serial
    assert body["power"]["battery_percent"] == phone.battery.percent


def test_a_reset_gives_the_apps_of_the_box_back() -> None:
    phone = worked_phone("xiaomi-14")
    phone.profile_owners, phone.device_admins = {10: "a.b"}, ["a.b/a.b.C"]
    erase(phone, harness=True)
    left = {item.name for item in phone.packages if not item.system}
    assert left == set(VENDORS["xiaomi"].removable)
    assert (phone.profile_owners, phone.device_admins) == ({}, [])


@pytest.mark.parametrize("name", ["xiaomi-7", "xiaomi-8", "huawei-10", "samsung-15"])
def test_canned_is_what_mksh_prints(name: str) -> None:
    if not MkshRunner.available():
        pytest.skip("mksh or toybox is not installed")
    phone = worked_phone(name)
    add_second_users(phone, name)
    phone.auth, phone.su, phone.screen_on = AuthMode.OPEN, True, False
    command, nonce = snapshot_command()
    with (
        Fleet([phone], mode="mksh") as fleet,
        open_transport(f"tcp:127.0.0.1:{fleet.ports[0]}", TransportOptions()) as transport,
    ):
        printed = assemble(parse_frames(transport.run(command, 30).stdout, nonce))
    canned = assemble(parse_frames(execute(command, phone).stdout, nonce))
    for body in (printed, canned):
        body["power"]["uptime_s"] = 0
    assert printed == canned


def test_profiles_in_a_scenario() -> None:
    document = {
        "phones": [
            {"phone": 0, "profile": "samsung-15", "fresh": True, "serial": "S1"},
            {"phone": 2, "profile": "samsung-15", "loader_unlocked": True, "roles": {"sms": ["a.b"]},
             "profile_owners": [{"user": 150, "package": "k.x"}]},
        ]
    }  # fmt: skip
    plan = scenario.parse(json.loads(json.dumps(document)), 3)
    parser = type("Args", (), {"phones": 3, "mode": "canned", "host": "127.0.0.1", "port": 0})()
    with _fleet(parser, plan) as fleet:
        fresh, _, worked = fleet.phones
    assert (fresh.identity.serial, fresh.accounts) == ("S1", [])
    assert (worked.identity.model, [user.id for user in worked.users]) == ("SM-A5460", [0, 150])
    assert (worked.loader_unlocked, worked.roles["sms"], worked.profile_owners) == (
        True,
        ["a.b"],
        {150: "k.x"},
    )
    assert worked.roles["home"] == ["com.sec.android.app.launcher"]


def test_a_phone_keeps_its_profile_while_it_runs() -> None:
    event = {"at_s": 1, "phone": 0, "do": "set", "values": {"profile": "huawei-7"}}
    with pytest.raises(ScenarioError, match="profile: no such field"):
        scenario.parse({"events": [event]}, 1)
    with pytest.raises(ScenarioError, match="profile: one of"):
        scenario.parse({"phones": [{"phone": 0, "profile": "nokia-1"}]}, 1)


def test_what_can_be_set_while_it_runs() -> None:
    phone = fresh_phone("vivo-15")
    changes.apply(
        phone,
        {"su": True, "device_admins": ["a.b/a.b.C"], "selinux_enforcing": False, "ways": ["linker_noise"]}
        | {"install": [{"name": "x.y", "signer": "0badc0de", "preloaded": True}]},
    )
    body = snapshot(phone)
    assert (body["security"]["su"], body["security"]["selinux"]) == (True, "permissive")
    assert body["security"]["device_admins"] == ["a.b/a.b.C"]
    assert [row["signer"] for row in body["packages"] if row["name"] == "x.y"] == ["0badc0de"]
