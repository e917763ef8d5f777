"""ADB wire messages as a phone's adbd reads and writes them (AOSP `protocol.txt`, version 0x01000000/1).

A message is a 24-byte header of six little-endian words (command, arg0, arg1, payload length, payload
checksum, command xor 0xffffffff) and its payload.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

HEADER = struct.Struct("<6I")
VERSION_CHECKSUM = 0x01000000
VERSION_SKIP_CHECKSUM = 0x01000001

CNXN = 0x4E584E43
AUTH = 0x48545541
OPEN = 0x4E45504F
OKAY = 0x59414B4F
WRTE = 0x45545257
CLSE = 0x45534C43

AUTH_TOKEN = 1
AUTH_SIGNATURE = 2
AUTH_RSAPUBLICKEY = 3
TOKEN_SIZE = 20

COMMANDS = frozenset({CNXN, AUTH, OPEN, OKAY, WRTE, CLSE})
_ADLER_SAFE = 256


class ProtocolError(Exception):
    """The peer broke the wire format; adbd answers this by dropping the connection."""


class Message(NamedTuple):
    """One ADB message; `arg0` and `arg1` mean what the command says."""

    command: int
    arg0: int
    arg1: int
    data: bytes = b""


def checksum(data: bytes) -> int:
    """Sum of the payload's bytes modulo 2**32.

    Adler-32's low half is 1 + the sum modulo 65521, which 256 bytes cannot reach: ten times faster than
    `sum()`, and adb-shell makes us pay it for every payload.
    """
    total = 0
    for start in range(0, len(data), _ADLER_SAFE):
        total += (zlib.adler32(data[start : start + _ADLER_SAFE]) & 0xFFFF) - 1
    return total & 0xFFFFFFFF


def pack(message: Message, *, with_checksum: bool) -> bytes:
    """Bytes of a message; peers which both speak 0x01000001 send zero in place of the checksum."""
    check = checksum(message.data) if with_checksum else 0
    header = HEADER.pack(
        message.command, message.arg0, message.arg1, len(message.data), check, message.command ^ 0xFFFFFFFF
    )
    return header + message.data


class Decoder:
    """Cuts a byte stream into messages.

    `max_payload` bytes is the longest payload accepted; `verify` says whether checksums must fit. Both may
    change between messages, as the handshake settles them.
    """

    def __init__(self, max_payload: int) -> None:
        self.max_payload = max_payload
        self.verify = True
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Messages which `data` completes; raises `ProtocolError` at the first bad one."""
        self._buffer += data
        while (message := self._next()) is not None:
            yield message

    def _next(self) -> Message | None:
        if len(self._buffer) < HEADER.size:
            return None
        command, arg0, arg1, length, check, magic = HEADER.unpack_from(self._buffer)
        if command ^ 0xFFFFFFFF != magic or command not in COMMANDS:
            raise ProtocolError(f"bad header {command:#x}")
        if length > self.max_payload:
            raise ProtocolError(f"payload of {length} bytes, at most {self.max_payload} agreed")
        end = HEADER.size + length
        if len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[HEADER.size : end])
        del self._buffer[:end]
        if self.verify and check != checksum(payload):
            raise ProtocolError("bad checksum")
        return Message(command, arg0, arg1, payload)
