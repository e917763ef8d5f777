"""The bytes that an event's hash covers. Plain values only."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

GENESIS = hashlib.sha256(b"butler-audit-genesis-v1").digest()
_VERSION = b"butler-audit-v1"


@dataclass(frozen=True)
class ChainFields:
    """The hashed part of one event. `at_us` is exactly what the database stores: microseconds since 1970 UTC."""

    seq: int
    at_us: int
    centre: str
    actor: str
    ip: str
    action: str
    object: str
    reason: str
    outcome: str
    details_commit: bytes


def commit_details(details: str, salt: bytes) -> bytes:
    """A salted commitment: the details can be erased and the chain still verifies, and nobody can guess them back."""
    return hashlib.sha256(b"butler-audit-details-v1" + salt + details.encode()).digest()


def event_hash(event: ChainFields, previous: bytes) -> bytes:
    """sha256 over length-prefixed fields, so that no two different events can give the same bytes."""
    parts = [
        _VERSION,
        struct.pack(">q", event.seq),
        struct.pack(">q", event.at_us),
        *(
            t.encode()
            for t in (event.centre, event.actor, event.ip, event.action, event.object, event.reason)
        ),
        event.outcome.encode(),
        event.details_commit,
        previous,
    ]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(struct.pack(">I", len(part)))
        digest.update(part)
    return digest.digest()
