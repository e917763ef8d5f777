"""The emulated commands against the formats that real phones print."""

import re
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.simulator.android import NAMES, run
from agent.simulator.make import make_phone
from agent.simulator.state import (
    Account,
    Enabled,
    Package,
    PhoneState,
    SimSlot,
    User,
    UserState,
)

FIXTURES = Path(__file__).parents[4] / "shared/fixtures"
REAL_GETPROP = FIXTURES / "dttzyjw0012__device_xiaomi_mayfly/getprop.txt"
REAL_PACKAGES = FIXTURES / "mvt-project__mvt/tests/artifacts/android_data/dumpsys_packages.txt"


@pytest.fixture
def phone() -> PhoneState:
    """Android 14 with a dual-app user and a second user that shell may not read."""
    phone = make_phone(0)
    phone.packages = [
        Package("android", 34, "14", system=True, path="/system/framework/framework-res.apk", uid=1000),
        Package(
            "com.tencent.mm",
            2580,
            "8.0.49",
            installer="com.xiaomi.market",
            path="/data/app/~~a==/com.tencent.mm-b==/base.apk",
            uid=10123,
            users={0: UserState(), 999: UserState(suspended=True)},
        ),
        Package(
            "com.game",
            7,
            "1 beta",
            path="/data/app/com.game-1/base.apk",
            uid=10200,
            users={0: UserState(Enabled.DISABLED_USER)},
        ),
    ]
    phone.users = [User(0, "机主"), User(10, "第二空间"), User(999, "XSpace", running=False, flags=0x4001010)]
    phone.unreadable_users = {10}
    phone.accounts = [Account(0, "com.xiaomi", "13800000000"), Account(999, "com.google", "a@b.c")]
    phone.sims = [SimSlot("LOADED", "46000", "中国移动"), SimSlot()]
    phone.lock_pin = "2580"
    return phone


def _out(phone: PhoneState, command: str) -> str:
    output = run(command.split(), phone)
    assert (output.stderr, output.exit_code) == (b"", 0), output
    return output.stdout.decode()


def _err(phone: PhoneState, *argv: str) -> tuple[str, int]:
    output = run(list(argv), phone)
    assert output.stdout == b""
    return output.stderr.decode(), output.exit_code


def test_getprop_of_all_is_sorted_records_with_values_over_several_lines(phone: PhoneState) -> None:
    text = _out(phone, "getprop")
    records = re.findall(r"^\[([^\]]+)\]: \[(.*?)\]$", text, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in records] == sorted(name for name, _ in records)
    values = dict(records)
    assert values["gsm.sim.state"] == "LOADED,ABSENT"
    assert values["gsm.sim.operator.numeric"] == "46000,"
    assert len(values["persist.sys.boot.reason.history"].split("\n")) == len(phone.boot_reasons)
    assert _out(phone, "getprop ro.product.model") == "23013RK75C\n"
    assert _out(phone, "getprop ro.nothing") == "\n"
    assert _out(phone, "getprop ro.nothing else") == "else\n"


def test_getprop_names_are_those_of_a_real_phone(phone: PhoneState) -> None:
    if not REAL_GETPROP.exists():
        pytest.skip("captures of real phones are not at hand")
    real = set(
        re.findall(
            r"^\[([^\]]+)\]: \[", REAL_GETPROP.read_text(encoding="utf-8", errors="replace"), re.MULTILINE
        )
    )
    ours = set(re.findall(r"^\[([^\]]+)\]: \[", _out(phone, "getprop"), re.MULTILINE))
    # A dump of a rooted build leaves out what names the phone; the boot marks are set later in the boot.
    assert ours - real <= {
        "ro.serialno",
        "dev.bootcomplete",
        "sys.boot_completed",
        "ro.product.locale",
        "persist.sys.usb.config",
    }


def test_old_phones_keep_no_boot_history() -> None:
    old = make_phone(10)
    assert "boot.reason.history" not in _out(old, "getprop")


def test_settings(phone: PhoneState) -> None:
    assert _out(phone, "settings get global nothing") == "null\n"
    assert _out(phone, "settings put --user 0 global a b=c") == ""
    assert _out(phone, "settings get global a") == "b=c\n"
    listed = _out(phone, "settings list global").splitlines()
    assert listed == sorted(listed)
    assert f"boot_count={phone.boot_count}" in listed
    assert _out(phone, "settings delete global a") == "Deleted 1 rows\n"
    assert _out(phone, "cmd settings get secure android_id") == phone.identity.android_id + "\n"
    assert _err(phone, "settings", "get", "globl", "x")[1] == 255
    assert _err(phone, "settings", "put", "global", "x")[1] == 255


def test_pm_list_packages(phone: PhoneState) -> None:
    assert (
        _out(phone, "pm list packages --user 0")
        == "package:android\npackage:com.tencent.mm\npackage:com.game\n"
    )
    assert _out(phone, "cmd package list packages -s --user 0") == "package:android\n"
    assert _out(phone, "pm list packages -3 -e --user 0") == "package:com.tencent.mm\n"
    assert _out(phone, "pm list packages -d --user 0") == "package:com.game\n"
    assert _out(phone, "pm list packages --user 999") == "package:com.tencent.mm\n"
    assert _out(phone, "pm list packages --user 7") == ""
    assert _out(phone, "pm list packages --user 0 tencent") == "package:com.tencent.mm\n"
    assert _out(phone, "pm list packages -f -i -U --show-versioncode --user 999") == (
        "package:/data/app/~~a==/com.tencent.mm-b==/base.apk=com.tencent.mm versionCode:2580"
        "  installer=com.xiaomi.market uid:99910123\n"
    )
    assert _out(phone, "pm path com.tencent.mm") == "package:/data/app/~~a==/com.tencent.mm-b==/base.apk\n"


def test_a_user_that_may_not_be_read_spoils_a_list_of_all_users(phone: PhoneState) -> None:
    words = "Shell does not have permission to access user 10"
    for argv in (("pm", "list", "packages"), ("pm", "list", "packages", "--user", "10")):
        text, code = _err(phone, *argv)
        assert text.startswith(
            f"\nException occurred while executing 'list':\njava.lang.SecurityException: {words}\n\tat "
        )
        assert code == 255
    phone.identity.sdk = 29
    assert _err(phone, "pm", "list", "packages")[0].startswith(
        f"Security exception: {words}\n\njava.lang.Sec"
    )


def test_older_pm_does_not_know_newer_options(phone: PhoneState) -> None:
    phone.identity.sdk = 25
    assert _err(phone, "pm", "list", "packages", "--show-versioncode", "--user", "0") == (
        "Error: Unknown option: --show-versioncode\n",
        255,
    )


def test_pm_list_users(phone: PhoneState) -> None:
    assert _out(phone, "pm list users") == (
        "Users:\n\tUserInfo{0:机主:c13} running\n\tUserInfo{10:第二空间:c13} running\n\tUserInfo{999:XSpace:4001010}\n"
    )


def test_apps_are_removed_disabled_and_suspended_for_one_user(phone: PhoneState) -> None:
    assert _out(phone, "pm uninstall --user 999 com.tencent.mm") == "Success\n"
    assert _out(phone, "pm list packages --user 999") == ""
    assert "com.tencent.mm" in _out(phone, "pm list packages --user 0")
    assert _out(phone, "pm enable --user 0 com.game") == "Package com.game new state: enabled\n"
    assert _out(phone, "pm disable-user --user 0 com.game") == "Package com.game new state: disabled-user\n"
    assert _out(phone, "pm suspend --user 0 com.game") == "Package com.game new suspended state: true\n"
    assert "User 0: ceDataInode=1234 installed=true hidden=false suspended=true" in _out(
        phone, "dumpsys package com.game"
    )
    assert _out(phone, "pm uninstall --user 0 com.game") == "Success\n"
    assert "com.game" not in [package.name for package in phone.packages]
    gone = run(["pm", "uninstall", "com.game"], phone)
    assert (gone.stdout, gone.exit_code) == (b"Failure [not installed for 0]\n", 1)


def test_dumpsys_account_names_every_user(phone: PhoneState) -> None:
    text = _out(phone, "dumpsys account")
    assert text.startswith(
        "User UserInfo{0:机主:c13}:\n  Accounts: 1\n    Account {name=13800000000, type=com.xiaomi}\n\n"
    )
    assert "User UserInfo{10:第二空间:c13}:\n  Accounts: 0\n\n" in text
    assert (
        "User UserInfo{999:XSpace:4001010}:\n  Accounts: 1\n    Account {name=a@b.c, type=com.google}\n"
        in text
    )


def test_dumpsys_package_has_the_lines_of_a_real_one(phone: PhoneState) -> None:
    text = _out(phone, "dumpsys package packages")
    assert "  Package [com.game] (" in text
    assert "    versionCode=7 minSdk=21 targetSdk=33\n    versionName=1 beta\n" in text
    assert "    User 999: ceDataInode=1234 installed=true hidden=false suspended=true stopped=false" in text
    assert "enabled=3 " in text
    assert _out(phone, "dumpsys package nope") == "Unable to find package: nope\n"
    if not REAL_PACKAGES.exists():
        pytest.skip("captures of real phones are not at hand")
    real = REAL_PACKAGES.read_text(encoding="utf-8")
    keys = set(re.findall(r"^    (\w+)=", real, re.MULTILINE))
    assert set(re.findall(r"^    (\w+)=", text, re.MULTILINE)) <= keys | {"installerPackageName"}
    (user,) = set(re.findall(r"^    User 0: (.*)$", real, re.MULTILINE)[:1])
    names = re.findall(r"(\w+)=", user)
    assert re.findall(r"(\w+)=", text.partition("User 0: ")[2].partition("\n")[0]) == names


def test_dumpsys_of_power_battery_locks_and_owners(phone: PhoneState) -> None:
    phone.battery.percent, phone.battery.charging, phone.screen_on = 41, True, False
    assert "  level: 41\n  scale: 100\n" in _out(phone, "dumpsys battery")
    assert "  USB powered: true\n" in _out(phone, "dumpsys battery")
    assert "  mWakefulness=Asleep\n" in _out(phone, "dumpsys power")
    assert "deviceLocked=1" in _out(phone, "dumpsys trust").splitlines()[1]
    assert "CredentialType: PIN" in _out(phone, "dumpsys lock_settings")
    assert "Device Owner:" not in _out(phone, "dumpsys device_policy")
    phone.device_owner, phone.screen_on = "com.aijia.mdm", True
    assert "    package=com.aijia.mdm\n" in _out(phone, "dumpsys device_policy")
    assert "mWakefulness=Awake" in _out(phone, "dumpsys power")
    assert "mVoiceRegState=0(IN_SERVICE)" in _out(phone, "dumpsys telephony.registry")
    phone.airplane_mode = True
    assert "mVoiceRegState=0(IN_SERVICE)" not in _out(phone, "dumpsys telephony.registry")
    assert "State: RUNNING_UNLOCKED" in _out(phone, "dumpsys user")
    assert "battery" in _out(phone, "dumpsys -l")
    assert _err(phone, "dumpsys", "nothing") == ("Can't find service: nothing\n", 1)


def test_the_lock_can_be_checked_and_throttles(phone: PhoneState) -> None:
    assert _out(phone, "locksettings verify --old 2580 --user 0") == "Lock credential verified successfully\n"
    wrong = run(["locksettings", "verify", "--old", "0000", "--user", "0"], phone)
    assert (wrong.stdout, wrong.exit_code) == (b"Old password '0000' didn't match\n", 255)
    assert phone.wrong_pins == 1
    assert b"was not provided" in run(["locksettings", "verify"], phone).stdout
    assert phone.wrong_pins == 1
    for _ in range(4):
        run(["locksettings", "verify", "--old", "0000"], phone)
    assert run(["locksettings", "verify", "--old", "2580"], phone).stdout == b"Request throttled\n"
    phone.throttled_until = 0.0
    assert _out(phone, "locksettings set-pin --old 2580 1357") == "Pin set to '1357'\n"
    assert _out(phone, "cmd lock_settings clear --old 1357") == "Lock credential cleared\n"
    assert _out(phone, "locksettings verify") == "Lock credential verified successfully\n"
    assert phone.lock_pin is None


def test_imei_over_binder_is_readable_only_on_old_phones(phone: PhoneState) -> None:
    command = "service call iphonesubinfo 1 s16 com.android.shell"
    assert "ffffffff" in _out(phone, command)
    old = make_phone(10)
    words = re.findall(r"(?<=[ :])([0-9a-f]{8})(?= )", _out(old, command))
    raw = b"".join(struct.pack("<I", int(word, 16)) for word in words)
    status, length = struct.unpack_from("<ii", raw)
    assert (status, raw[8 : 8 + 2 * length].decode("utf-16-le")) == (0, old.identity.imeis[0])


WORDS = st.sampled_from(
    [
        *sorted(NAMES),
        "list",
        "packages",
        "--user",
        "0",
        "10",
        "-f",
        "-c",
        "/data",
        "get",
        "put",
        "global",
        "--old",
        "call",
    ]
)


@given(st.lists(WORDS | st.text(max_size=8), min_size=1, max_size=6))
def test_no_arguments_break_the_emulator(argv: list[str]) -> None:
    output = run(argv, make_phone(0, packages=0))
    assert 0 <= output.exit_code <= 255


def test_small_commands(phone: PhoneState) -> None:
    assert _out(phone, "id").startswith("uid=2000(shell) gid=2000(shell) groups=")
    assert _out(phone, "whoami") == "shell\n"
    uptime, idle = _out(phone, "cat /proc/uptime").split()
    assert float(idle) > float(uptime) > 0
    assert _out(phone, "cat /proc/sys/kernel/random/boot_id") == phone.boot_id + "\n"
    assert _out(phone, "date +%s") == f"{int(phone.wall())}\n"
    size, blocks, free = map(int, _out(phone, "stat -f -c %S:%b:%a /data").split(":"))
    assert (size * blocks // 4096, size * free // 4096) == (
        phone.storage_total // 4096,
        phone.storage_free // 4096,
    )
    assert _out(phone, "df /data").splitlines()[1].split()[1] == str(phone.storage_total // 1024)
    assert _err(phone, "nosuch")[1] == 127
    assert _err(phone, "cmd", "nosuch")[1] == 20
    assert "cat" in NAMES


def test_who_may_install(phone: PhoneState) -> None:
    phone.install_sources = {"com.android.browser": True, "com.tencent.mm": False}
    assert _out(phone, "appops query-op --user 0 REQUEST_INSTALL_PACKAGES allow") == "com.android.browser\n"
    phone.install_sources = {}
    assert _out(phone, "cmd appops query-op REQUEST_INSTALL_PACKAGES") == "No operations.\n"


def test_airplane_mode_leaves_the_card_but_not_the_network(phone: PhoneState) -> None:
    phone.airplane_mode = True
    assert _out(phone, "getprop gsm.sim.operator.numeric") == "46000,\n"
    assert _out(phone, "getprop gsm.operator.numeric") == ",\n"


def test_setprop_is_refused_for_what_matters(phone: PhoneState) -> None:
    assert _out(phone, "setprop debug.x 1") == ""
    assert _out(phone, "getprop debug.x") == "1\n"
    assert _err(phone, "setprop", "ro.serialno", "x")[1] == 1


def test_commands_of_power_outside_a_fleet_do_nothing(phone: PhoneState) -> None:
    asked: list[str] = []
    for argv in (["reboot"], ["reboot", "-p"], ["svc", "power", "reboot", "x"], ["svc", "power", "shutdown"]):
        assert run(argv, phone).exit_code == 0
    phone.on_power = asked.append
    for argv in (["reboot"], ["reboot", "-p"], ["svc", "power", "reboot", "x"], ["svc", "power", "shutdown"]):
        run(argv, phone)
    assert asked == ["reboot,shell", "shutdown,userrequested", "reboot,x", "shutdown,userrequested"]
