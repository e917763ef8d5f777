"""What only one agent may read, in one command only: HPKE (RFC 9180) to its X25519 key; used through `agent.wire`.

Whoever moves a box to another command, agent or phone finds that it no longer opens there.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

_INFO = b"butler-box\0"
_BLOCK = 256
"""Boxes are padded to this, so that their length tells nothing of what is inside."""
MAX_BOX_CHARS = 8192


class BoxRejected(ValueError):
    """A box that is not for this key, command, agent and phone, or was changed. Says nothing of its content."""


def seal_box(texts: Mapping[str, str], public: bytes, *, command: str, agent: str, serial: str) -> str:
    """Base64 of `texts`, sealed to the raw X25519 key `public`. Raise `ValueError` for a key that is none."""
    plain = json.dumps(dict(texts), ensure_ascii=False).encode()
    padded = plain + b" " * (-len(plain) % _BLOCK)
    key = X25519PublicKey.from_public_bytes(public)
    sealed = _suite().encrypt(padded, key, info=_info(command, agent, serial))
    return base64.b64encode(bytes(sealed)).decode("ascii")


def open_box(
    sealed: object, private: X25519PrivateKey, *, command: str, agent: str, serial: str
) -> dict[str, str]:
    """The texts of a box. Raise `BoxRejected`."""
    if not isinstance(sealed, str) or len(sealed) > MAX_BOX_CHARS:
        raise BoxRejected("no box")
    try:
        raw = base64.b64decode(sealed, validate=True)
        texts = json.loads(bytes(_suite().decrypt(raw, private, info=_info(command, agent, serial))))
    except (InvalidTag, ValueError):
        # Without its cause: what a parser complains of may quote what it was parsing.
        raise BoxRejected("the box does not open") from None
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise BoxRejected("not a box of texts")
    return texts


def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def _info(command: str, agent: str, serial: str) -> bytes:
    return _INFO + json.dumps([command, agent, serial]).encode()
