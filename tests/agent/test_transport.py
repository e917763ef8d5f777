"""Parts of the transports that need no phone: targets, shell frames, sockets, the adb server's words."""

from __future__ import annotations

import argparse
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import cli_options
from agent.adbserver import AdbServer, ServerDevice, link_of, parse_devices, server_refusal
from agent.clock import Deadline, steady, wall
from agent.errors import (
    BadTarget,
    OutputTooLarge,
    Refused,
    Timeout,
    TransportFault,
    Unauthorised,
    Unreachable,
)
from agent.transport import TransportOptions, is_loopback, open_transport, parse_target
from agent.transport_file import received_file
from agent.transport_shell import PlainStream, V2Stream, Wrapped, mend_crlf
from agent.transport_socket import DeadlineSocket


@pytest.mark.parametrize(
    ("text", "host", "port", "serial"),
    [
        ("tcp:192.168.1.7:5556", "192.168.1.7", 5556, ""),
        ("tcp:phone.lan", "phone.lan", 5555, ""),
        ("tcp:[::1]:5555", "::1", 5555, ""),
        ("tcp:[fe80::1%wlan0]:5555", "fe80::1%wlan0", 5555, ""),
        ("server:R58M30ABCDE", "", 0, "R58M30ABCDE"),
        ("server:192.168.1.7:5555", "", 0, "192.168.1.7:5555"),
        ("server:adb-X-y._adb-tls-connect._tcp", "", 0, "adb-X-y._adb-tls-connect._tcp"),
    ],
)
def test_targets(text: str, host: str, port: int, serial: str) -> None:
    target = parse_target(text)
    assert (target.text, target.host, target.port, target.serial) == (text, host, port, serial)


@pytest.mark.parametrize(
    "text",
    ["", "tcp", "tcp:", "tcp::5555", "tcp:a:b", "tcp:a:0", "tcp:a:65536", "tcp:a b:1", "tcp:fe80::1:5555", "server:",
     "server:a;b", "server:a\nb", "usb:X", "tcp:a:５５５５", "server:" + "x" * 200],
)  # fmt: skip
def test_bad_targets(text: str) -> None:
    with pytest.raises(BadTarget):
        parse_target(text)


@pytest.mark.parametrize(
    ("host", "loop"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("192.168.1.1", False),
        ("lo", False),
    ],
)
def test_loopback(host: str, loop: bool) -> None:
    assert is_loopback(host) is loop


def v2(*frames: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack("<BI", kind, len(body)) + body for kind, body in frames)


class Ticks:
    """A clock that moves by one second each time it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@given(st.lists(st.integers(1, 40), max_size=20))
def test_frames_may_be_cut_anywhere(cuts: list[int]) -> None:
    whole = v2((1, b"one"), (2, b"err"), (1, b"two\x00"), (3, b"\x07"))
    stream = V2Stream(1000, steady)
    rest = whole
    for cut in cuts:
        stream.feed(rest[:cut])
        rest = rest[cut:]
    stream.feed(rest)
    result = stream.result()
    assert (result.stdout, result.stderr, result.exit_code) == (b"onetwo\x00", b"err", 7)


def test_instants_of_request_and_first_output() -> None:
    stream = V2Stream(1000, Ticks())
    stream.feed(v2((1, b"a")))
    stream.feed(v2((1, b"b"), (3, b"\0")))
    assert (stream.result().opened_at, stream.result().first_output_at) == (1.0, 2.0)


def test_no_exit_code_is_a_drop_and_half_a_frame_counts() -> None:
    stream = V2Stream(1000, steady)
    stream.feed(v2((2, b"warn"), (1, b"whole"))[:-2])
    with pytest.raises(TransportFault) as caught:
        stream.result()
    assert caught.value.reason == "dropped"
    assert (stream.partial().stdout, stream.partial().stderr) == (b"who", b"warn")
    assert stream.partial().exit_code is None


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (v2((9, b"x")), TransportFault),
        (v2((3, b"")), TransportFault),
        (struct.pack("<BI", 1, 2**31), OutputTooLarge),
        (v2((1, b"x" * 101)), OutputTooLarge),
        (v2((1, b"x" * 60), (2, b"x" * 60)), OutputTooLarge),
    ],
)
def test_rubbish_and_floods(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        V2Stream(100, steady).feed(data)


def test_the_substitute_for_old_phones() -> None:
    wrapped = Wrapped("exit 3 # comment", "feed")
    assert str(wrapped) == "(\nexit 3 # comment\n)\necho feed:$?"
    stream = PlainStream(100, steady, wrapped)
    for part in (b"out\r\nfe", b"ed:1\r\nfeed:", b"3\r\n"):
        stream.feed(part)
    result = stream.result()
    assert (result.stdout, result.exit_code) == (b"out\nfeed:1\n", 3)


def test_without_a_terminal_nothing_is_mended() -> None:
    stream = PlainStream(100, steady, Wrapped("x", "feed"))
    stream.feed(b"a\r\nfeed:0\n")
    assert stream.result().stdout == b"a\r\n"


@pytest.mark.parametrize("data", [b"", b"out\n", b"out\nfeed:", b"feed:x\n"])
def test_without_the_mark_it_is_a_drop(data: bytes) -> None:
    stream = PlainStream(100, steady, Wrapped("x", "feed"))
    stream.feed(data)
    with pytest.raises(TransportFault) as caught:
        stream.result()
    assert caught.value.reason == "dropped"


@given(st.binary())
def test_mending_undoes_a_terminal_exactly(data: bytes) -> None:
    assert mend_crlf(data.replace(b"\n", b"\r\n")) == data


# --- sockets ------------------------------------------------------------------


@contextmanager
def peer(act: Callable[[socket.socket], None]) -> Iterator[int]:
    """Something that listens, and does this with its one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            connection.settimeout(5)
            with connection, contextlib.suppress(OSError):
                act(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_nagle_is_off_and_reads_are_exact() -> None:
    def act(connection: socket.socket) -> None:
        connection.sendall(b"abc")
        connection.recv(1)
        connection.sendall(b"def")

    with peer(act) as port:
        made = DeadlineSocket("127.0.0.1", port, Deadline(5), what="x")
        assert made._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert made.read_some(2) == b"ab"
        made.write(b"!")
        assert made.read(4) == b"cdef"
        assert made.peer == "127.0.0.1"
        with pytest.raises(TransportFault) as caught:
            made.read(1)
        made.close()
    assert caught.value.reason == "dropped"


def test_a_passed_deadline_stops_before_the_socket_is_asked() -> None:
    gate = threading.Event()

    def act(connection: socket.socket) -> None:
        connection.sendall(b"x")
        gate.wait(5)

    with peer(act) as port:
        made = DeadlineSocket("127.0.0.1", port, Deadline(5), what="x")
        made.deadline = Deadline(-1)
        with pytest.raises(Timeout):
            made.read(1)
        with pytest.raises(Timeout):
            made.write(b"x")
        made.deadline = Deadline(0.05)
        assert made.read(1) == b"x"
        with pytest.raises(Timeout):
            made.read(1)
        made.close()
        gate.set()


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable):
        DeadlineSocket("127.0.0.1", port, Deadline(5), what="x")
    with pytest.raises(Unreachable):
        DeadlineSocket("no.such.host.invalid", port, Deadline(5), what="x")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\0" * 24,
        struct.pack("<4sIIIII", b"CNXN", 0x01000000, 4096, 4, 1, 0) + b"abcd",
        struct.pack("<4sIIIII", b"AUTH", 9, 0, 20, 0, 0) + b"\0" * 20,
    ],
    ids=["http", "zeros", "checksum", "auth9"],
)
def test_what_is_no_phone(answer: bytes) -> None:
    def act(connection: socket.socket) -> None:
        connection.recv(64)
        connection.sendall(answer)

    with peer(act) as port, pytest.raises((TransportFault, Unauthorised)) as caught:
        open_transport(f"tcp:127.0.0.1:{port}", TransportOptions(connect_s=5))
    assert caught.value.reason in {"protocol", "dropped", "unauthorized"}


def test_a_giant_packet_is_not_waited_for() -> None:
    def act(connection: socket.socket) -> None:
        connection.recv(64)
        connection.sendall(struct.pack("<4sIIIII", b"CNXN", 0x01000000, 4096, 2**30, 0, 0) + b"x" * 8)
        connection.recv(64)

    with peer(act) as port, pytest.raises(TransportFault, match="a packet of 1073741824 bytes"):
        open_transport(f"tcp:127.0.0.1:{port}", TransportOptions(connect_s=5))


def test_wireless_debugging_is_named() -> None:
    """Android 11's TLS port answers in plain with this one message."""

    def act(connection: socket.socket) -> None:
        connection.recv(64)
        connection.sendall(struct.pack("<4sIIIII", b"STLS", 0x01000000, 0, 0, 0, 0))

    with peer(act) as port, pytest.raises(TransportFault, match="use server:SERIAL") as caught:
        open_transport(f"tcp:127.0.0.1:{port}", TransportOptions(connect_s=5))
    assert caught.value.reason == "protocol"


# --- the adb server's words -----------------------------------------------------


def test_devices() -> None:
    text = (
        "R58M30ABCDE            device usb:1-4 product:a51 model:SM_A515F device:a51 transport_id:1\n"
        "192.168.1.7:5555       offline transport_id:2\n"
        "adb-R58-x7._adb-tls-connect._tcp device product:x transport_id:3\n"
        "emulator-5554          unauthorized transport_id:4\n"
        "????????????           no permissions (missing udev rules?); see [http://x]\n"
        "127.0.0.1:40001\tdevice\n\n"
    )
    assert parse_devices(text) == [
        ServerDevice("R58M30ABCDE", "device", "usb"),
        ServerDevice("192.168.1.7:5555", "offline", "plain_tcp"),
        ServerDevice("adb-R58-x7._adb-tls-connect._tcp", "device", "tls"),
        ServerDevice("emulator-5554", "unauthorized", "loopback"),
        ServerDevice("????????????", "other", "usb"),
        ServerDevice("127.0.0.1:40001", "device", "loopback"),
    ]
    assert parse_devices("") == []


def test_an_address_never_counts_as_a_cable() -> None:
    assert link_of("10.0.0.3:5555") == "plain_tcp"
    assert link_of("[::1]:5555") == "loopback"
    assert link_of("phone.lan:5555") == "plain_tcp"


@pytest.mark.parametrize(
    ("said", "error", "reason"),
    [
        ("device 'X' not found", Unreachable, "unreachable"),
        ("device offline", Unreachable, "unreachable"),
        ("device still connecting", Unreachable, "busy"),
        ("device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set", Unauthorised, "unauthorized"),
        ("device still authorizing", Unauthorised, "unauthorized"),
        ("closed", Refused, "refused"),
    ],
)
def test_refusals(said: str, error: type[Exception], reason: str) -> None:
    refusal = server_refusal(said)
    assert type(refusal) is error
    assert refusal.reason == reason


@pytest.mark.parametrize("answer", [b"OKAYzzzz", b"WHAT", b"OK", b"FAILxxxx", b""])
def test_an_adb_server_that_is_none(answer: bytes) -> None:
    def act(connection: socket.socket) -> None:
        connection.recv(64)
        connection.sendall(answer)

    with peer(act) as port, pytest.raises(TransportFault):
        AdbServer(("127.0.0.1", port)).listed()


def test_an_adb_server_that_is_silent() -> None:
    gate = threading.Event()

    def act(connection: socket.socket) -> None:
        connection.recv(64)
        gate.wait(5)

    with peer(act) as port:
        with pytest.raises(Timeout):
            AdbServer(("127.0.0.1", port), deadline_s=0.05).listed()
        gate.set()


# --- small parts ------------------------------------------------------------------


def test_a_received_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "f"
    target.write_bytes(b"old")

    def receive(*parts: bytes) -> None:
        with received_file(target, 4) as sink:
            for part in parts:
                sink.write(part)
                assert target.read_bytes() == b"old"

    with pytest.raises(OutputTooLarge):
        receive(b"abc", b"de")
    assert target.read_bytes() == b"old"
    receive(b"abc", b"d")
    assert target.read_bytes() == b"abcd"
    assert list(tmp_path.iterdir()) == [target]


def test_clocks() -> None:
    first = steady()
    assert steady() >= first
    assert wall() > 1_700_000_000
    ticks = Ticks()
    assert Deadline(10, ticks).left() == 9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp:localhost:5038", ("localhost", 5038)),
        ("tcp:5038", ("127.0.0.1", 5038)),
        ("tcp:[::1]:1", ("::1", 1)),
    ],
)
def test_the_adb_servers_address(text: str, expected: tuple[str, int]) -> None:
    assert cli_options.server_address(text) == expected


@pytest.mark.parametrize("text", ["", "5037", "localfilesystem:/x", "tcp:", "tcp:x:0", "tcp:x:y"])
def test_a_bad_address_of_the_adb_server(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="tcp:HOST:PORT"):
        cli_options.server_address(text)
