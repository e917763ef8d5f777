"""`agent snapshot` as a person runs it, against simulated phones of every Android from 7 to 16."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from agent.main import main
from agent.phone import MAX_COMMAND, snapshot_command
from agent.simulator.canned import render
from agent.simulator.catalogue import RELEASES
from agent.simulator.faults import Fault, FaultKind, FaultPoint
from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.simulator.mksh import MkshRunner
from agent.simulator.state import Account, AuthMode, Enabled, PhoneState, User, UserState
from agent.snapshot import Snapshot, read_snapshot
from agent.transport import TransportOptions, open_transport

NAMES = {"name", "user", "version_code", "version_name", "system", "enabled", "suspended", "installer"}


@pytest.fixture
def keyfile(tmp_path: Path) -> Path:
    return tmp_path / "adbkey"


def read(phone: PhoneState, mode: str = "canned", hmac_key: bytes | None = None) -> Snapshot:
    phone.auth = AuthMode.OPEN
    with (
        Fleet([phone], mode=mode) as fleet,  # type: ignore[arg-type]
        open_transport(f"tcp:127.0.0.1:{fleet.ports[0]}", TransportOptions()) as transport,
    ):
        return read_snapshot(transport, hmac_key=hmac_key)


def unread(snapshot: Snapshot) -> dict[str, str]:
    return {note["section"]: note["reason"] for note in snapshot.body["unread"]}


def plain(sdk: int = 33) -> PhoneState:
    """A phone of one Android release, without dual apps or second spaces."""
    phone = make_phone(2)
    phone.identity = replace(phone.identity, sdk=sdk, android_release=RELEASES[sdk])
    phone.users = [User(0, "机主")]
    phone.packages = [replace(p, users={0: UserState()}) for p in phone.packages]
    phone.accounts = [Account(0, "com.xiaomi", "13800000000")]
    phone.unreadable_users = set()
    phone.settings["secure"]["install_non_market_apps"] = "1"
    return phone


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(["snapshot", *argv])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_command_prints_json_and_makes_its_key(capsys: pytest.CaptureFixture[str], keyfile: Path) -> None:
    phone = plain()
    with Fleet([phone]) as fleet:
        code, out, err = run(capsys, f"tcp:127.0.0.1:{fleet.ports[0]}", "--adb-key", str(keyfile))
    assert (code, err) == (0, "")
    body = json.loads(out)
    assert list(body) == [
        "schema",
        "identity",
        "power",
        "packages",
        "accounts",
        "users",
        "sim",
        "setup",
        "storage",
        "security",
        "power_history",
        "unread",
    ]
    assert body["identity"]["serial"] == phone.identity.serial
    assert keyfile.stat().st_mode & 0o777 == 0o600
    assert body["accounts"] == [{"user": 0, "type": "com.xiaomi"}]
    assert "13800000000" not in out


HEAVY = """
import sys, agent.snapshot, agent.transport_tcp
heavy = {"requests", "cryptography", "http_message_signatures"}
print([m for m in sys.modules if m.split(".")[0] in heavy or m.startswith("agent.simulator")])
"""


def test_the_module_runs_and_what_it_does_not_need_stays_out() -> None:
    done = subprocess.run([sys.executable, "-c", HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    done = subprocess.run([sys.executable, "-m", "agent"], capture_output=True, text=True, check=False)
    assert done.returncode == 2


@pytest.mark.parametrize(
    "target", ["nonsense", "tcp:", "tcp:host:0", "tcp:host:99999", "server:", "server:a b"]
)
def test_bad_target_is_2(capsys: pytest.CaptureFixture[str], target: str) -> None:
    code, out, err = run(capsys, target)
    assert (code, out) == (2, "")
    assert "tcp:HOST:PORT" in err


def test_bad_argument_is_2() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["snapshot", "tcp:127.0.0.1:5555", "--timeout", "soon"])
    assert caught.value.code == 2


def test_unreachable_is_3(capsys: pytest.CaptureFixture[str]) -> None:
    with Fleet([plain()]) as fleet:
        target = f"tcp:127.0.0.1:{fleet.ports[0]}"
    code, out, err = run(capsys, target)
    assert (code, out) == (3, "")
    assert "unreachable" in err


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(FaultKind.HANG, at=FaultPoint.ACCEPT), "timeout"),
        (Fault(FaultKind.HANG, at=FaultPoint.CNXN), "timeout"),
        (Fault(FaultKind.HANG, at=FaultPoint.OPEN), "timeout"),
        (Fault(FaultKind.DROP, after_bytes=100), "dropped"),
        (Fault(FaultKind.GARBAGE, at=FaultPoint.WIRE), ""),
        (Fault(FaultKind.FLOOD, size=20 * 2**20), "too_large"),
    ],
    ids=lambda value: f"{value.kind}-{value.at}" if isinstance(value, Fault) else None,
)
def test_a_phone_that_does_not_answer_is_3(
    capsys: pytest.CaptureFixture[str], keyfile: Path, fault: Fault, reason: str
) -> None:
    phone = plain()
    # A phone that falls silent after it was offered a new key may be waiting for its owner's tap: that is 4.
    phone.auth = AuthMode.OPEN
    with Fleet([phone]) as fleet:
        fleet.set_fault(0, fault)
        limits = ["--timeout", "0.4" if reason == "timeout" else "20", "--connect-timeout", "0.4"]
        target = f"tcp:127.0.0.1:{fleet.ports[0]}"
        code, out, err = run(capsys, target, "--adb-key", str(keyfile), *limits)
    assert (code, out) == (3, "")
    assert reason in err


def test_unauthorised_is_4(capsys: pytest.CaptureFixture[str], keyfile: Path) -> None:
    phone = plain()
    phone.auth = AuthMode.NEVER
    with Fleet([phone]) as fleet:
        target = f"tcp:127.0.0.1:{fleet.ports[0]}"
        code, out, err = run(capsys, target, "--adb-key", str(keyfile), "--auth-wait", "0.3")
    assert (code, out) == (4, "")
    assert "允许" in err


@pytest.mark.parametrize("kind", [Fault(FaultKind.EMPTY), Fault(FaultKind.GARBAGE, at=FaultPoint.OUTPUT)])
def test_an_answer_that_proves_nothing_is_5(
    capsys: pytest.CaptureFixture[str], keyfile: Path, kind: Fault
) -> None:
    with Fleet([plain()]) as fleet:
        target = f"tcp:127.0.0.1:{fleet.ports[0]}"
        run(capsys, target, "--adb-key", str(keyfile))
        fleet.set_fault(0, kind)
        code, out, err = run(capsys, target, "--adb-key", str(keyfile))
    assert code in {3, 5} if kind.kind is FaultKind.GARBAGE else code == 5
    if code == 5:
        body = json.loads(out)
        assert body["power"] is None
        assert body["packages"] is None
        assert {"power", "identity", "packages", "users"} <= {note["section"] for note in body["unread"]}
    assert err


@pytest.mark.parametrize("sdk", sorted(RELEASES))
def test_every_android(sdk: int) -> None:
    phone = plain(sdk)
    snapshot = read(phone)
    body, notes = snapshot.body, unread(snapshot)
    assert body["identity"]["sdk"] == sdk
    assert body["power"]["boot_id"] == phone.boot_id
    assert body["power"]["boot_count"] == phone.boot_count
    assert abs(body["power"]["uptime_s"] - phone.uptime()) < 30
    assert {package["name"] for package in body["packages"]} == {p.name for p in phone.packages}
    assert all(set(package) == NAMES for package in body["packages"] if package["system"])
    assert all(set(package) == NAMES | {"signer"} for package in body["packages"] if not package["system"])
    by_name = {p.name: p for p in phone.packages}
    for package in body["packages"]:
        known = by_name[package["name"]]
        assert package["version_code"] == known.version_code
        assert package["version_name"] == known.version_name
        assert package["system"] is known.system
        assert (package["enabled"], package["suspended"]) == (True, False)
        assert package["installer"] == known.installer
    assert body["storage"]["data_total_bytes"] <= phone.storage_total
    assert body["setup"]["unknown_sources"] == (["*"] if sdk < 26 else [])
    silent = {"identity.imei", "setup.lock_screen", "power.boot_reasons"}
    if sdk < 26:
        silent |= {"security.verified_boot", "security.bootloader_locked"}
    if sdk < 29:
        silent.add("security.roles.browser")
    assert not notes.keys() - silent


def test_disabled_and_suspended_packages() -> None:
    phone = plain()
    first, second, *rest = phone.packages
    phone.packages = [
        replace(first, users={0: UserState(Enabled.DISABLED_USER, suspended=False)}),
        replace(second, users={0: UserState(suspended=True)}),
        *rest,
    ]
    rows = {package["name"]: package for package in read(phone).body["packages"]}
    assert (rows[first.name]["enabled"], rows[first.name]["suspended"]) == (False, False)
    assert (rows[second.name]["enabled"], rows[second.name]["suspended"]) == (True, True)


def test_a_user_that_may_not_be_read_is_not_inspected() -> None:
    phone = plain()
    phone.users = [User(0, "机主"), User(10, "手机分身")]
    phone.unreadable_users = {10}
    snapshot = read(phone)
    assert unread(snapshot)["packages.user.10"] == "permission denied"
    assert {package["user"] for package in snapshot.body["packages"]} == {0}
    assert [user["id"] for user in snapshot.body["users"]] == [0, 10]


def test_no_user_that_may_be_read_is_no_empty_list() -> None:
    phone = plain()
    phone.unreadable_users = {0}
    snapshot = read(phone)
    assert snapshot.body["packages"] is None
    assert {"packages", "packages.user.0"} <= unread(snapshot).keys()


def test_security_says_what_was_changed() -> None:
    phone = plain()
    phone.device_owner, phone.profile_owners = "com.mdm", {10: "com.folder"}
    phone.users = [User(0, "机主"), User(10, "工作")]
    phone.device_admins, phone.su, phone.loader_unlocked = ["com.find/com.find.Admin"], True, True
    phone.identity.build_type, phone.selinux_enforcing = "userdebug", False
    phone.roles["sms"] = ["com.other.sms", "com.android.mms"]
    phone.settings["secure"] |= {"enabled_accessibility_services": "a.b/.Clicker:c.d/c.d.Reader"}
    assert read(phone, "mksh" if MkshRunner.available() else "canned").body["security"] | {
        "input_method": ""
    } == {
        "device_owner": {"set": True, "package": "com.mdm"},
        "profile_owners": [{"user": 10, "package": "com.folder"}],
        "verified_boot": "orange",
        "bootloader_locked": False,
        "debuggable": True,
        "build_tags": "test-keys",
        "su": True,
        "selinux": "permissive",
        "accessibility": ["a.b/a.b.Clicker", "c.d/c.d.Reader"],
        "notification_listeners": [],
        "device_admins": ["com.find/com.find.Admin", "com.mdm/com.mdm.AdminReceiver"],
        "input_method": "",
        "roles": {
            "sms": ["com.other.sms", "com.android.mms"],
            "dialer": ["com.android.contacts"],
            "home": ["com.oppo.launcher"],
            "browser": ["com.heytap.browser"],
            "assistant": ["com.heytap.speechassist"],
        },
    }


def test_boot_count_waits_for_the_boot_to_end() -> None:
    phone = plain()
    phone.boot_completed_after_s = phone.uptime() + 1000
    snapshot = read(phone)
    assert snapshot.body["power"]["boot_count"] is None
    assert unread(snapshot)["power.boot_count"] == "the phone is still booting"
    assert snapshot.proves_on


def test_account_names_leave_only_under_a_key() -> None:
    snapshot = read(plain(), hmac_key=b"k" * 32)
    (account,) = snapshot.body["accounts"]
    assert re.fullmatch(r"[0-9a-f]{64}", account["name_hmac"])
    other = read(plain(), hmac_key=b"x" * 32).body["accounts"][0]["name_hmac"]
    assert account["name_hmac"] != other
    assert "13800000000" not in json.dumps(snapshot.body)


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.HANG])
def test_half_an_answer_still_proves_the_phone_on(kind: FaultKind) -> None:
    phone = plain()
    phone.auth = AuthMode.OPEN
    at = FaultPoint.OUTPUT if kind is FaultKind.HANG else None
    with Fleet([phone]) as fleet:
        target = f"tcp:127.0.0.1:{fleet.ports[0]}"
        whole = len(render(snapshot_command()[0], phone).stdout)
        fleet.set_fault(0, Fault(kind, at=at, after_bytes=whole - 500))
        with open_transport(target, TransportOptions()) as transport:
            snapshot = read_snapshot(transport, deadline_s=0.5 if kind is FaultKind.HANG else 20)
    assert snapshot.identified
    assert snapshot.proves_on
    reason = "timeout" if kind is FaultKind.HANG else "dropped"
    assert unread(snapshot)["packages.details"] == reason
    assert all(package["version_name"] is None for package in snapshot.body["packages"])


def test_the_instant_lies_between_request_and_receipt() -> None:
    phone = plain()
    ticks = iter([100.0, 107.5])
    phone.auth = AuthMode.OPEN
    with Fleet([phone]) as fleet:
        options = TransportOptions()
        with open_transport(f"tcp:127.0.0.1:{fleet.ports[0]}", options) as transport:
            stamped = replace(transport.run(snapshot_command()[0], 20), opened_at=next(ticks))
            received = next(ticks)
            transport.run = lambda command, deadline_s: replace(  # type: ignore[method-assign]
                stamped, first_output_at=received
            )
            snapshot = read_snapshot(transport)
    assert (snapshot.read_at, snapshot.waited_s) == (107.5, 7.5)


def test_the_script_fits_into_old_phones_open() -> None:
    command, nonce = snapshot_command()
    assert len(command.encode()) < MAX_COMMAND
    assert snapshot_command()[1] != nonce


@pytest.mark.parametrize("index", range(4))
def test_canned_output_is_what_mksh_prints(index: int) -> None:
    if not MkshRunner.available():
        pytest.skip("mksh or toybox is not installed")
    phone = make_phone(index)
    phone.auth = AuthMode.OPEN
    command, nonce = snapshot_command()
    with Fleet([phone], mode="mksh") as fleet:
        target = f"tcp:127.0.0.1:{fleet.ports[0]}"
        with open_transport(target, TransportOptions()) as transport:
            printed = transport.run(command, 30)
    assert printed.stderr == b""
    canned = render(command, phone)
    assert _timeless(printed.stdout, nonce) == _timeless(canned.stdout, nonce)


def _timeless(output: bytes, nonce: str) -> list[str]:
    text = output.decode()
    text = re.sub(rf"(?<={nonce} b uptime\n).*", "UPTIME", text)
    # Boot times by the phone's wall clock may fall on the next second.
    return re.sub(r"(?<=,)1[0-9]{9}\b", "EPOCH", text).split("\n")
