import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.simulator import shellv2


@given(st.lists(st.tuples(st.integers(0, 5), st.binary(max_size=100)), max_size=6), st.integers(1, 9))
def test_frames_survive_any_cutting(sent: list[tuple[int, bytes]], step: int) -> None:
    wire = b"".join(bytes((kind,)) + len(data).to_bytes(4, "little") + data for kind, data in sent)
    decoder = shellv2.FrameDecoder()
    assert [frame for at in range(0, len(wire), step) for frame in decoder.feed(wire[at : at + step])] == sent


def test_long_output_is_cut_into_frames_of_64_kib() -> None:
    wire = shellv2.frames(shellv2.STDOUT, b"x" * 150_000)
    assert [len(data) for _, data in shellv2.FrameDecoder().feed(wire)] == [65536, 65536, 18928]


def test_no_output_is_no_frame_and_the_exit_code_is_one_byte() -> None:
    assert shellv2.frames(shellv2.STDERR, b"") == b""
    assert shellv2.exit_frame(255) == b"\x03\x01\0\0\0\xff"


def test_a_frame_beyond_reason_is_refused() -> None:
    with pytest.raises(shellv2.FrameError):
        list(shellv2.FrameDecoder().feed(b"\0\xff\xff\xff\xff"))


@pytest.mark.parametrize(
    ("data", "size"),
    [(b"24x80,640x480\0", (24, 80)), (b"24x80", (24, 80)), (b"24", None), (b"0x80,", None), (b"\xff", None)],
)
def test_window_size(data: bytes, size: tuple[int, int] | None) -> None:
    assert shellv2.window_size(data) == size
