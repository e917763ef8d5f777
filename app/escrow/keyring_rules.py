"""The keyring: KEKs wrapped by ROOT, and ROOT wrapped to the recovery key and to a passphrase. Plain values only.

ROOT itself is in no keyring. Each change gives a new `Keyring` of the next generation.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.kernel.errors import Unavailable

FORMAT = 1
ARGON = {"time_cost": 4, "memory_cost": 128 * 1024, "parallelism": 4}


class KekState(StrEnum):
    PENDING = "pending"
    """Written down, and nothing is wrapped by it yet."""
    ACTIVE = "active"
    """The one that wraps."""
    DECRYPT_ONLY = "decrypt_only"
    """Opens what it wrapped, until no backup is left that needs it."""
    DESTROYED = "destroyed"
    """Only its number is left: what it alone wrapped opens nowhere."""


@dataclass(frozen=True)
class Kek:
    kek_id: int
    state: KekState
    wrapped: str
    """Nonce and AES-GCM of the KEK under ROOT, base64; empty once destroyed."""


@dataclass(frozen=True)
class Keyring:
    """`recovery` is ROOT for who has the recovery key, `passphrase` for who knows it (empty: nobody)."""

    installation: uuid.UUID
    generation: int
    root_id: str
    recovery_key: str
    recovery: str
    passphrase: str
    keks: tuple[Kek, ...]

    @property
    def recovery_public(self) -> bytes:
        """The public half of the recovery key."""
        return _raw(self.recovery_key)

    @property
    def active(self) -> Kek:
        return next(k for k in self.keks if k.state is KekState.ACTIVE)

    def in_state(self, state: KekState) -> Kek | None:
        return next((k for k in self.keks if k.state is state), None)


def new_keyring(installation: uuid.UUID, root: bytes, recovery_key: bytes) -> Keyring:
    """With one KEK, active at once, for nothing is wrapped yet."""
    first = Kek(1, KekState.ACTIVE, _wrap_kek(root, installation, 1, secrets.token_bytes(32)))
    sealed = wrap_to(recovery_key, installation, root)
    return Keyring(installation, 1, root_id(root), _b64(recovery_key), sealed, "", (first,))


def with_pending(ring: Keyring, root: bytes) -> Keyring:
    """A KEK more, pending; the ring itself when one waits already."""
    if ring.in_state(KekState.PENDING):
        return ring
    number = max(k.kek_id for k in ring.keks) + 1
    fresh = Kek(number, KekState.PENDING, _wrap_kek(root, ring.installation, number, secrets.token_bytes(32)))
    return replace(ring, generation=ring.generation + 1, keks=(*ring.keks, fresh))


def with_active(ring: Keyring) -> Keyring:
    """The pending KEK in force, the one before it only opens."""
    after = {KekState.PENDING: KekState.ACTIVE, KekState.ACTIVE: KekState.DECRYPT_ONLY}
    keks = tuple(replace(k, state=after.get(k.state, k.state)) for k in ring.keks)
    return replace(ring, generation=ring.generation + 1, keks=keks)


def with_destroyed(ring: Keyring, kek_id: int) -> Keyring:
    """Raise `ValueError` for one that does more than open."""
    if not any(k.kek_id == kek_id and k.state is KekState.DECRYPT_ONLY for k in ring.keks):
        raise ValueError("only a key that is decrypt_only can be destroyed")
    gone = Kek(kek_id, KekState.DESTROYED, "")
    keks = tuple(gone if k.kek_id == kek_id else k for k in ring.keks)
    return replace(ring, generation=ring.generation + 1, keks=keks)


def with_passphrase(ring: Keyring, root: bytes, passphrase: str) -> Keyring:
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    data = _data("passphrase", ring.installation)
    sealed = salt + nonce + AESGCM(_stretched(passphrase, salt)).encrypt(nonce, root, data)
    return replace(ring, generation=ring.generation + 1, passphrase=_b64(sealed))


def root_by_passphrase(ring: Keyring, passphrase: str) -> bytes:
    """Raise `Unavailable` for a wrong one, or when there is none."""
    if not ring.passphrase:
        raise Unavailable("这个密钥环没有设置口令 / this keyring has no passphrase", code="no_passphrase")
    raw = _raw(ring.passphrase)
    key = _stretched(passphrase, raw[:16])
    return _opened(key, raw[16:], _data("passphrase", ring.installation), "wrong_passphrase")


def root_by_recovery(ring: Keyring, private: bytes) -> bytes:
    """Raise `Unavailable` for another recovery key than the keyring's."""
    key = X25519PrivateKey.from_private_bytes(private)
    raw = _raw(ring.recovery)
    shared = key.exchange(X25519PublicKey.from_public_bytes(raw[:32]))
    context = _data("recovery", ring.installation) + raw[:32] + key.public_key().public_bytes_raw()
    root = _opened(_hkdf(shared, context), raw[32:], context, "wrong_recovery_key")
    check_root(ring, root)
    return root


def wrap_to(public: bytes, installation: uuid.UUID, root: bytes) -> str:
    """ROOT for who holds the private half: ephemeral X25519, HKDF, AES-256-GCM."""
    ephemeral = X25519PrivateKey.generate()
    sent = ephemeral.public_key().public_bytes_raw()
    context = _data("recovery", installation) + sent + public
    nonce = secrets.token_bytes(12)
    key = _hkdf(ephemeral.exchange(X25519PublicKey.from_public_bytes(public)), context)
    return _b64(sent + nonce + AESGCM(key).encrypt(nonce, root, context))


def check_root(ring: Keyring, root: bytes) -> None:
    """Raise `Unavailable` when this ROOT is not the keyring's."""
    if not hmac.compare_digest(ring.root_id, root_id(root)):
        raise Unavailable("主密钥不属于这个密钥环 / this ROOT is not the keyring's", code="wrong_root")


def open_kek(ring: Keyring, root: bytes, kek: Kek) -> bytes:
    """Raise `Unavailable` when ROOT does not open it."""
    data = _data(f"kek {kek.kek_id}", ring.installation)
    return _opened(root, _raw(kek.wrapped), data, "keyring_damaged")


def signing_key(root: bytes, installation: uuid.UUID, purpose: str) -> Ed25519PrivateKey:
    """The key of a purpose for which only a server that holds ROOT may sign; always the same, kept nowhere."""
    return Ed25519PrivateKey.from_private_bytes(_hkdf(root, _data(f"sign {purpose}", installation)))


def transfers_key(root: bytes, installation: uuid.UUID) -> bytes:
    """What the keys of phones' encrypted copies are made from; always the same, kept nowhere."""
    return _hkdf(root, _data("copies of transfers", installation))


def root_id(root: bytes) -> str:
    return hashlib.sha256(b"butler-escrow-root-id\0" + root).hexdigest()


def write_ring(ring: Keyring, root: bytes) -> bytes:
    """The file's bytes. Its MAC holds states and generation too, which no wrapping covers."""
    body: dict[str, Any] = {"format": FORMAT, **asdict(ring), "installation": str(ring.installation)}
    return json.dumps({**body, "mac": _mac(body, root)}, indent=1).encode() + b"\n"


def read_ring(raw: bytes, root: bytes | None = None) -> Keyring:
    """Raise `Unavailable` for what is no keyring; with ROOT also for one that was changed without it."""
    try:
        body = json.loads(raw)
        mac = body.pop("mac")
        if body.pop("format") != FORMAT:
            raise ValueError("format")
        keks = tuple(Kek(k["kek_id"], KekState(k["state"]), k["wrapped"]) for k in body.pop("keks"))
        ring = Keyring(**{**body, "installation": uuid.UUID(body["installation"])}, keks=keks)
        states: Sequence[KekState] = [k.state for k in keks]
        if states.count(KekState.ACTIVE) != 1 or len({k.kek_id for k in keks}) != len(keks):
            raise ValueError("keks")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unavailable("密钥环文件已损坏 / the keyring file is damaged", code="keyring_damaged") from None
    if root is not None:
        check_root(ring, root)
        body = {"format": FORMAT, **asdict(ring), "installation": str(ring.installation)}
        if not hmac.compare_digest(str(mac), _mac(body, root)):
            raise Unavailable("密钥环文件被改动过 / the keyring was changed", code="keyring_damaged")
    return ring


def _mac(body: dict[str, Any], root: bytes) -> str:
    key = _hkdf(root, b"butler-escrow keyring mac")
    return hmac.new(key, json.dumps(body, sort_keys=True).encode(), "sha256").hexdigest()


def _wrap_kek(root: bytes, installation: uuid.UUID, kek_id: int, kek: bytes) -> str:
    nonce = secrets.token_bytes(12)
    return _b64(nonce + AESGCM(root).encrypt(nonce, kek, _data(f"kek {kek_id}", installation)))


def _opened(key: bytes, raw: bytes, data: bytes, code: str) -> bytes:
    try:
        return AESGCM(key).decrypt(raw[:12], raw[12:], data)
    except (InvalidTag, ValueError):
        raise Unavailable("打不开：密钥或口令不对，或文件已损坏 / does not open", code=code) from None


def _stretched(passphrase: str, salt: bytes) -> bytes:
    return hash_secret_raw(passphrase.encode(), salt, hash_len=32, type=Type.ID, **ARGON)


def _hkdf(secret: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, None, info).derive(secret)


def _data(purpose: str, installation: uuid.UUID) -> bytes:
    return b"butler-escrow-keyring\0" + purpose.encode() + b"\0" + installation.bytes


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _raw(text: str) -> bytes:
    return base64.b64decode(text)
