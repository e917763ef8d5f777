"""One connection to a simulated phone: handshake, authorisation, and the streams on it."""

import asyncio
import os
from typing import TYPE_CHECKING

from agent.simulator import auth, protocol
from agent.simulator.delay import DelayLine
from agent.simulator.faults import FaultKind, FaultPoint, is_fault
from agent.simulator.protocol import Message
from agent.simulator.services import open_service
from agent.simulator.state import AuthMode
from agent.simulator.stream import Stream

if TYPE_CHECKING:
    from agent.simulator.device import Device

_GARBAGE_BYTES = 512


class AdbConnection(asyncio.Protocol):
    """The phone's end of one TCP connection (asyncio sets TCP_NODELAY on it)."""

    def __init__(self, device: "Device") -> None:
        self.device = device
        self.max_payload = device.max_payload
        self.with_checksum = True
        self.online = False
        self.offered_key: str | None = None
        self._decoder = protocol.Decoder(device.max_payload)
        self._inbound = DelayLine[Message](self._delay, self._received)
        self._outbound = DelayLine[bytes | None](self._delay, self._write)
        self._transport: asyncio.Transport | None = None
        self._token = b""
        self._streams: dict[int, Stream] = {}
        self._last_id = 0

    def _delay(self) -> float:
        return self.device.state.delay_s

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is here; a phone says nothing before the client's CNXN."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.device.connected(self)
        if is_fault(self.device.fault, FaultKind.HANG, FaultPoint.ACCEPT):
            transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """Bytes from the client; a broken message ends the connection, as on a phone."""
        self.device.counters.bytes_in += len(data)
        try:
            for message in self._decoder.feed(data):
                self._inbound.put(message)
        except protocol.ProtocolError:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client went, or we dropped it: every stream ends."""
        self._transport = None
        for stream in list(self._streams.values()):
            stream.peer_closed()
        self._streams.clear()
        self._inbound.close()
        self._outbound.close()
        self.device.disconnected(self)

    # -- outgoing

    def send(self, command: int, arg0: int, arg1: int, data: bytes = b"") -> None:
        """Send one message along the delayed link."""
        message = Message(command, arg0, arg1, data)
        self._outbound.put(protocol.pack(message, with_checksum=self.with_checksum))

    def abort(self) -> None:
        """Drop the connection at once, as a reset."""
        if self._transport is not None:
            self._transport.abort()

    def hang_up(self) -> None:
        """Close the connection once what is already on its way has arrived."""
        self._outbound.put(None)

    def forget(self, stream: Stream) -> None:
        """A stream is closed from our side."""
        self._streams.pop(stream.local_id, None)

    def _write(self, data: bytes | None) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if data is None:
            self._transport.close()
            return
        self.device.counters.bytes_out += len(data)
        self._transport.write(data)

    # -- incoming

    def _received(self, message: Message) -> None:
        if self._transport is None or is_fault(self.device.fault, FaultKind.HANG, FaultPoint.ACCEPT):
            return
        if is_fault(self.device.fault, FaultKind.GARBAGE, FaultPoint.WIRE):
            self._write(os.urandom(_GARBAGE_BYTES))
        elif message.command == protocol.CNXN:
            self._on_cnxn(message)
        elif message.command == protocol.AUTH:
            self._on_auth(message)
        elif self.online:
            self._on_stream(message)

    def _on_cnxn(self, message: Message) -> None:
        version = min(message.arg0, self.device.version)
        self.with_checksum = version < protocol.VERSION_SKIP_CHECKSUM
        self.max_payload = self._decoder.max_payload = min(message.arg1, self.device.max_payload)
        self.online = False
        if self.device.demands_key():
            self._send_token()
        else:
            self.go_online()

    def _send_token(self) -> None:
        self._token = os.urandom(protocol.TOKEN_SIZE)
        self._send_handshake(protocol.AUTH, protocol.AUTH_TOKEN, 0, self._token)

    def _send_handshake(self, command: int, arg0: int, arg1: int, data: bytes) -> None:
        """CNXN and AUTH carry a checksum whatever is agreed: the client does not know yet."""
        self._outbound.put(protocol.pack(Message(command, arg0, arg1, data), with_checksum=True))

    def _on_auth(self, message: Message) -> None:
        if self.online or not self._token:
            return
        if message.arg0 == protocol.AUTH_SIGNATURE:
            if self.device.accepts(self._token, message.data):
                self.go_online()
            else:
                self._send_token()
        elif message.arg0 == protocol.AUTH_RSAPUBLICKEY:
            self._on_public_key(auth.key_text(message.data))

    def _on_public_key(self, line: str) -> None:
        try:
            auth.parse_public_key(line)
        except protocol.ProtocolError:
            self.abort()
            return
        self.offered_key = line
        if self.device.state.auth is AuthMode.AUTO and not is_fault(
            self.device.fault, FaultKind.UNAUTHORISED
        ):
            self.device.allow(line)

    def go_online(self) -> None:
        """Complete the handshake: this client may open services."""
        if self._transport is None or is_fault(self.device.fault, FaultKind.HANG, FaultPoint.CNXN):
            return
        self.online = True
        self._decoder.verify = self.with_checksum
        self._send_handshake(
            protocol.CNXN, self.device.version, self.device.max_payload, self.device.banner()
        )

    def _on_stream(self, message: Message) -> None:
        if message.command == protocol.OPEN:
            self._on_open(message)
            return
        stream = self._streams.get(message.arg1)
        if stream is None or stream.remote_id != message.arg0:
            if message.command == protocol.WRTE:
                self.send(protocol.CLSE, 0, message.arg0)
            return
        if message.command == protocol.OKAY:
            stream.peer_ready()
        elif message.command == protocol.WRTE:
            stream.peer_wrote(message.data)
        elif message.command == protocol.CLSE:
            self.forget(stream)
            stream.peer_closed()

    def _on_open(self, message: Message) -> None:
        self.device.counters.opens += 1
        if is_fault(self.device.fault, FaultKind.HANG, FaultPoint.OPEN):
            return
        self._last_id += 1
        stream = Stream(self, self._last_id, message.arg0)
        self._streams[stream.local_id] = stream
        service = message.data.rstrip(b"\0").decode("utf-8", "surrogateescape")
        if not open_service(service, stream, self.device):
            self.forget(stream)
            self.send(protocol.CLSE, 0, message.arg0)
