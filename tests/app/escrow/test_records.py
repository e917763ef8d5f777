"""The record format: what was sealed opens for its row only, and nothing else does."""

from __future__ import annotations

import secrets
import struct
import uuid
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.escrow.record_rules import (
    MAX_TEXT_BYTES,
    Bound,
    RecordRejected,
    body_digest,
    kek_of,
    rewrap,
    seal,
    unseal,
)

KEK = bytes(range(32))
ROW = Bound(uuid.UUID(int=1), uuid.UUID(int=2), "screen_lock", uuid.UUID(int=3), 4)

# Test cases 13, 14, 15 and 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega), AES-256.
_K = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
_IV = "cafebabefacedbaddecaf888"
_P = (
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
    "b16aedf5aa0de657ba637b391aafd255"
)
_C = (
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
    "c5f61e6393ba7a0abcc9f662898015ad"
)
_A = "feedfacedeadbeeffeedfacedeadbeefabaddad2"
_VECTORS = [
    ("00" * 32, "00" * 12, "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
    (
        "00" * 32,
        "00" * 12,
        "00" * 16,
        "",
        "cea7403d4d606b6e074ec5d3baf39d18",
        "d0d1c8a799996bf0265b98b5d48ab919",
    ),
    (_K, _IV, _P, "", _C, "b094dac5d93471bdec1a502270e3cc6c"),
    (_K, _IV, _P[:120], _A, _C[:120], "76fc6ece0f4e1768cddf8853bb2d551b"),
]


@pytest.mark.parametrize(("key", "iv", "plain", "data", "cipher", "tag"), _VECTORS)
def test_published_vectors(key: str, iv: str, plain: str, data: str, cipher: str, tag: str) -> None:
    aead = AESGCM(bytes.fromhex(key))
    sealed = bytes.fromhex(cipher + tag)
    assert aead.encrypt(bytes.fromhex(iv), bytes.fromhex(plain), bytes.fromhex(data)) == sealed
    assert aead.decrypt(bytes.fromhex(iv), sealed, bytes.fromhex(data)) == bytes.fromhex(plain)
    with pytest.raises(InvalidTag):
        aead.decrypt(bytes.fromhex(iv), sealed[:-1] + bytes([sealed[-1] ^ 1]), bytes.fromhex(data))


@pytest.mark.parametrize("text", ["", "1", "123456", "密码" * 20, "x" * 62, "x" * 63, "x" * MAX_TEXT_BYTES])
def test_what_was_sealed_opens(text: str) -> None:
    record = seal(KEK, 7, ROW, text)
    assert unseal(KEK, ROW, record) == text
    assert kek_of(record) == 7
    assert len(text) < 4 or text.encode() not in record
    with pytest.raises(ValueError, match="too long"):
        seal(KEK, 7, ROW, "x" * (MAX_TEXT_BYTES + 1))


def test_its_size_tells_only_steps_of_64() -> None:
    sizes = {len(seal(KEK, 7, ROW, "x" * n)) for n in range(63)}
    assert len(sizes) == 1
    assert len(seal(KEK, 7, ROW, "x" * 63)) == sizes.pop() + 64


def test_every_bit_counts() -> None:
    record = seal(KEK, 7, ROW, "739154")
    codes = set()
    for bit in range(len(record) * 8):
        damaged = bytearray(record)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(RecordRejected) as caught:
            unseal(KEK, ROW, bytes(damaged))
        codes.add(caught.value.code)
    assert codes == {"magic", "version", "suite", "wrap", "commitment", "body"}


def test_every_truncation_and_addition_is_refused() -> None:
    record = seal(KEK, 7, ROW, "x" * 100)
    for size in range(len(record)):
        with pytest.raises(RecordRejected):
            unseal(KEK, ROW, record[:size])
    for more in (1, 64):
        with pytest.raises(RecordRejected):
            unseal(KEK, ROW, record + bytes(more))


@pytest.mark.parametrize(
    "change",
    [
        {"installation": uuid.UUID(int=9)},
        {"subject": uuid.UUID(int=9)},
        {"kind": "sim_pin"},
        {"secret": uuid.UUID(int=9)},
        {"version": 3},
    ],
)
def test_a_record_opens_in_its_own_row_only(change: dict[str, object]) -> None:
    record = seal(KEK, 7, ROW, "739154")
    with pytest.raises(RecordRejected, match="wrap"):
        unseal(KEK, replace(ROW, **change), record)  # type: ignore[arg-type]


def test_neither_a_lower_version_nor_another_key_opens() -> None:
    record = seal(KEK, 7, ROW, "739154")
    for place, code in ((4, "version"), (5, "suite")):
        with pytest.raises(RecordRejected, match=code):
            unseal(KEK, ROW, record[:place] + b"\0" + record[place + 1 :])
    with pytest.raises(RecordRejected, match="wrap"):
        unseal(secrets.token_bytes(32), ROW, record)


def test_parts_of_two_records_make_none() -> None:
    """Wrap of one, body of another, both whole and of the same row: the commitment is not the DEK's."""
    one, other = seal(KEK, 7, ROW, "739154"), seal(KEK, 7, ROW, "111222")
    with pytest.raises(RecordRejected, match="commitment"):
        unseal(KEK, ROW, one[:70] + other[70:])
    with pytest.raises(RecordRejected, match="body"):
        unseal(KEK, ROW, one[:134] + other[134:])


def test_a_rotation_changes_the_wrap_alone() -> None:
    record, new = seal(KEK, 7, ROW, "739154"), secrets.token_bytes(32)
    moved = rewrap(KEK, new, 8, ROW, record)
    assert unseal(new, ROW, moved) == "739154"
    assert kek_of(moved) == 8
    assert body_digest(moved) == body_digest(record)
    assert moved[70:] == record[70:]
    with pytest.raises(RecordRejected, match="wrap"):
        rewrap(new, KEK, 9, ROW, record)
    relabelled = record[:6] + struct.pack(">I", 8) + record[10:]
    with pytest.raises(RecordRejected, match="wrap"):
        unseal(KEK, ROW, relabelled)
