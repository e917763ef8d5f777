"""A checkpoint: what was signed of the trail, as bytes and as the JSON that is kept elsewhere. Plain values only."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "butler-audit-checkpoint-v1"
_SIZES = {"hash": 32, "public_key": 32, "signature": 64}


@dataclass(frozen=True)
class Checkpoint:
    """`size` events stood at `at_us` (microseconds since 1970 UTC), the last with `hash`: so says this installation."""

    installation: uuid.UUID
    size: int
    at_us: int
    hash: bytes
    public_key: bytes
    signature: bytes = b""

    def signed_bytes(self) -> bytes:
        """What the signature covers; every part has its fixed length, and the prefix no other purpose has."""
        numbers = struct.pack(">qq", self.size, self.at_us)
        return FORMAT.encode() + b"\0" + self.installation.bytes + numbers + self.hash

    def is_genuine(self) -> bool:
        """Whether `public_key` signed it; whose key that is, the caller compares."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(self.signature, self.signed_bytes())
        except (InvalidSignature, ValueError):
            return False
        return True

    def document(self) -> dict[str, Any]:
        """The JSON form, which `verify_audit.py` reads too."""
        return {
            "format": FORMAT,
            "installation": str(self.installation),
            "size": self.size,
            "at_us": self.at_us,
            "hash": self.hash.hex(),
            "public_key": self.public_key.hex(),
            "signature": self.signature.hex(),
        }


def read_checkpoint(document: object) -> Checkpoint:
    """The checkpoint of a JSON document. Raise `ValueError` for what is none."""
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise ValueError(f"not a {FORMAT}")
    try:
        parts = {name: bytes.fromhex(document[name]) for name in _SIZES}
        numbers = {name: document[name] for name in ("size", "at_us")}
        installation = uuid.UUID(document["installation"])
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        raise ValueError(f"a damaged {FORMAT}") from exc
    whole = all(type(n) is int and 0 <= n < 2**63 for n in numbers.values())
    if not whole or any(len(parts[name]) != size for name, size in _SIZES.items()):
        raise ValueError(f"a damaged {FORMAT}")
    return Checkpoint(
        installation,
        numbers["size"],
        numbers["at_us"],
        parts["hash"],
        parts["public_key"],
        parts["signature"],
    )
