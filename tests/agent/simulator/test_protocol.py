import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.simulator import protocol
from agent.simulator.protocol import CNXN, WRTE, Decoder, Message, ProtocolError, checksum, pack


@given(st.binary(max_size=2000))
def test_checksum_is_the_sum_of_the_bytes(data: bytes) -> None:
    assert checksum(data) == sum(data)


def test_checksum_of_bytes_that_would_wrap_adler() -> None:
    assert checksum(b"\xff" * 100_000) == 255 * 100_000


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 40))
def test_messages_survive_any_cutting(payloads: list[bytes], step: int) -> None:
    sent = [Message(WRTE, 1, number, data) for number, data in enumerate(payloads)]
    wire = b"".join(pack(message, with_checksum=True) for message in sent)
    decoder = Decoder(300)
    found = [message for at in range(0, len(wire), step) for message in decoder.feed(wire[at : at + step])]
    assert found == sent


def test_header_is_as_adb_writes_it() -> None:
    wire = pack(Message(CNXN, 0x01000001, 4096, b"device::\0"), with_checksum=True)
    assert wire[:4] == b"CNXN"
    assert struct.unpack("<5I", wire[4:24]) == (0x01000001, 4096, 9, sum(b"device::"), 0xB1A7B1BC)


def test_no_checksum_is_zero_and_is_only_taken_when_agreed() -> None:
    wire = pack(Message(WRTE, 1, 2, b"x"), with_checksum=False)
    assert wire[16:20] == b"\0\0\0\0"
    decoder = Decoder(10)
    decoder.verify = False
    assert list(decoder.feed(wire)) == [Message(WRTE, 1, 2, b"x")]
    with pytest.raises(ProtocolError, match="checksum"):
        list(Decoder(10).feed(wire))


def test_too_long_a_payload_is_refused_from_its_header_alone() -> None:
    wire = pack(Message(WRTE, 1, 2, b"x" * 11), with_checksum=True)
    with pytest.raises(ProtocolError, match="11 bytes, at most 10"):
        list(Decoder(10).feed(wire[: protocol.HEADER.size]))


@pytest.mark.parametrize(
    "wire",
    [b"\0" * 24, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", struct.pack("<6I", 7, 0, 0, 0, 0, 7 ^ 0xFFFFFFFF)],
)
def test_what_is_not_adb_is_refused(wire: bytes) -> None:
    with pytest.raises(ProtocolError, match="bad header"):
        list(Decoder(10).feed(wire))
