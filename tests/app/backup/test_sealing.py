"""Sealed files: every bit, every cut and every swap is found."""

from __future__ import annotations

import io
import os

import pytest

from app.backup import sealing
from app.backup.sealing import PieceReader, SealWriter, opened
from app.kernel.errors import Unavailable

KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    monkeypatch.setattr(sealing, "_PIECE", 16)


def _seal(data, name="a", step=7):
    out = io.BytesIO()
    writer = SealWriter(out, KEY, name)
    for start in range(0, len(data), step):
        writer.write(data[start : start + step])
    writer.close()
    return out.getvalue()


def _open(sealed, name="a", key=KEY):
    return b"".join(opened(io.BytesIO(sealed), key, name))


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 32, 33, 100])
def test_what_is_sealed_opens(size):
    data = os.urandom(size)
    sealed = _seal(data)
    assert _open(sealed) == data
    assert io.BufferedReader(PieceReader(opened(io.BytesIO(sealed), KEY, "a")), 5).read() == data


def test_every_flipped_bit_cut_and_swap_is_found():
    data = bytes(range(50))
    sealed = _seal(data)
    harmed = [sealed[:n] for n in range(len(sealed))]
    for bit in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        harmed.append(bytes(flipped))
    harmed += [sealed[32:64] + sealed[:32] + sealed[64:], sealed[32:], sealed + b"\0", sealed + sealed]
    for one in harmed:
        with pytest.raises(Unavailable):
            _open(one)
    for name, key in (("b", KEY), ("a", bytes(32))):
        with pytest.raises(Unavailable):
            _open(sealed, name, key)
