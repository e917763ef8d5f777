"""The local adb server's `host:` side: which phones it sees, in which state, and when that changes.

pure-python-adb speaks the protocol; sockets, deadlines and exact reads are ours (it has none of them).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self, get_args

from ppadb.command.host import Host
from ppadb.connection import Connection
from ppadb.protocol import Protocol

from agent.clock import Deadline, Steady, steady
from agent.errors import Refused, Timeout, TransportError, TransportFault, Unauthorised, Unreachable
from agent.transport import Link, is_loopback
from agent.transport_socket import DeadlineSocket

DeviceState = Literal["device", "unauthorized", "offline", "other"]


@dataclass(frozen=True, slots=True)
class ServerDevice:
    """A line of `adb devices -l`. A state of `device` proves nothing yet:
    the server lists phones that are off, too.
    """

    serial: str
    state: DeviceState
    link: Link


class ServerConnection(Connection):  # type: ignore[misc]
    """pure-python-adb's connection on a `DeadlineSocket`. Raise `TransportError` only."""

    def __init__(self, address: tuple[str, int], deadline: Deadline) -> None:
        super().__init__(*address)
        try:
            self.socket = DeadlineSocket(*address, deadline, what=f"adb server {address[0]}:{address[1]}")
        except Unreachable as exc:
            raise Unreachable(exc.detail, reason="adb_down") from exc

    def limit(self, deadline: Deadline) -> None:
        """Bind all that follows to `deadline`."""
        self.socket.deadline = deadline

    def _recv(self, length: int) -> bytes:
        return bytes(self.socket.read(length))

    def _recv_into(self, length: int) -> bytearray:
        return bytearray(self.socket.read(length))

    def _send(self, data: bytes) -> None:
        self.socket.write(data)

    def _check_status(self) -> bool:
        status = self._recv(4)
        if status == b"OKAY":
            return True
        if status != b"FAIL":
            raise TransportFault(f"the adb server answered {status!r}")
        raise server_refusal(self.text())

    def text(self) -> str:
        """A string with its length in four hexadecimal digits before it."""
        raw = self._recv(4)
        try:
            length = int(raw, 16)
        except ValueError as exc:
            raise TransportFault(f"the adb server sent {raw!r} for a length") from exc
        return self._recv(length).decode("utf-8", "replace") if length else ""

    def receive(self) -> str:
        return self.text()

    def send_open(self, service: str) -> None:
        """Ask for a service and wait for its OKAY. Raise `Refused` and its kin on FAIL."""
        self._send(Protocol.encode_data(service))
        self._check_status()


def server_refusal(message: str) -> TransportError:
    """The error that a FAIL text of the adb server stands for."""
    said = message.lower()
    if "unauthorized" in said or "authorizing" in said:
        return Unauthorised(message)
    if "connecting" in said:
        return Unreachable(message, reason="busy")
    if any(word in said for word in ("not found", "offline", "no devices", "permissions")):
        return Unreachable(message)
    return Refused(message)


class AdbServer(Host):  # type: ignore[misc]
    """Questions to the local adb server; each takes at most `deadline_s` seconds. Raise `TransportError`."""

    def __init__(self, address: tuple[str, int], deadline_s: float = 5.0, clock: Steady = steady) -> None:
        self.address = address
        self._deadline_s = deadline_s
        self._clock = clock

    def create_connection(self, timeout: float | None = None) -> ServerConnection:
        """A new connection, as pure-python-adb asks for one for each question."""
        seconds = self._deadline_s if timeout is None else timeout
        return ServerConnection(self.address, Deadline(seconds, self._clock))

    def listed(self) -> list[ServerDevice]:
        """The phones that the server lists now."""
        return parse_devices(self._ask("host:devices-l"))

    def device_features(self, serial: str) -> frozenset[str]:
        """What the phone's adbd offers, such as `shell_v2`."""
        return frozenset(self._ask(f"host-serial:{serial}:features").split(","))

    def _ask(self, question: str) -> str:
        return str(self._execute_cmd(question))

    def track(self) -> DeviceTracker:
        """Watch the list of phones."""
        return DeviceTracker(self.create_connection(), self._clock)


class DeviceTracker:
    """`host:track-devices`: the server sends its list at once, and again whenever it changes."""

    def __init__(self, connection: ServerConnection, clock: Steady) -> None:
        self._connection = connection
        self._clock = clock
        try:
            connection.send_open("host:track-devices-l")
        except BaseException:
            connection.close()
            raise

    def wait(self, seconds: float) -> list[ServerDevice] | None:
        """The next list, or None if nothing changed in that time.

        Raise `TransportError` when the server goes away.
        """
        self._connection.limit(Deadline(seconds, self._clock))
        try:
            first = self._connection.socket.read(1)
        except Timeout:
            return None
        self._connection.limit(Deadline(5.0, self._clock))
        length = int(first + self._connection.socket.read(3), 16)
        text = self._connection.socket.read(length).decode("utf-8", "replace") if length else ""
        return parse_devices(text)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def parse_devices(text: str) -> list[ServerDevice]:
    """Parse the lines of `adb devices -l`: serial (`?`: it has none), state, `key:value` pairs."""
    found = []
    for line in text.replace("(no serial number)", "?").splitlines():
        serial, _, rest = line.partition(" ") if "\t" not in line else line.partition("\t")
        words = rest.split()
        if serial and words:
            found.append(ServerDevice(serial, _state(words[0]), link_of(serial)))
    return found


def _state(word: str) -> DeviceState:
    known: tuple[DeviceState, ...] = get_args(DeviceState)
    return next((state for state in known if state == word), "other")


def link_of(serial: str) -> Link:
    """Who could listen in, judged by the form of the server's serial.

    A phone that was paired and then connected by address counts as plain: the server does not tell the two
    apart.
    """
    if "._adb-tls-connect._tcp" in serial:
        return "tls"
    if serial.startswith("emulator-"):
        return "loopback"
    host, colon, port = serial.rpartition(":")
    if colon and port.isdigit():
        return "loopback" if is_loopback(host.strip("[]")) else "plain_tcp"
    return "usb"
