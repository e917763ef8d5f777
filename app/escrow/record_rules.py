"""One sealed secret as bytes. Plain values only.

    magic 4 · version 1 · suite 1 · kek_id 4 · wrap nonce 12 · wrapped DEK 48 · salt 32 · commitment 32 · nonce 12 ·
    ciphertext and tag (64 n + 16)

Suite 1: AES-256-GCM, HKDF-SHA256. Each record has a DEK of its own, from which HKDF makes the encryption key and the
commitment: AES-GCM alone would open under two keys for who prepares it so. What the record belongs to is no part of it
but of what it is bound to (`Bound`), rebuilt from the row's immutable columns.
"""

from __future__ import annotations

import hmac
import secrets
import struct
import uuid
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC, VERSION, SUITE = b"BPES", 1, 1
MAX_TEXT_BYTES = 1000
_BLOCK, _TAG = 64, 16
_HEAD = struct.Struct(">4sBBI12s48s32s32s12s")
_KEK_ID = slice(6, 10)
_BODY = _HEAD.size - 12 - 32 - 32
"""Where the part begins that a rotation leaves as it is: salt, commitment, nonce, ciphertext."""


class RecordRejected(Exception):
    """Not what was sealed for this row. `code` names what was wrong; nothing of the content is told."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Bound:
    """What a record belongs to. The service centre is no part of it, for kits move."""

    installation: uuid.UUID
    subject: uuid.UUID
    kind: str
    secret: uuid.UUID
    version: int

    def data(self) -> bytes:
        kind = self.kind.encode()
        ids = self.installation.bytes + self.subject.bytes + self.secret.bytes
        return ids + struct.pack(">IH", self.version, len(kind)) + kind


def seal(kek: bytes, kek_id: int, bound: Bound, text: str) -> bytes:
    """Raise `ValueError` for a text of more than `MAX_TEXT_BYTES`."""
    dek, salt, nonce, wrap_nonce = (secrets.token_bytes(n) for n in (32, 32, 12, 12))
    key, commitment = _derive(dek, salt)
    row = bound.data()
    wrapped = AESGCM(kek).encrypt(wrap_nonce, dek, _wrap_data(kek_id, row))
    head = _HEAD.pack(MAGIC, VERSION, SUITE, kek_id, wrap_nonce, wrapped, salt, commitment, nonce)
    return head + AESGCM(key).encrypt(nonce, _padded(text), _body_data(row))


def unseal(kek: bytes, bound: Bound, record: bytes) -> str:
    """The text. Raise `RecordRejected`: `magic`, `version`, `suite`, `length`, `wrap`, `commitment`, `body`."""
    kek_id, wrap_nonce, wrapped, salt, commitment, nonce = _parts(record)
    row = bound.data()
    key, expected = _derive(_unwrap(kek, kek_id, wrap_nonce, wrapped, row), salt)
    if not hmac.compare_digest(expected, commitment):
        raise RecordRejected("commitment")
    try:
        padded = AESGCM(key).decrypt(nonce, record[_HEAD.size :], _body_data(row))
    except InvalidTag:
        raise RecordRejected("body") from None
    size = int.from_bytes(padded[:2], "big")
    return padded[2 : 2 + size].decode()


def rewrap(old_kek: bytes, new_kek: bytes, new_id: int, bound: Bound, record: bytes) -> bytes:
    """The same record under another KEK; what was sealed is never opened. Raise `RecordRejected`."""
    kek_id, wrap_nonce, wrapped, *_ = _parts(record)
    row = bound.data()
    dek = _unwrap(old_kek, kek_id, wrap_nonce, wrapped, row)
    fresh = secrets.token_bytes(12)
    again = AESGCM(new_kek).encrypt(fresh, dek, _wrap_data(new_id, row))
    return record[: _KEK_ID.start] + struct.pack(">I", new_id) + fresh + again + record[_BODY:]


def kek_of(record: bytes) -> int:
    """Which KEK opens it. Raise `RecordRejected` for what is no record of this version and suite."""
    return _parts(record)[0]


def body_digest(record: bytes) -> bytes:
    """What the audit trail keeps of a record: the same before and after a rotation."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(record[: _KEK_ID.start] + record[_BODY:])
    return digest.finalize()


def _parts(record: bytes) -> tuple[int, bytes, bytes, bytes, bytes, bytes]:
    if len(record) < _HEAD.size + _BLOCK + _TAG or (len(record) - _HEAD.size - _TAG) % _BLOCK:
        raise RecordRejected("length")
    magic, version, suite, kek_id, wrap_nonce, wrapped, salt, commitment, nonce = _HEAD.unpack_from(record)
    if magic != MAGIC:
        raise RecordRejected("magic")
    if version != VERSION:
        raise RecordRejected("version")
    if suite != SUITE:
        raise RecordRejected("suite")
    return kek_id, wrap_nonce, wrapped, salt, commitment, nonce


def _unwrap(kek: bytes, kek_id: int, nonce: bytes, wrapped: bytes, row: bytes) -> bytes:
    try:
        return AESGCM(kek).decrypt(nonce, wrapped, _wrap_data(kek_id, row))
    except InvalidTag:
        raise RecordRejected("wrap") from None


def _derive(dek: bytes, salt: bytes) -> tuple[bytes, bytes]:
    made = HKDF(hashes.SHA256(), 64, salt, b"butler-escrow-v1 key and commitment").derive(dek)
    return made[:32], made[32:]


def _wrap_data(kek_id: int, row: bytes) -> bytes:
    return b"butler-escrow-wrap\0" + MAGIC + struct.pack(">BBI", VERSION, SUITE, kek_id) + row


def _body_data(row: bytes) -> bytes:
    return b"butler-escrow-body\0" + MAGIC + bytes((VERSION, SUITE)) + row


def _padded(text: str) -> bytes:
    raw = text.encode()
    if len(raw) > MAX_TEXT_BYTES:
        raise ValueError("too long to be sealed")
    whole = len(raw).to_bytes(2, "big") + raw
    return whole + bytes(-len(whole) % _BLOCK)
