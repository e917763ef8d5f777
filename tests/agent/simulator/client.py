"""A small blocking ADB client, written apart from the simulator's own code so that it can contradict it."""

import socket
import struct
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

TIMEOUT_S = 5.0
BANNER = b"host::features=shell_v2,cmd"


class Reply(NamedTuple):
    command: bytes
    arg0: int
    arg1: int
    data: bytes


class Client:
    """One connection. `version` and `max_payload` are what the client announces."""

    def __init__(self, port: int, *, version: int = 0x01000001, max_payload: int = 1 << 20) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self.version = version
        self.max_payload = max_payload

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(
        self, command: bytes, arg0: int, arg1: int, data: bytes = b"", *, check: int | None = None
    ) -> None:
        (word,) = struct.unpack("<I", command)
        check = sum(data) & 0xFFFFFFFF if check is None else check
        self.socket.sendall(struct.pack("<6I", word, arg0, arg1, len(data), check, word ^ 0xFFFFFFFF) + data)

    def read(self) -> Reply:
        """Next message; EOFError when the phone has closed."""
        command, arg0, arg1, length, check, magic = struct.unpack("<4s5I", self._exactly(24))
        assert struct.unpack("<I", command)[0] ^ 0xFFFFFFFF == magic
        data = self._exactly(length)
        if self.version == 0x01000000 or command in (b"CNXN", b"AUTH"):
            assert check == sum(data) & 0xFFFFFFFF
        return Reply(command, arg0, arg1, data)

    def silent(self, seconds: float = 0.2) -> bool:
        """Whether nothing comes for a while."""
        self.socket.settimeout(seconds)
        try:
            return not self.socket.recv(1, socket.MSG_PEEK) and False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(TIMEOUT_S)

    def ends(self) -> bool:
        """Whether the phone closes the connection, after whatever it still sends."""
        try:
            while True:
                self.read()
        except (EOFError, ConnectionError):
            return True
        except TimeoutError:
            return False

    def connect(self) -> Reply:
        """CNXN to a phone that asks for no key; its CNXN."""
        self.send(b"CNXN", self.version, self.max_payload, BANNER)
        return self.read()

    def open(self, service: str, local: int = 1) -> Reply:
        """OPEN; the phone's OKAY or CLSE."""
        self.send(b"OPEN", local, 0, service.encode() + b"\0")
        return self.read()

    def collect(self, service: str, local: int = 1) -> bytes:
        """All bytes of a service that needs no input."""
        answer = self.open(service, local)
        assert answer.command == b"OKAY", answer
        return self.rest(answer.arg0, local)

    def rest(self, remote: int, local: int = 1, until: Callable[[bytes], bool] | None = None) -> bytes:
        """Bytes until CLSE (or until they satisfy `until`), each WRTE acknowledged."""
        found = b""
        while until is None or not until(found):
            reply = self.read()
            if reply.command == b"WRTE":
                found += reply.data
                self.send(b"OKAY", local, remote)
            elif reply.command == b"CLSE":
                break
        return found

    def _exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            part = self.socket.recv(count - len(found))
            if not part:
                raise EOFError
            found += part
        return found


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """Shell v2 frames of a whole answer."""
    found = []
    while data:
        kind, length = struct.unpack_from("<BI", data)
        found.append((kind, data[5 : 5 + length]))
        assert len(found[-1][1]) == length
        data = data[5 + length :]
    return found
