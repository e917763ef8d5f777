"""What this installation's signature on a paper covers. Plain values only."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_PREFIX = b"butler-paper\0"


@dataclass(frozen=True)
class Envelope:
    """Everything of a paper but its text, which is in it by its sha256. `issued_us`: microseconds since 1970 UTC."""

    installation: uuid.UUID
    id: uuid.UUID
    number: str
    kind: str
    centre_id: uuid.UUID
    subject: str
    title: str
    sha256: str
    code: str
    parties: tuple[uuid.UUID, ...]
    corrects: uuid.UUID | None
    issued_by: str
    issued_us: int

    def signed_bytes(self) -> bytes:
        """Canonical JSON after a prefix that no other purpose has."""
        values = {
            "installation": str(self.installation),
            "id": str(self.id),
            "number": self.number,
            "kind": self.kind,
            "centre": str(self.centre_id),
            "subject": self.subject,
            "title": self.title,
            "sha256": self.sha256,
            "code": self.code,
            "parties": sorted(str(party) for party in self.parties),
            "corrects": str(self.corrects) if self.corrects else None,
            "issued_by": self.issued_by,
            "issued_us": self.issued_us,
        }
        return _PREFIX + orjson.dumps(values, option=orjson.OPT_SORT_KEYS)


def is_genuine(envelope: Envelope, signature: bytes, public_key: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, envelope.signed_bytes())
    except (InvalidSignature, ValueError):
        return False
    return True
