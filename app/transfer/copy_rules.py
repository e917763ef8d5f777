"""The key of a phone's encrypted copy. Plain values only.

It stands nowhere: it is made anew, from ROOT and the salt of the transfer, when a gateway is to work on it. Once the
salt is gone the copy opens nowhere but with a backup of the database that still holds it, and ROOT.
"""

from __future__ import annotations

import base64
import secrets
import uuid

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SALT_BYTES = 32


def new_salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


def copy_key(secret: bytes, salt: bytes, transfer_id: uuid.UUID, old_serial: str) -> str:
    """32 bytes in base64, as they travel in the sealed box; bound to the transfer and to the old phone."""
    info = b"butler-transfer-copy\0" + transfer_id.bytes + old_serial.encode()
    return base64.b64encode(HKDF(hashes.SHA256(), 32, salt, info).derive(secret)).decode()
