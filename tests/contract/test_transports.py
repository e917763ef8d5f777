"""One contract, three ways to a phone: straight by TCP, and through two real adb servers in front of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.adbserver import AdbServer as ServerClient
from agent.adbserver import ServerDevice
from agent.errors import (
    OutputTooLarge,
    Refused,
    Timeout,
    TransportError,
    TransportFault,
    Unauthorised,
    Unreachable,
)
from agent.simulator.faults import Fault, FaultKind, FaultPoint
from agent.simulator.fleet import Mode
from agent.simulator.state import AuthMode
from agent.snapshot import read_snapshot
from agent.transport import TransportOptions, open_transport
from agent.transport_tcp import TcpTransport
from tests.contract.conftest import Bench, Made
from tests.support import adb

CHINESE = "移交清单 1.bin"


def test_exit_code_and_both_outputs(phone: Made) -> None:
    with phone().open() as transport:
        result = transport.run("echo out; echo err >&2; exit 7", 20)
    assert (result.stdout, result.stderr, result.exit_code) == (b"out\n", b"err\n", 7)


def test_one_transport_runs_several_commands(phone: Made) -> None:
    with phone().open() as transport:
        assert [transport.run(f"echo {n}", 20).stdout for n in range(3)] == [b"0\n", b"1\n", b"2\n"]


def test_output_as_long_as_a_header_of_the_wire_is_output(phone: Made) -> None:
    """24 bytes, with a shell frame's own five and without."""
    with phone().open() as transport:
        for size in (18, 19, 23, 24):
            assert transport.run(f"printf %0{size}d 7", 20).stdout == b"0" * (size - 1) + b"7"


def test_no_output(phone: Made) -> None:
    with phone().open() as transport:
        result = transport.run("true", 20)
    assert (result.stdout, result.stderr, result.exit_code) == (b"", b"", 0)


BYTES = bytes(range(256)) + b"\r\n\n\r\r\n\x00\xff"
OCTAL = "".join(f"\\0{byte:o}" for byte in BYTES)


def test_output_is_binary(phone: Made) -> None:
    with phone().open() as transport:
        result = transport.run(f"printf '%b' '{OCTAL}'", 20)
    assert result.stdout == BYTES


def test_old_phone_without_shell_v2(phone: Made) -> None:
    with phone(shell_v2=False).open() as transport:
        result = transport.run("printf 'a\\nb\\n'; echo err >&2; exit 3 # done", 20)
        again = transport.run("getprop ro.build.version.sdk", 20)
    assert result.exit_code == 3
    assert result.stdout == b"a\nb\nerr\n"
    assert again.stdout.strip().isdigit()


def test_a_terminals_line_ends_are_mended(phone: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before Android 5 there is only `shell:`, which runs commands in a terminal."""
    for module in ("agent.transport_tcp", "agent.transport_server"):
        monkeypatch.setattr(f"{module}.FALLBACK_SERVICES", ("none", "shell"))
    bench = phone(shell_v2=False)
    if bench.server is None:
        raw = b"".join(_raw_shell(bench, "echo one"))
        assert raw == b"one\r\n"
    with bench.open() as transport:
        result = transport.run("echo one; printf 'a\\r\\nb\\n'; exit 4", 20)
    assert (result.stdout, result.exit_code) == (b"one\na\r\nb\n", 4)


def _raw_shell(bench: Bench, command: str) -> Iterator[bytes]:
    """What the phone really sends, to be sure that there is something to mend."""
    with bench.open() as transport:
        assert isinstance(transport, TcpTransport)
        yield from transport._device._streaming_command(b"shell", command.encode(), 10, 10, None)


def test_large_output(phone: Made) -> None:
    with phone().open() as transport:
        result = transport.run("head -c 5242880 /dev/zero", 60)
    assert len(result.stdout) == 5 * 2**20
    assert not result.stdout.strip(b"\0")


def test_output_over_the_cap_is_cut_off(phone: Made) -> None:
    bench = phone(mode="canned")
    bench.attach()
    bench.fleet.set_fault(0, Fault(FaultKind.FLOOD, size=3 * 2**20))
    with bench.open(max_output=2**20) as transport, pytest.raises(OutputTooLarge) as caught:
        transport.run("id", 30)
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("at", [FaultPoint.OPEN, FaultPoint.OUTPUT])
def test_a_hanging_phone_ends_by_the_deadline(phone: Made, at: FaultPoint) -> None:
    bench = phone(mode="canned")
    with bench.open() as transport:
        bench.fleet.set_fault(0, Fault(FaultKind.HANG, at=at, after_bytes=5 * (at is FaultPoint.OUTPUT)))
        with pytest.raises(Timeout) as caught:
            transport.run("id", 0.3)
    assert caught.value.reason == "timeout"
    assert caught.value.partial is not None


def test_a_connection_that_drops_mid_stream(phone: Made) -> None:
    bench = phone(mode="canned")
    with bench.open() as transport:
        bench.fleet.set_fault(0, Fault(FaultKind.DROP, after_bytes=25))
        with pytest.raises(TransportFault) as caught:
            transport.run("id", 20)
    assert caught.value.reason == "dropped"
    assert caught.value.partial is not None
    assert caught.value.partial.stdout.startswith(b"uid=2000")
    assert caught.value.partial.exit_code is None


def test_rubbish_in_place_of_output_is_no_answer(phone: Made) -> None:
    bench = phone(mode="canned")
    with bench.open() as transport:
        bench.fleet.set_fault(0, Fault(FaultKind.GARBAGE, at=FaultPoint.OUTPUT))
        result = transport.run("id", 20)
    assert not result.stdout.startswith(b"uid=")


def test_a_phone_that_nobody_allows(phone: Made) -> None:
    bench = phone(mode="canned", auth=AuthMode.NEVER)
    with pytest.raises(Unauthorised) as caught:
        bench.open(auth_wait_s=0.3).run("id", 5)
    assert caught.value.reason == "unauthorized"


def test_a_phone_that_is_off(phone: Made) -> None:
    bench = phone(mode="canned")
    bench.attach()
    bench.fleet.power_off(0)
    with pytest.raises(TransportError) as caught:
        bench.open(connect_s=3).run("id", 3)
    # An adb server that has not noticed yet takes the stream's end for a phone that offers no shell.
    assert caught.value.reason in {"unreachable", "dropped", "timeout", "refused"}


@pytest.mark.parametrize("old", [False, True], ids=["now", "before_shell_v2"])
def test_push_and_pull_are_equal(phone: Made, tmp_path: Path, old: bool) -> None:
    content = hashlib.shake_128(b"butler").digest(3 * 2**20 + 17)
    (tmp_path / CHINESE).write_bytes(content)
    bench = phone(shell_v2=not old)
    with bench.open() as transport:
        transport.push(tmp_path / CHINESE, f"/data/local/tmp/{CHINESE}", 60)
        proof = transport.run(f"md5sum '/data/local/tmp/{CHINESE}'", 20)
        transport.pull(f"/data/local/tmp/{CHINESE}", tmp_path / "back", 60)
    assert proof.stdout.split()[0] == hashlib.md5(content).hexdigest().encode()
    assert (tmp_path / "back").read_bytes() == content


def test_an_empty_file_and_its_mode(phone: Made, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    with phone().open() as transport:
        transport.push(tmp_path / "empty", "/data/local/tmp/empty", 20, mode=0o755)
        mode = transport.run("stat -c %a /data/local/tmp/empty", 20)
        transport.pull("/data/local/tmp/empty", tmp_path / "back", 20)
    assert mode.stdout == b"755\n"
    assert (tmp_path / "back").read_bytes() == b""


def test_a_file_that_is_not_there_leaves_nothing(phone: Made, tmp_path: Path) -> None:
    with phone(mode="canned").open() as transport, pytest.raises(Refused) as caught:
        transport.pull("/data/local/tmp/none", tmp_path / "back", 20)
    assert caught.value.reason == "refused"
    assert list(tmp_path.iterdir()) == []


def test_a_file_over_the_cap_leaves_nothing(phone: Made, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(2**20))
    bench = phone(mode="canned")
    with bench.open(max_file=2**19) as transport:
        transport.push(tmp_path / "big", "/data/local/tmp/big", 20)
        with pytest.raises(OutputTooLarge):
            transport.pull("/data/local/tmp/big", tmp_path / "back", 20)
    assert [path.name for path in tmp_path.iterdir()] == ["big"]


@pytest.mark.parametrize("mode", ["mksh", "canned"])
def test_a_snapshot_is_one_stream(phone: Made, mode: Mode) -> None:
    bench = phone(mode=mode)
    with bench.open() as transport:
        before = bench.fleet.devices[0].counters.opens
        snapshot = read_snapshot(transport)
        assert bench.fleet.devices[0].counters.opens - before == 1
        assert transport.link == "loopback"
    assert snapshot.identified
    assert snapshot.proves_on
    assert snapshot.body["identity"]["serial"] == bench.fleet.phones[0].identity.serial
    assert 0 <= snapshot.waited_s < 60


def test_the_server_is_away(tmp_path: Path) -> None:
    options = TransportOptions(adb_server=("127.0.0.1", adb.free_port()), connect_s=2)
    with pytest.raises(Unreachable) as caught:
        open_transport("server:R58M123", options)
    assert caught.value.reason == "adb_down"


@pytest.mark.parametrize("server", ["system", "bundled"], indirect=True)
def test_the_server_lists_and_tracks(phone: Made) -> None:
    bench = phone(mode="canned")
    assert bench.server is not None
    client = ServerClient(bench.server.address)
    with client.track() as tracker:
        assert tracker.wait(5) == []
        bench.attach()
        seen: list[ServerDevice] = []
        while not any(d.serial == bench.serial and d.state == "device" for d in seen):
            seen = tracker.wait(10) or []
        assert tracker.wait(0.05) is None
    (device,) = client.listed()
    assert (device.serial, device.state, device.link) == (bench.serial, "device", "loopback")
    with pytest.raises(Unreachable):
        open_transport("server:NOTHERE", bench.options)
