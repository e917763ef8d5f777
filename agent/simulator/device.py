"""One simulated phone at work: its port, its connections, its power."""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agent.simulator import auth, protocol, reset
from agent.simulator.android.testharness import HarnessLie
from agent.simulator.connection import AdbConnection
from agent.simulator.faults import Fault, FaultKind, is_fault
from agent.simulator.files import PhoneFiles
from agent.simulator.listening import stop_listening
from agent.simulator.media import make_media
from agent.simulator.services import ShellRequest
from agent.simulator.state import AuthMode, PhoneState
from agent.simulator.stream import Stream

_PAYLOAD_BY_SDK = ((28, 1024 * 1024), (24, 256 * 1024), (0, 4096))
_SDK_SKIPS_CHECKSUM = 28


class Runner(Protocol):
    """How a phone's shell commands are run."""

    def start(self, request: ShellRequest, stream: Stream, device: "Device") -> None:
        """Accept the stream and run the request on it."""

    async def went_down(self, device: "Device", *, orderly: bool) -> None:
        """The phone goes off, and all its processes with it; `orderly` is a shutdown that tells them first."""

    def journal_killed(self, device: "Device") -> None:
        """Somebody ends the on-phone journal, and nothing else."""

    def journal_lost(self, device: "Device") -> None:
        """Somebody deletes the on-phone journal's files."""

    async def close(self) -> None:
        """The fleet ends."""


@dataclass
class Counters:
    """What a phone has seen since the fleet started."""

    connections: int = 0
    opens: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    @property
    def bytes(self) -> int:
        """Bytes both ways."""
        return self.bytes_in + self.bytes_out


class Device:
    """A phone and its listening port. All methods run on the fleet's event loop."""

    def __init__(self, state: PhoneState, runner: Runner, files: PhoneFiles, host: str, port: int) -> None:
        self.state = state
        self.runner = runner
        self.host = host
        self.port = port
        self.fault: Fault | None = None
        self.files = files
        self.counters = Counters()
        self.powered = True
        self.resets_due = 0
        self._opening = asyncio.Lock()
        self._server: asyncio.Server | None = None
        self._connections: set[AdbConnection] = set()
        self._next_boot: asyncio.TimerHandle | None = None
        self._down_reason = ""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        state.on_power = self.request_power
        state.tree = files
        if state.media:
            make_media(files.real("/sdcard"), state.media, seed=len(state.identity.serial))
        state.on_reset = self.request_reset

    # -- what the connection asks

    @property
    def version(self) -> int:
        """Highest protocol version: phones before Android 9 insist on checksums."""
        return (
            protocol.VERSION_SKIP_CHECKSUM
            if self.state.identity.sdk >= _SDK_SKIPS_CHECKSUM
            else protocol.VERSION_CHECKSUM
        )

    @property
    def max_payload(self) -> int:
        """Longest payload this Android release takes, bytes."""
        return next(size for sdk, size in _PAYLOAD_BY_SDK if self.state.identity.sdk >= sdk)

    def banner(self) -> bytes:
        """The CNXN text: identity and features; no v2 sync, which is not spoken here."""
        identity = self.state.identity
        features = "shell_v2,cmd" if self.state.shell_v2 else ""
        return (
            f"device::ro.product.name={identity.device};ro.product.model={identity.model};"
            f"ro.product.device={identity.device};" + (f"features={features}" if features else "")
        ).encode()

    def demands_key(self) -> bool:
        """Whether a client has to prove itself."""
        return self.state.auth is not AuthMode.OPEN or is_fault(self.fault, FaultKind.UNAUTHORISED)

    def accepts(self, token: bytes, signature: bytes) -> bool:
        """Whether a key that was allowed before signed the token."""
        if is_fault(self.fault, FaultKind.UNAUTHORISED):
            return False
        return any(auth.signed_by(line, token, signature) for line in self.state.authorised_keys)

    def allow(self, line: str) -> None:
        """Somebody tapped "always allow" for this key: every connection that offers it goes online."""
        if line not in self.state.authorised_keys:
            self.state.authorised_keys.append(line)
        for connection in list(self._connections):
            if connection.offered_key == line and not connection.online:
                connection.go_online()

    def authorise(self) -> int:
        """Allow every key that waits now; the number of keys."""
        waiting = {item.offered_key for item in self._connections if item.offered_key and not item.online}
        for line in waiting:
            self.allow(line)
        return len(waiting)

    def connected(self, connection: AdbConnection) -> None:
        """Count a new connection; one that was taken while the port closed is reset."""
        self.counters.connections += 1
        self._connections.add(connection)
        if self._server is None:
            connection.abort()

    def disconnected(self, connection: AdbConnection) -> None:
        """Forget a connection that ended."""
        self._connections.discard(connection)

    # -- port and power

    async def start(self) -> None:
        """Come up: open the port (port 0 takes a free one, kept from then on)."""
        self._loop = asyncio.get_running_loop()
        if not is_fault(self.fault, FaultKind.REFUSE):
            await self._listen()

    async def close(self) -> None:
        """End everything and delete the phone's files."""
        self._cancel_boot()
        self.powered = False
        await self._unplug()
        await self.runner.went_down(self, orderly=False)
        self.files.close()

    async def set_fault(self, fault: Fault | None) -> None:
        """Put a fault in place of the present one; None for a healthy phone."""
        self.fault = fault
        if is_fault(fault, FaultKind.REFUSE):
            await self._stop_listening()
        elif self.powered:
            await self._listen()

    async def power_off(self, reason: str = "") -> None:
        """Go off. With a reason (`shutdown,userrequested`) it is an orderly shutdown, without one a loss of
        power.
        """
        self._cancel_boot()
        if self.powered:
            self.powered = False
            self._down_reason = reason
            await self._unplug()
            if reason:
                # As init has it from then on: that is how a process knows a shutdown from a mere TERM.
                self.state.properties["sys.powerctl"] = reason
                self.state.note_power("SHUTDOWN")
            await self.runner.went_down(self, orderly=bool(reason))

    async def power_on(self) -> None:
        """Boot a phone that is off; one that is on stays as it is."""
        if self.powered:
            return
        self._cancel_boot()
        self.state.properties.pop("sys.powerctl", None)
        self.state.boot(self._down_reason or "cold,powerkey")
        self.powered = True
        if not is_fault(self.fault, FaultKind.REFUSE):
            await self._listen()

    async def reboot(self, reason: str = "reboot,userrequested") -> None:
        """Go off and come up again after the phone's `boot_duration_s`."""
        await self.power_off(reason)
        await self._boot_later()

    async def _boot_later(self) -> None:
        if self.state.boot_duration_s <= 0:
            await self.power_on()
            return
        loop = asyncio.get_running_loop()
        self._next_boot = loop.call_later(self.state.boot_duration_s, self._spawn, self.power_on)

    def request_power(self, reason: str) -> None:
        """A command on the phone asked for `reboot,…` or `shutdown,…`; done after its answer is sent (any
        thread).
        """
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._spawn, lambda: self._obey(reason))

    async def _obey(self, reason: str) -> None:
        await (self.reboot(reason) if reason.startswith("reboot") else self.power_off(reason))

    def request_reset(self) -> None:
        """A command on the phone asked for test-harness mode: it is erased `reset_after_s` later (any thread)."""
        if self._loop is not None:
            self.resets_due += 1
            self._loop.call_soon_threadsafe(
                self._loop.call_later, self.state.reset_after_s, self._spawn, self._erase_as_asked
            )

    async def _erase_as_asked(self) -> None:
        try:
            await self.erase(harness=True)
        finally:
            self.resets_due -= 1

    async def erase(self, *, harness: bool) -> None:
        """Erase the phone: off at once, and up again, erased, after its `boot_duration_s`."""
        if not self.powered:
            return
        await self.power_off(reset.REASON)
        reset.erase(self.state, harness=harness)
        self.files.erase(but_media=self.state.harness_lie == HarnessLie.KEEPS_MEDIA)
        await self._boot_later()

    async def enable_debugging(self) -> None:
        """Somebody switched USB debugging on in the settings."""
        self.state.debugging = True
        self.state.settings["global"] |= {"adb_enabled": "1", "development_settings_enabled": "1"}
        if self.powered:
            await self._listen()

    def _spawn(self, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._task = asyncio.ensure_future(action())

    def _cancel_boot(self) -> None:
        if self._next_boot is not None:
            self._next_boot.cancel()
            self._next_boot = None

    async def _listen(self) -> None:
        # One at a time: a fault that ends while the phone comes up must not open the port twice.
        async with self._opening:
            if self._server is None and self.state.debugging:
                loop = asyncio.get_running_loop()
                self._server = await loop.create_server(
                    lambda: AdbConnection(self), self.host, self.port, reuse_address=True
                )
                self.port = self._server.sockets[0].getsockname()[1]

    async def _stop_listening(self) -> None:
        if self._server is None:
            return
        server, self._server = self._server, None
        await stop_listening(server)

    async def _unplug(self) -> None:
        await self._stop_listening()
        self.drop_connections()

    @property
    def listeners(self) -> Sequence[socket.socket]:
        """The sockets at which it listens now."""
        return [] if self._server is None else self._server.sockets

    async def move_to(self, port: int) -> None:
        """Answer at another port from now on; whoever was there before has to have left it."""
        self.port = port
        if self.powered and not is_fault(self.fault, FaultKind.REFUSE):
            await self._listen()

    async def unplug(self) -> None:
        """The cable is out: every connection ends and nothing listens, while the phone goes on."""
        await self._unplug()

    def drop_connections(self) -> None:
        """Reset every connection."""
        for connection in list(self._connections):
            connection.abort()
