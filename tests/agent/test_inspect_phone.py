"""The evidence of a wipe, read at simulated phones: before, after each kind of reset, and when it cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent import inspect_phone, wire
from agent.evidence import evidence
from agent.parsers.frames import Frames
from agent.simulator.make import make_phone
from agent.simulator.mksh import MkshRunner
from agent.simulator.state import Account, Package, Volume
from agent.snapshot_parts import SectionReader
from agent.transport import open_transport
from tests.agent.wipe_rig import WIPE, WipeRig
from tests.support.orders import AGENT

FIELDS = (
    "serial imei android_id boot_id boot_count uptime_s phone_now_s boot_reasons users accounts packages "
    "first_install_s storage media_files test_harness lock_screen sims volumes encryption adb_wipe device_owner brand "
    "model android_release sdk security_patch link unread"
).split()


@pytest.fixture
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[WipeRig]:
    with WipeRig(tmp_path, **getattr(request, "param", {})).up() as made:
        yield made


def inspected(rig: WipeRig, **changes: Any) -> tuple[str, dict[str, Any]]:
    rig.number += 1
    phone = rig.phones[0].identity
    made = wire.Command(
        f"i{rig.number}", "inspect_phone", AGENT, phone.serial, tuple(phone.imeis), {"wipe": WIPE}, 600
    )
    return rig.order(replace(made, **changes))


def read(rig: WipeRig) -> dict[str, Any]:
    state, detail = inspected(rig)
    assert state == "succeeded", detail
    found: dict[str, Any] = detail["evidence"]
    assert sorted(found) == sorted(FIELDS)
    return found


def test_before_and_after_it_was_erased(rig: WipeRig, tmp_path: Path) -> None:
    phone = rig.phones[0]
    phone.accounts, phone.volumes = (
        [Account(0, "com.google", "a@b")],
        [Volume(), Volume("public:8,1", "mounted")],
    )
    (tmp_path / "p").write_text("x")
    with open_transport(rig.targets[0]) as transport:
        for name in ("DCIM/a b.jpg", "Pictures/n.png", "Android/data/c"):
            transport.push(tmp_path / "p", f"/sdcard/{name}", 5.0)
    before = read(rig)
    assert before["accounts"] == {"count": 1, "types": ["com.google"]}, "whose it is is not told"
    assert before["media_files"] == 2
    assert "com.tencent.mm" in before["packages"]["third_party"]
    assert before["first_install_s"] == {"oldest": 1_773_796_364, "newest": 1_773_796_364}
    assert [v["kind"] for v in before["volumes"]] == ["sd", "usb", "internal", "internal"]
    assert (before["test_harness"], before["encryption"], before["link"]) == (False, "file", "loopback")
    assert before["adb_wipe"] == {"capable": ["test_harness"], "why": None}
    phone.accounts = []
    assert rig.order(rig.command())[0] == "succeeded"
    rig.settle()
    after = read(rig)
    assert after["serial"] == before["serial"]
    assert after["android_id"] != before["android_id"]
    assert (after["boot_count"], after["test_harness"], after["media_files"]) == (1, True, 0)
    assert [row["reason"] for row in after["boot_reasons"]] == ["reboot,factory_reset"]
    assert abs(after["phone_now_s"] - after["uptime_s"] - after["boot_reasons"][0]["at"]) <= 2
    assert (after["accounts"]["count"], after["packages"]["third_party"]) == (0, [])
    assert after["users"] == [{"id": 0, "running": True}]
    assert after["first_install_s"] == {"oldest": None, "newest": None}
    assert after["storage"]["data_free_bytes"] > before["storage"]["data_free_bytes"]
    assert after["volumes"] == before["volumes"]


def test_canned_and_a_real_shell_tell_the_same(tmp_path: Path) -> None:
    if not MkshRunner.available():
        pytest.skip("mksh and toybox are not installed")
    found = []
    (tmp_path / "p").write_text("x")
    for mode in ("canned", "mksh"):
        (tmp_path / mode).mkdir()
        with WipeRig(tmp_path / mode, mode=mode).up() as rig:
            phone = rig.phones[0]
            phone.identity.android_id, phone.boot_id, phone.device_owner = (
                "a" * 16,
                make_phone(0).boot_id,
                "com.mdm",
            )
            with open_transport(rig.targets[0]) as transport:
                for name in ("a b.jpg", "Android/x", "中文/😀'$x.mp4"):
                    transport.push(tmp_path / "p", f"/sdcard/{name}", 5.0)
            found.append(read(rig))
    for one in found:
        assert [one.pop("media_files"), one.pop("device_owner")] == [2, "com.mdm"]
        for moving in ("uptime_s", "phone_now_s", "boot_reasons"):
            assert one.pop(moving) is not None
    assert found[0] == found[1]


def test_after_a_reset_by_hand_being_refused_is_the_answer(rig: WipeRig) -> None:
    rig.fleet.factory_reset(0)
    assert inspected(rig) == ("not_now", {"reason": "unreachable"})
    rig.fleet.enable_debugging(0)
    assert inspected(rig) == ("not_now", {"reason": "unauthorized"})


def test_another_phone_in_its_place_is_refused(rig: WipeRig) -> None:
    assert inspected(rig, imei=("490154203237518",))[0] == "succeeded", "this phone hides its IMEI"
    rig.phones[0].properties["ro.ril.oem.imei"] = rig.phones[0].identity.imeis[0]
    assert inspected(rig, imei=("490154203237518",)) == ("refused", {"reason": "other_phone"})


@pytest.mark.parametrize(("change", "told"), [("phone", "other_phone"), ("boot", "dropped")])
def test_two_readings_of_two_phones_are_no_evidence(
    tmp_path: Path, monkeypatch: Any, change: str, told: str
) -> None:
    with WipeRig(tmp_path, 2).up() as rig:
        real: Callable[[], tuple[str, str]] = vars(inspect_phone)["inspect_command"]

        def command() -> tuple[str, str]:
            if change == "boot":
                rig.phones[0].boot_id = rig.phones[1].boot_id
            else:
                rig.phones[0].identity.serial = rig.phones[1].identity.serial
            return real()

        monkeypatch.setattr(inspect_phone, "inspect_command", command)
        assert inspected(rig) == ("refused" if change == "phone" else "not_now", {"reason": told})


def test_what_is_too_long_is_cut_and_said_so(rig: WipeRig) -> None:
    phone = rig.phones[0]
    phone.packages += [
        Package(f"com.example.app{n:04}.{'x' * 40}", 1, "1", path="/data/app/x") for n in range(900)
    ]
    phone.boot_reasons = [(f"reboot,{'y' * 900}", 5)] * 4
    found = read(rig)
    assert len(wire.canonical_json(found)) < 15 * 1024
    assert 100 < len(found["packages"]["third_party"]) <= 300
    assert found["packages"]["count"] > 900
    assert {"section": "packages.third_party", "reason": "145 of 908 are named"} in found["unread"]


def test_an_old_phone_tells_why_it_cannot_be_erased_this_way(rig: WipeRig) -> None:
    rig.phones[0].identity.sdk = 28
    assert read(rig)["adb_wipe"] == {"capable": [], "why": "too_old"}
    rig.phones[0].identity.sdk, rig.phones[0].persistent_block = 33, False
    assert read(rig)["adb_wipe"] == {"capable": [], "why": "no_block"}


def test_what_was_not_read_is_unknown_and_named(rig: WipeRig) -> None:
    with rig.at_hand(rig.command()) as held:
        body = held.snapshot.body | {
            "accounts": None,
            "packages": None,
            "users": None,
            "storage": None,
            "sim": None,
        }
        found = evidence(body, SectionReader(Frames()), "usb")
    assert sorted(found) == sorted(FIELDS)
    for name in (
        "phone_now_s",
        "accounts",
        "packages",
        "users",
        "first_install_s",
        "media_files",
        "test_harness",
    ):
        assert found[name] is None, name
    assert (found["volumes"], found["encryption"], found["adb_wipe"]["why"]) == (None, "unknown", "words")
    assert {row["section"] for row in found["unread"]} >= {
        "props", "phone_now_s", "first_install_s", "media_files", "volumes", "device_owner",
    }  # fmt: skip
