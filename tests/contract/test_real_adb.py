"""A real adb, server and client, takes a simulated phone for a phone: the proof that the wire format is right."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.simulator.faults import Fault, FaultKind, FaultPoint
from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.simulator.mksh import MkshRunner
from agent.simulator.state import AuthMode, PhoneState

Adb = Callable[..., "subprocess.CompletedProcess[bytes]"]
COMMAND_DEADLINE_S = 30
OLD_PHONE = 10


def _bundled() -> Path | None:
    import adbutils

    found = Path(adbutils.__file__).parent / "binaries" / "adb"
    return found if found.exists() else None


BINARIES = {"debian": Path(found) if (found := shutil.which("adb")) else None, "adbutils": _bundled()}


@pytest.fixture(scope="module", params=sorted(BINARIES))
def adb(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adb]:
    """`adb(*args)`: one client call against a server of its own, with its own key, ended after the tests."""
    home = tmp_path_factory.mktemp("adb")
    binary = BINARIES[request.param]
    if binary is None:
        pytest.skip(f"no adb of {request.param} on this machine")
    environment = os.environ | {
        "HOME": str(home),
        "TMPDIR": str(home),
        "ANDROID_ADB_SERVER_PORT": str(_free_port()),
        "ADB_MDNS": "0",
        "LC_ALL": "C.UTF-8",
    }
    for name in ("ADB_SERVER_SOCKET", "ANDROID_SERIAL", "ADB_VENDOR_KEYS"):
        environment.pop(name, None)

    def run(*args: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [binary, *map(str, args)],
            env=environment,
            input=stdin,
            capture_output=True,
            timeout=COMMAND_DEADLINE_S,
            check=False,
        )

    try:
        yield run
    finally:
        run("kill-server")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _phone(index: int = 0, **fields: object) -> PhoneState:
    phone = make_phone(index)
    for name, value in fields.items():
        setattr(phone, name, value)
    return phone


@pytest.fixture
def fleet(adb: Adb) -> Iterator[Fleet]:
    mode = "mksh" if MkshRunner.available() else "canned"
    with Fleet([_phone(0), _phone(OLD_PHONE, shell_v2=False)], mode) as fleet:
        yield fleet
    adb("disconnect")


def _connect(adb: Adb, fleet: Fleet, index: int = 0) -> str:
    """Connect, and wait until the server has brought the phone online (that is after its key is allowed)."""
    target = f"127.0.0.1:{fleet.ports[index]}"
    adb("disconnect", target)
    # Asked for again: a server that has not yet noticed that the phone left takes the first for what it has, and drops
    # that a moment later.
    for _ in range(3):
        adb("connect", target)
        if _until(adb, target, "device"):
            return target
    raise AssertionError(adb("devices").stdout)


def _until(adb: Adb, target: str, state: str) -> bool:
    for _ in range(100):
        if f"{target}\t{state}\n" in adb("devices").stdout.decode():
            return True
        time.sleep(0.05)
    return False


def test_connect_and_devices(adb: Adb, fleet: Fleet) -> None:
    target = _connect(adb, fleet)
    listed = adb("devices", "-l").stdout.decode()
    assert f"{target} " in listed
    assert "product:mondrian model:23013RK75C device:mondrian" in listed
    assert adb("-s", target, "get-state").stdout == b"device\n"
    assert b"shell_v2" in adb("-s", target, "features").stdout
    assert fleet.phones[0].authorised_keys


def test_shell_gives_exit_code_and_separate_stderr(adb: Adb, fleet: Fleet) -> None:
    target = _connect(adb, fleet)
    done = adb("-s", target, "shell", "getprop ro.product.model; nosuchcommand; exit 7")
    assert (done.returncode, done.stdout) == (7, b"23013RK75C\n")
    assert b"nosuchcommand" in done.stderr


def test_shell_carries_stdin_and_megabytes(adb: Adb, fleet: Fleet) -> None:
    if fleet.mode != "mksh":
        pytest.skip("mksh or toybox is not installed")
    target = _connect(adb, fleet)
    body = os.urandom(3_000_000)
    done = adb("-s", target, "shell", "-T", "cat; exit 3", stdin=body)
    assert done.returncode == 3
    assert done.stdout == body


def test_a_terminal_is_a_terminal(adb: Adb, fleet: Fleet) -> None:
    if fleet.mode != "mksh":
        pytest.skip("mksh or toybox is not installed")
    target = _connect(adb, fleet)
    done = adb("-s", target, "shell", "-tt", "[ -t 1 ] && echo terminal; exit 4")
    assert done.returncode == 4
    assert done.stdout == b"terminal\r\n"


def test_an_old_phone_without_shell_v2(adb: Adb, fleet: Fleet) -> None:
    target = _connect(adb, fleet, 1)
    done = adb("-s", target, "shell", "getprop ro.build.version.release; exit 7")
    assert done.returncode == 0
    assert done.stdout in (b"7.0\r\n", b"7.0\n")
    assert adb("-s", target, "exec-out", "echo rc=$?").stdout == b"rc=0\n"


def test_push_and_pull_give_back_every_byte(adb: Adb, fleet: Fleet, tmp_path: Path) -> None:
    target = _connect(adb, fleet)
    body = os.urandom(5_000_001)
    (tmp_path / "源.bin").write_bytes(body)
    path = "/sdcard/工作 照片/巡检'1号.bin"
    pushed = adb("-s", target, "push", tmp_path / "源.bin", path)
    assert pushed.returncode == 0, pushed
    assert fleet.devices[0].files.real(path).read_bytes() == body
    assert adb("-s", target, "pull", path, tmp_path / "back.bin").returncode == 0
    assert (tmp_path / "back.bin").read_bytes() == body


def test_an_old_phone_takes_files_too(adb: Adb, fleet: Fleet, tmp_path: Path) -> None:
    target = _connect(adb, fleet, 1)
    body = os.urandom(700_000)
    (tmp_path / "a").write_bytes(body)
    assert adb("-s", target, "push", tmp_path / "a", "/data/local/tmp/a").returncode == 0
    assert adb("-s", target, "pull", "/data/local/tmp/a", tmp_path / "b").returncode == 0
    assert (tmp_path / "b").read_bytes() == body


def test_a_folder_there_and_back(adb: Adb, fleet: Fleet, tmp_path: Path) -> None:
    if fleet.mode != "mksh":
        pytest.skip("mksh or toybox is not installed: adb makes the folder by a shell command")
    target = _connect(adb, fleet)
    source = tmp_path / "资料"
    (source / "深").mkdir(parents=True)
    (source / "空").write_bytes(b"")
    (source / "深" / "文.txt").write_text("内容", encoding="utf-8")
    assert adb("-s", target, "push", source, "/sdcard/").returncode == 0
    assert adb("-s", target, "pull", "/sdcard/资料", tmp_path / "back").returncode == 0
    assert (tmp_path / "back" / "深" / "文.txt").read_text(encoding="utf-8") == "内容"
    assert (tmp_path / "back" / "空").read_bytes() == b""


def test_push_is_refused_where_shell_may_not_write(adb: Adb, fleet: Fleet, tmp_path: Path) -> None:
    target = _connect(adb, fleet)
    (tmp_path / "a").write_bytes(b"x" * 300_000)
    done = adb("-s", target, "push", tmp_path / "a", "/system/a")
    assert done.returncode == 1
    assert b"Read-only file system" in done.stderr + done.stdout
    assert adb("-s", target, "pull", "/sdcard/nothing", tmp_path / "b").returncode == 1
    assert adb("-s", target, "shell", "echo still here").stdout == b"still here\n"


def test_a_phone_waits_for_the_tap(adb: Adb) -> None:
    with Fleet([_phone(0, auth=AuthMode.ASK)]) as fleet:
        target = f"127.0.0.1:{fleet.ports[0]}"
        adb("connect", target)
        assert _until(adb, target, "unauthorized")
        assert fleet.authorise(0) == 1
        assert _until(adb, target, "device")


def test_refused_services_are_told(adb: Adb, fleet: Fleet) -> None:
    target = _connect(adb, fleet)
    done = adb("-s", target, "root")
    assert b"cannot run as root in production builds" in done.stdout + done.stderr
    done = adb("-s", target, "jdwp")
    assert b"closed" in done.stderr


def test_adb_reboot_records_its_reason_and_the_phone_comes_back(adb: Adb, fleet: Fleet) -> None:
    target = _connect(adb, fleet)
    phone = fleet.phones[0]
    before = phone.boot_id, phone.boot_count
    assert adb("-s", target, "reboot").returncode == 0
    for _ in range(100):
        if phone.boot_id != before[0]:
            break
        time.sleep(0.05)
    assert phone.boot_count == before[1] + 1
    assert phone.boot_reasons[0][0] == "reboot,adb"
    _connect(adb, fleet)


def test_a_drop_mid_stream_ends_the_command(adb: Adb, fleet: Fleet) -> None:
    """adb 29 then exits with 0 all the same: its exit code alone proves nothing."""
    target = _connect(adb, fleet)
    fleet.set_fault(0, Fault(FaultKind.DROP, after_bytes=100))
    done = adb("-s", target, "shell", "getprop; exit 7")
    assert done.returncode != 7
    assert len(done.stdout) <= 100
    fleet.set_fault(0, None)
    _connect(adb, fleet)


def test_a_phone_that_hangs_in_the_handshake_never_comes_online(adb: Adb) -> None:
    with Fleet([_phone(0)]) as fleet:
        fleet.set_fault(0, Fault(FaultKind.HANG, at=FaultPoint.CNXN))
        target = f"127.0.0.1:{fleet.ports[0]}"
        adb("connect", target)
        assert f"{target}\tdevice" not in adb("devices").stdout.decode()
        assert fleet.devices[0].counters.connections >= 1
