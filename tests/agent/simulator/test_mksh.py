import tempfile
import time
import uuid
from pathlib import Path

import pytest

from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.simulator.mksh import MkshRunner
from tests.agent.simulator.client import Client, frames
from tests.agent.simulator.conftest import StartFleet


def _frame(kind: int, data: bytes) -> bytes:
    return bytes((kind,)) + len(data).to_bytes(4, "little") + data


def _run(fleet: Fleet, command: str) -> tuple[bytes, bytes, int]:
    with Client(fleet.ports[0]) as client:
        client.connect()
        got = frames(client.collect(f"shell,v2,raw:{command}"))
    parts = {kind: b"".join(data for each, data in got if each == kind) for kind in (1, 2, 3)}
    return parts[1], parts[2], parts[3][0]


def _marked(boot_id: str) -> list[int]:
    """Processes of a boot, however they detached themselves."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and boot_id.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _soon(want: bool, boot_id: str) -> bool:
    for _ in range(200):
        if bool(_marked(boot_id)) is want:
            return True
        time.sleep(0.01)
    return False


def test_a_real_shell_with_the_phones_own_commands(start: StartFleet) -> None:
    fleet = start(mode="mksh")
    out, err, code = _run(
        fleet,
        "for p in ro.product.model ro.serialno; do getprop $p; done | sort; [[ -n $KSH_VERSION ]] && exit 9",
    )
    identity = fleet.phones[0].identity
    assert out.decode().split() == sorted([identity.model, identity.serial])
    assert (err, code) == (b"", 9)


def test_arguments_reach_the_emulator_as_they_are(start: StartFleet) -> None:
    fleet = start(mode="mksh")
    out, _, _ = _run(
        fleet,
        'settings put global x "a  b\'c\n工\\\\n"; settings get global x;'
        "settings put global y ''; settings list global | grep '^y='",
    )
    assert out == "a  b'c\n工\\n\ny=\n".encode()
    assert fleet.phones[0].settings["global"]["x"] == "a  b'c\n工\\n"


def test_stderr_and_exit_code_of_an_emulated_command(start: StartFleet) -> None:
    fleet = start(mode="mksh", unreadable_users={10})
    out, err, code = _run(fleet, "pm list packages --user 10")
    assert (out, code) == (b"", 255)
    assert b"java.lang.SecurityException: Shell does not have permission to access user 10\n" in err
    assert _run(fleet, "timeout 5 pm list packages --user 10 2>/dev/null")[2] == 255
    assert _run(fleet, "nosuchcommand")[2] == 127


def test_binary_and_megabytes_pass_unchanged(start: StartFleet) -> None:
    body = bytes(range(256)) * 8192
    fleet = start(mode="mksh")
    with Client(fleet.ports[0]) as client:
        client.connect()
        remote = client.open("exec:cat").arg0
        client.send(b"WRTE", 1, remote, body[: 1 << 20])
        got = client.rest(remote, until=lambda data: len(data) >= 1 << 20)
        assert got == body[: 1 << 20]


def test_stdin_frames_and_their_end(start: StartFleet) -> None:
    fleet = start(mode="mksh")
    with Client(fleet.ports[0]) as client:
        client.connect()
        remote = client.open("shell,v2,raw:cat; exit 4").arg0
        wire = _frame(0, b"hel") + _frame(0, b"lo") + _frame(4, b"")
        client.send(b"WRTE", 1, remote, wire[:7])
        assert client.read().command == b"OKAY"
        client.send(b"WRTE", 1, remote, wire[7:])
        got = frames(client.rest(remote))
    assert b"".join(data for kind, data in got if kind == 1) == b"hello"
    assert got[-1] == (3, b"\x04")


def test_rubbish_in_place_of_frames_ends_the_stream(start: StartFleet) -> None:
    fleet = start(mode="mksh")
    with Client(fleet.ports[0]) as client:
        client.connect()
        remote = client.open("shell,v2,raw:cat").arg0
        client.send(b"WRTE", 1, remote, b"\0\xff\xff\xff\xff")
        assert client.rest(remote) == b""
        assert client.collect("exec:echo on", local=2) == b"on\n"
    assert _soon(want=False, boot_id=fleet.phones[0].boot_id)


def test_a_terminal_with_its_size(start: StartFleet) -> None:
    fleet = start(mode="mksh")
    with Client(fleet.ports[0]) as client:
        client.connect()
        remote = client.open(
            "shell,v2,TERM=xterm,pty:read x; sh -c 'echo $TERM $COLUMNS $LINES'; exit 2"
        ).arg0
        client.send(b"WRTE", 1, remote, _frame(5, b"33x101,640x480\0"))
        assert client.read().command == b"OKAY"
        client.send(b"WRTE", 1, remote, _frame(0, b"\n"))
        got = client.rest(remote)
    assert b"xterm 101 33\r\n" in got
    assert got.endswith(b"\x03\x01\0\0\0\x02")


def test_proc_is_the_phones(start: StartFleet) -> None:
    fleet = start(mode="mksh")
    phone = fleet.phones[0]
    out, _, _ = _run(
        fleet,
        "cat $BUTLER_PROC/sys/kernel/random/boot_id /proc/uptime; read u r <$BUTLER_PROC/uptime; echo $u",
    )
    boot_id, uptime, _idle, again = out.decode().split()
    assert boot_id == phone.boot_id
    assert float(uptime) == float(again)
    assert 0 <= phone.uptime() - float(uptime) < 30
    fleet.reboot(0)
    assert _run(fleet, "cat /proc/sys/kernel/random/boot_id")[0].decode().strip() == phone.boot_id != boot_id


def test_a_script_that_stays_sees_the_uptime_pass(start: StartFleet) -> None:
    fleet = start(mode="mksh")
    out, _, _ = _run(
        fleet, "read a r <$BUTLER_PROC/uptime; sleep 1.3; read b r <$BUTLER_PROC/uptime; echo $a $b"
    )
    before, after = map(float, out.split())
    assert after > before


def test_pushed_files_are_where_the_shell_finds_them(start: StartFleet) -> None:
    fleet = start(mode="mksh")
    path = fleet.devices[0].files.real("/data/local/tmp/a b.sh", writing=True)
    path.write_text('echo "$0" is here; getprop ro.product.brand\n', encoding="utf-8")
    out, _, code = _run(
        fleet, "sh '/data/local/tmp/a b.sh'; ls /data/local/tmp; echo x >/sdcard/y; cat /sdcard/y"
    )
    assert out.decode() == f"{path} is here\n{fleet.phones[0].identity.brand}\na b.sh\nx\n"
    assert code == 0


def test_a_background_loop_holds_the_stream_and_setsid_lets_it_go(start: StartFleet) -> None:
    fleet = start(mode="mksh")
    begin = fleet.phones[0].clock()
    _run(fleet, "setsid nohup sh -c 'sleep 30' </dev/null >/dev/null 2>&1 & echo gone")
    assert fleet.phones[0].clock() - begin < 20
    assert _soon(want=True, boot_id=fleet.phones[0].boot_id)


@pytest.mark.parametrize("end", ["reboot", "power_off", "close"])
def test_no_process_lives_past_its_boot(start: StartFleet, end: str) -> None:
    fleet = start(mode="mksh")
    boot_id = fleet.phones[0].boot_id
    _run(fleet, "setsid nohup sh -c 'while :; do sleep 1; done' </dev/null >/dev/null 2>&1 &")
    assert _soon(want=True, boot_id=boot_id)
    if end == "close":
        fleet.close()
    else:
        getattr(fleet, end)(0)
    assert _soon(want=False, boot_id=boot_id)


def test_an_orderly_shutdown_lets_a_script_write_its_mark_and_a_loss_of_power_does_not(
    start: StartFleet,
) -> None:
    fleet = start(mode="mksh")
    loop = 'trap "echo bye >/sdcard/mark; exit" TERM; while :; do sleep 9 & wait; done'
    script = f"setsid nohup sh -c '{loop}' </dev/null >/dev/null 2>&1 & sleep 0.1"
    mark = fleet.devices[0].files.real("/sdcard/mark")
    for reason, written in (("", False), ("shutdown,userrequested", True)):
        _run(fleet, script)
        boot_id = fleet.phones[0].boot_id
        assert _soon(want=True, boot_id=boot_id)
        fleet.power_off(0, reason)
        assert _soon(want=False, boot_id=boot_id)
        assert mark.exists() is written
        fleet.power_on(0)


def test_the_client_that_goes_leaves_no_writer_behind(start: StartFleet) -> None:
    fleet = start(mode="mksh")
    with Client(fleet.ports[0]) as client:
        client.connect()
        remote = client.open("exec:while :; do echo y; sleep 0.01; done").arg0
        client.read()
        client.send(b"CLSE", 1, remote)
    assert _soon(want=False, boot_id=fleet.phones[0].boot_id)


def test_a_process_waits_for_a_client_that_does_not_take_its_output(start: StartFleet) -> None:
    fleet = start(mode="mksh")
    done = fleet.devices[0].files.real("/sdcard/done")
    with Client(fleet.ports[0]) as client:
        client.connect()
        remote = client.open("exec:head -c 3000000 /dev/zero; echo x >/sdcard/done").arg0
        first = client.read()
        assert client.silent()
        assert not done.exists()
        client.send(b"OKAY", 1, remote)
        assert len(first.data) + len(client.rest(remote)) == 3_000_000
    assert done.exists()


def test_phones_do_not_mix(start: StartFleet) -> None:
    fleet = start(count=2, mode="mksh")
    for port, phone in zip(fleet.ports, fleet.phones, strict=True):
        with Client(port) as client:
            client.connect()
            got = client.collect("exec:getprop ro.serialno; cat /proc/sys/kernel/random/boot_id")
        assert got.decode().split() == [phone.identity.serial, phone.boot_id]


def test_the_same_phone_in_another_fleet_is_left_alone(start: StartFleet) -> None:
    boot_id = str(uuid.uuid4())
    one, two = start(mode="mksh", boot_id=boot_id), start(mode="mksh", boot_id=boot_id)
    loop = "setsid nohup sh -c 'while :; do sleep 1; done' </dev/null >/dev/null 2>&1 &"
    _run(one, loop)
    assert _soon(want=True, boot_id=boot_id)
    _run(two, "true")
    two.power_off(0)
    assert _marked(boot_id)
    one.power_off(0)
    assert _soon(want=False, boot_id=boot_id)


def test_nothing_is_left_on_the_machine(start: StartFleet, monkeypatch: pytest.MonkeyPatch) -> None:
    # Not tmp_path: sockets have 108 bytes for their path, and pytest-xdist's is long.
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr("tempfile.tempdir", folder)
        fleet = start(mode="mksh")
        _run(fleet, "echo x >/sdcard/x")
        assert any(Path(folder).iterdir())
        fleet.close()
        assert not any(Path(folder).iterdir())


def test_without_mksh_a_fleet_is_canned_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(MkshRunner, "available", staticmethod(lambda: False))
    with Fleet([make_phone(0), make_phone(1)], "mksh") as fleet:
        assert fleet.mode == "canned"
    assert capsys.readouterr().err.count("canned output") == 1
