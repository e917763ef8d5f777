"""Phones that speak ADB and do what no phone does."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from agent.errors import TransportFault
from agent.simulator import protocol
from agent.simulator.protocol import HEADER, Message
from agent.transport import TransportOptions, open_transport

Talk = Callable[[Callable[..., None], int], None]
THEIRS = 7


def _exactly(client: socket.socket, size: int) -> bytes:
    return client.recv(size, socket.MSG_WAITALL) if size else b""


def _message(client: socket.socket) -> tuple[int, int]:
    command, arg0, _, size, *_ = HEADER.unpack(_exactly(client, HEADER.size))
    _exactly(client, size)
    return command, arg0


def _serve(listener: socket.socket, talk: Talk) -> None:
    client, _ = listener.accept()

    def send(command: int, arg0: int, arg1: int, data: bytes = b"") -> None:
        client.sendall(protocol.pack(Message(command, arg0, arg1, data), with_checksum=True))

    with client, contextlib.suppress(OSError):
        _message(client)
        send(protocol.CNXN, protocol.VERSION_CHECKSUM, 2**18, b"device::features=shell_v2,cmd\0")
        command, ours = _message(client)
        assert command == protocol.OPEN
        send(protocol.OKAY, THEIRS, ours)
        talk(send, ours)
        while client.recv(2**16):
            pass


@contextmanager
def phone(talk: Talk) -> Iterator[str]:
    """A phone that takes one client and one stream, then does what `talk` says; its target."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, talk))
        thread.start()
        yield f"tcp:127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize(("theirs", "step"), [(THEIRS, 1), (THEIRS + 1, 0)], ids=["ours", "theirs"])
def test_megabytes_on_streams_that_nobody_opened_do_not_fill_the_memory(theirs: int, step: int) -> None:
    def flood(send: Callable[..., None], ours: int) -> None:
        for _ in range(32):
            send(protocol.WRTE, theirs, ours + step, bytes(2**18))

    with (
        phone(flood) as target,
        open_transport(target, TransportOptions(connect_s=10)) as transport,
        pytest.raises(TransportFault) as told,
    ):
        transport.run("true", 10)
    assert told.value.reason == "protocol"


def test_a_late_word_about_a_former_stream_harms_nothing() -> None:
    def finish(send: Callable[..., None], ours: int) -> None:
        send(protocol.CLSE, THEIRS - 1, ours + 50)
        send(protocol.WRTE, THEIRS, ours, b"\x01\x02\x00\x00\x00hi" + b"\x03\x01\x00\x00\x00\x00")
        send(protocol.CLSE, THEIRS, ours)

    with phone(finish) as target, open_transport(target, TransportOptions(connect_s=10)) as transport:
        assert transport.run("true", 10).stdout == b"hi"
