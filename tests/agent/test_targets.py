from __future__ import annotations

import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.errors import BadTarget
from agent.targets import AdbWatch, TargetList, TargetsError, add_target, read_targets, require_own_phone


def test_a_file_of_targets(tmp_path: Path) -> None:
    path = tmp_path / "targets.txt"
    path.write_text(
        "# 前台\ntcp:10.0.0.7:5555  # GJ-0001\n\n  server:ABC\ntcp:10.0.0.7:5555\n", encoding="utf-8"
    )
    assert read_targets(path) == ["tcp:10.0.0.7:5555", "server:ABC"]
    assert read_targets(tmp_path / "none") == []


def test_a_file_from_windows(tmp_path: Path) -> None:
    path = tmp_path / "targets.txt"
    path.write_bytes(b"\xef\xbb\xbftcp:10.0.0.7:5555\r\n")
    assert read_targets(path) == ["tcp:10.0.0.7:5555"]
    add_target(path, "server:ABC")
    assert read_targets(path) == ["tcp:10.0.0.7:5555", "server:ABC"]


def test_a_line_that_is_no_target_is_named(tmp_path: Path) -> None:
    path = tmp_path / "targets.txt"
    path.write_text("tcp:10.0.0.7:5555\n10.0.0.8\n")
    with pytest.raises(TargetsError, match=r"targets\.txt, line 2"):
        read_targets(path)


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "targets.txt"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(TargetsError, match="cannot read"):
        read_targets(path)


def test_adding_keeps_what_a_person_wrote(tmp_path: Path) -> None:
    path = tmp_path / "targets.txt"
    assert add_target(path, "tcp:a:1", "GJ-0001\nx")
    path.write_text("# mine\n" + path.read_text() + "tcp:b:2", encoding="utf-8")
    assert add_target(path, "tcp:c:3")
    assert not add_target(path, "tcp:a:1")
    assert path.read_text() == "# mine\ntcp:a:1  # GJ-0001 x\ntcp:b:2\ntcp:c:3\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_list_follows_its_file(tmp_path: Path) -> None:
    path = tmp_path / "targets.txt"
    targets = TargetList(["tcp:a:1"], path, None)
    assert targets.current() == ["tcp:a:1"]
    add_target(path, "tcp:b:2")
    assert targets.current() == ["tcp:a:1", "tcp:b:2"]
    path.unlink()
    assert targets.current() == ["tcp:a:1"]


def test_a_broken_edit_keeps_the_last_good_list(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "targets.txt"
    add_target(path, "tcp:b:2")
    targets = TargetList([], path, None)
    targets.current()
    path.write_text("nonsense\n")
    os.utime(path, ns=(1, 1))
    assert [targets.current() for _ in range(3)] == [["tcp:b:2"]] * 3
    assert caplog.text.count("line 1") == 1


@pytest.mark.parametrize(
    "target", ["tcp:127.0.0.1:5555", "tcp:127.0.0.1:37001", "tcp:[::1]:5555", "tcp:localhost:5555"]
)
def test_an_agent_on_the_phone_reads_its_own(target: str) -> None:
    require_own_phone([target])


@pytest.mark.parametrize(
    "target", ["tcp:10.0.0.7:5555", "server:ABC", "tcp:127.0.0.1.example.com:5555", "tcp:0.0.0.0:5555"]
)
def test_an_agent_on_the_phone_reads_no_other(target: str) -> None:
    with pytest.raises(TargetsError, match="only"):
        require_own_phone(["tcp:127.0.0.1:5555", target])


def test_a_given_target_that_is_none() -> None:
    with pytest.raises(BadTarget):
        require_own_phone(["127.0.0.1"])


# --- the adb server's list ------------------------------------------------------------


@contextmanager
def adb_server(answer: bytes, *, stays: bool = True) -> Iterator[tuple[str, int]]:
    """Something that answers one client like an adb server, and `stays` until that has gone; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                asked = client.recv(4 + len("host:track-devices-l"), socket.MSG_WAITALL)
                assert asked == b"0014host:track-devices-l"
                client.sendall(answer)
                if stays:
                    client.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[:2]
        thread.join(10)
        assert not thread.is_alive()


def test_phones_of_a_server_that_is_gone_are_no_targets() -> None:
    """Trying them would report each as `adb_down` at every round."""
    listed, stop = b"ABC device\n", threading.Event()
    with adb_server(b"OKAY%04x%s" % (len(listed), listed), stays=False) as address:
        watch = AdbWatch(address)
        thread = threading.Thread(target=watch.run, args=(stop,))
        thread.start()
    deadline = time.monotonic() + 10
    while watch.up is not False:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert watch.targets == []
    stop.set()
    thread.join(10)


def watched(address: tuple[str, int]) -> AdbWatch:
    """A watch after its first look."""
    watch, stop = AdbWatch(address), threading.Event()
    thread = threading.Thread(target=watch.run, args=(stop,))
    thread.start()
    assert watch.first_try_ended.wait(10)
    stop.set()
    thread.join(10)
    return watch


def test_phones_without_a_usable_serial_are_said_once_and_not_tried(caplog: pytest.LogCaptureFixture) -> None:
    """As adb lists them where udev gives the gateway no right to open the device."""
    text = (
        "R58M30ABCDE            device usb:1-1\n"
        "????????????           no permissions; see [http://developer.android.com/tools/device.html]\n"
        "(no serial number)     unauthorized usb:1-2\n"
    )
    with adb_server(b"OKAY%04x%s" % (len(text), text.encode())) as address:
        watch = watched(address)
    assert watch.targets == ["server:R58M30ABCDE"]
    assert watch.up
    assert caplog.text.count("without a usable serial: 2") == 1


def test_a_server_that_refuses_to_be_watched_leaves_no_socket_behind() -> None:
    with adb_server(b"FAIL0004no! ") as address:
        watch = watched(address)
    assert (watch.targets, watch.up) == ([], None)
