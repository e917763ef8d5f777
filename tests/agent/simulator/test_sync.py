import struct
from pathlib import Path

import pytest

from agent.simulator.files import FileError, PhoneFiles
from agent.simulator.scratch import Scratch
from tests.agent.simulator.client import Client
from tests.agent.simulator.conftest import StartFleet


def _request(kind: bytes, text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<4sI", kind, len(raw)) + raw


class Sync:
    """A sync conversation."""

    def __init__(self, client: Client) -> None:
        self.client = client
        client.connect()
        self.remote = client.open("sync:").arg0

    def send(self, data: bytes) -> None:
        self.client.send(b"WRTE", 1, self.remote, data)

    def answer(self, count: int) -> bytes:
        """Exactly `count` bytes, OKAYs of our own writes aside."""
        found = self.client.rest(self.remote, until=lambda data: len(data) >= count)
        assert len(found) == count, found
        return found

    def fail(self) -> str:
        data = self.client.rest(self.remote, until=lambda data: data[:4] == b"FAIL" and len(data) > 8)
        assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8
        return data[8:].decode()


def test_send_stat_list_receive(start: StartFleet) -> None:
    fleet = start()
    with Client(fleet.ports[0]) as client:
        sync = Sync(client)
        body = b"a" * 65536 + b"b" * 7
        sync.send(
            _request(b"SEND", "/data/local/tmp/新/a.txt,33188")
            + struct.pack("<4sI", b"DATA", 65536)
            + body[:65536]
        )
        sync.send(
            struct.pack("<4sI", b"DATA", 7) + body[65536:] + struct.pack("<4sI", b"DONE", 1_700_000_000)
        )
        assert sync.answer(8) == struct.pack("<4sI", b"OKAY", 0)
        assert fleet.devices[0].files.real("/data/local/tmp/新/a.txt").read_bytes() == body
        sync.send(_request(b"STAT", "/data/local/tmp/新/a.txt"))
        kind, mode, size, mtime = struct.unpack("<4sIII", sync.answer(16))
        assert (kind, oct(mode), size, mtime) == (b"STAT", "0o100644", 65543, 1_700_000_000)
        sync.send(_request(b"STAT", "/nothing"))
        assert struct.unpack("<4sIII", sync.answer(16))[1:] == (0, 0, 0)
        sync.send(_request(b"LIST", "/data/local/tmp/新"))
        listed = sync.answer(20 * 4 + len("...a.txt"))
        assert listed.count(b"DENT") == 3
        assert listed.endswith(struct.pack("<4sIIII", b"DONE", 0, 0, 0, 0))
        sync.send(_request(b"RECV", "/data/local/tmp/新/a.txt"))
        assert sync.answer(8 + 65536 + 8 + 7 + 8)[8:65544] == body[:65536]
        sync.send(_request(b"QUIT", ""))
        assert client.read().command in (b"OKAY", b"CLSE")


def test_a_request_in_single_bytes_is_one_request(start: StartFleet) -> None:
    with Client(start().ports[0]) as client:
        sync = Sync(client)
        for byte in _request(b"STAT", "/sdcard"):
            sync.send(bytes((byte,)))
        assert sync.answer(16)[:4] == b"STAT"


def test_answers_wait_for_the_acknowledgement_of_the_one_before(start: StartFleet) -> None:
    with Client(start().ports[0]) as client:
        sync = Sync(client)
        sync.send(_request(b"STAT", "/sdcard"))
        assert client.read().command == b"OKAY"
        assert client.read().data[:4] == b"STAT"
        sync.send(_request(b"LIST", "/none"))
        assert client.read().command == b"OKAY"
        assert client.silent()
        client.send(b"OKAY", 1, sync.remote)
        assert client.read().data[:4] == b"DONE"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/system/app/x", "Read-only file system"),
        ("/data/system/x", "Permission denied"),
        ("/sdcard/../../../etc/passwd", "Read-only file system"),
        ("/sdcard", "Permission denied"),
        ("/data/local/tmp", "Permission denied"),
    ],
)
def test_send_is_refused_once_and_the_conversation_goes_on(start: StartFleet, path: str, reason: str) -> None:
    with Client(start().ports[0]) as client:
        sync = Sync(client)
        sync.send(_request(b"SEND", f"{path},33188") + struct.pack("<4sI", b"DATA", 3) + b"abc")
        assert reason in sync.fail() or path == "/sdcard"
        sync.send(struct.pack("<4sI", b"DATA", 3) + b"def" + struct.pack("<4sI", b"DONE", 1))
        sync.send(_request(b"STAT", "/sdcard"))
        assert sync.answer(16)[:4] == b"STAT"


def test_receive_of_nothing_fails(start: StartFleet) -> None:
    with Client(start().ports[0]) as client:
        sync = Sync(client)
        sync.send(_request(b"RECV", "/sdcard/none"))
        assert sync.fail() == "No such file or directory"
        sync.send(_request(b"RECV", "/sdcard"))
        assert sync.fail() == "Is a directory"


def test_paths_that_no_file_can_have(start: StartFleet) -> None:
    with Client(start().ports[0]) as client:
        sync = Sync(client)
        sync.send(_request(b"STAT", "/sdcard/a\0b") + _request(b"STAT", "/sdcard/" + "x" * 300))
        assert sync.answer(32) == (b"STAT" + bytes(12)) * 2
        sync.send(_request(b"RECV", "/sdcard/a\0b"))
        assert sync.fail() == "Invalid argument"
        sync.send(_request(b"SEND", "/sdcard/link,41471") + struct.pack("<4sI", b"DATA", 4) + b"/etc")
        assert "Operation not permitted" in sync.fail()


@pytest.mark.parametrize("rubbish", [b"XXXX\4\0\0\0abcd", b"STAT\xff\xff\xff\x7f", b"DATA\1\0\0\0a"])
def test_rubbish_ends_the_conversation(start: StartFleet, rubbish: bytes) -> None:
    with Client(start().ports[0]) as client:
        sync = Sync(client)
        sync.send(rubbish)
        assert sync.client.rest(sync.remote).startswith(b"FAIL")
        assert client.collect("shell:echo on", local=2) == b"on\n"


def test_a_push_that_breaks_off_leaves_no_file(start: StartFleet) -> None:
    fleet = start()
    files = fleet.devices[0].files
    with Client(fleet.ports[0]) as client:
        sync = Sync(client)
        sync.send(_request(b"SEND", "/sdcard/half,33188") + struct.pack("<4sI", b"DATA", 3) + b"abc")
        client.read()
        assert files.real("/sdcard/half").exists()
        client.send(b"CLSE", 1, sync.remote)
        assert client.rest(sync.remote) == b""
        assert not files.real("/sdcard/half").exists()


def test_phone_paths_cannot_leave_the_phone() -> None:
    scratch = Scratch()
    files = PhoneFiles(scratch)
    try:
        root: Path = files.root
        for path in ("/../../etc/passwd", "../../etc/passwd", "/sdcard/../../../etc/passwd", "//etc//passwd"):
            assert files.real(path).is_relative_to(root)
        assert files.real("/sdcard/a") == root / "storage/emulated/0/a"
        with pytest.raises(FileError, match="Read-only"):
            files.real("/sdcardx/a", writing=True)
    finally:
        files.close()
        scratch.close()
    assert not root.exists()
