"""Output handed on as it comes, files and input from iterators, by each of the three ways to a phone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from agent.errors import Refused, Timeout, TransportFault
from agent.simulator.faults import Fault, FaultKind, FaultPoint
from tests.contract.conftest import Made

BYTES = bytes(range(256)) + b"\r\n\n\r\r\n\x00\xff"
OCTAL = "".join(f"\\0{byte:o}" for byte in BYTES)


@pytest.mark.parametrize("old", [False, True], ids=["now", "before_shell_v2"])
def test_a_stream_is_raw_and_whole(phone: Made, old: bool) -> None:
    """Every byte, no CRLF, with the exit code, and nothing of stderr in between."""
    taken = bytearray()
    with phone(shell_v2=not old).open() as transport:
        result = transport.stream(f"printf '%b' '{OCTAL}'; echo err >&2; exit 9 # done", taken.extend, 20)
        again = transport.run("echo there", 20)
    assert bytes(taken) == BYTES
    assert (result.stdout, result.exit_code) == (b"", 9)
    assert result.stderr == (b"" if old else b"err\n")
    assert again.stdout == b"there\n"


@pytest.mark.parametrize("old", [False, True], ids=["now", "before_shell_v2"])
def test_a_stream_comes_in_small_pieces(phone: Made, old: bool) -> None:
    sizes: list[int] = []
    with phone(shell_v2=not old).open() as transport:
        transport.stream("head -c 5242880 /dev/zero", lambda piece: sizes.append(len(piece)), 60)
        transport.stream("true", lambda piece: sizes.append(0), 20)
    assert sum(sizes) == 5 * 2**20
    assert max(sizes) <= 2**20
    assert min(sizes) > 0


def test_what_a_sink_raises_comes_out(phone: Made) -> None:
    def full(piece: bytes) -> None:
        raise OSError(28, "No space left")

    with phone().open() as transport, pytest.raises(OSError, match="No space"):
        transport.stream("head -c 5242880 /dev/zero", full, 60)


@pytest.mark.parametrize("at", [FaultPoint.OPEN, FaultPoint.OUTPUT])
def test_a_stream_that_falls_silent_ends_early(phone: Made, at: FaultPoint) -> None:
    bench = phone(mode="canned")
    with bench.open() as transport:
        bench.fleet.set_fault(0, Fault(FaultKind.HANG, at=at, after_bytes=5 * (at is FaultPoint.OUTPUT)))
        with pytest.raises(Timeout):
            transport.stream("id", lambda piece: None, 60, idle_s=0.3)


def test_a_stream_that_is_cut_off_is_no_whole_one(phone: Made) -> None:
    bench = phone(mode="canned")
    with bench.open() as transport:
        bench.fleet.set_fault(0, Fault(FaultKind.DROP, after_bytes=25))
        taken = bytearray()
        with pytest.raises(TransportFault) as caught:
            transport.stream("id", taken.extend, 20)
    assert caught.value.reason == "dropped"
    assert bytes(taken).startswith(b"uid=")


@pytest.mark.parametrize("old", [False, True], ids=["now", "before_shell_v2"])
def test_a_file_is_sent_from_pieces(phone: Made, old: bool) -> None:
    content = hashlib.shake_128(b"butler").digest(3 * 2**20 + 17)
    name = "-移交'清\n单 \udcff,1 .bin"
    pieces = [content[:5], b"", content[5:200_000], content[200_000:]]
    bench = phone(shell_v2=not old)
    with bench.open() as transport:
        transport.send(iter(pieces), f"/sdcard/新 夹/{name}", 60, mtime=1_700_000_000)
        transport.send([], "/sdcard/empty", 20)
        proof = transport.run("cd /sdcard/ && cd 新*; md5sum ./*; stat -c %Y ./*; stat -c %s ../empty", 20)
    lines = proof.stdout.splitlines()
    assert lines[0].split()[0] == hashlib.md5(content).hexdigest().encode()
    assert lines[-2:] == [b"1700000000", b"0"]


def test_a_phone_that_takes_no_file_says_so(phone: Made) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield bytes(2**20)

    with phone(mode="canned").open() as transport, pytest.raises(Refused):
        transport.send(endless(), "/system/none", 60)
    with phone(mode="canned").open() as transport, pytest.raises(Refused):
        transport.send([], "/sdcard/" + "x" * 2000, 60)


def test_what_pieces_raise_comes_out(phone: Made) -> None:
    def damaged() -> Iterator[bytes]:
        yield bytes(100)
        raise ValueError("a record is damaged")

    with phone(mode="canned").open() as transport, pytest.raises(ValueError, match="damaged"):
        transport.send(damaged(), "/sdcard/half", 60)


def test_a_command_is_fed_from_pieces(phone: Made) -> None:
    content = hashlib.shake_128(b"fed").digest(3 * 2**20 + 17)
    pieces = [content[:5], b"", content[5:100_000], content[100_000:]]
    with phone().open() as transport:
        transport.run("head -c 1048576 /dev/zero > /sdcard/part", 20)
        command = "dd of=/sdcard/part bs=1048576 seek=1 conv=notrunc 2>/dev/null; echo done; exit 5"
        result = transport.feed(command, iter(pieces), 60)
        proof = transport.run("md5sum /sdcard/part", 20)
    assert (result.stdout, result.exit_code) == (b"done\n", 5)
    assert proof.stdout.split()[0] == hashlib.md5(bytes(2**20) + content).hexdigest().encode()


def test_a_command_that_takes_no_more_input_ends(phone: Made) -> None:
    with phone().open() as transport:
        result = transport.feed("head -c 5 >/dev/null; exit 3", (bytes(2**16) for _ in range(50)), 60)
    assert result.exit_code == 3


def test_an_old_phone_is_not_fed(phone: Made) -> None:
    with phone(shell_v2=False).open() as transport, pytest.raises(Refused):
        transport.feed("cat", iter(()), 20)


def test_a_piece_that_comes_when_the_command_has_ended_spoils_nothing_after_it(phone: Made) -> None:
    """Some phones answer it with the end of a stream that is none any more."""
    with phone(mode="canned").open() as transport:
        fed = transport.feed("dd of=/sdcard/x", (bytes(2**16) for _ in range(50)), 60)
        transport.send([b"whole"], "/sdcard/whole", 60)
        assert fed.exit_code != 0
        assert transport.run("getprop ro.build.version.sdk", 20).stdout.strip().isdigit()
