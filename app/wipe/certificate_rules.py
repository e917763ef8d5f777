"""The certificate for machines: canonical JSON under an Ed25519 signature. Plain values only.

`app/audit/verify_audit.py` checks it offline, and holds the same format in its own words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FORMAT = "butler-wipe-certificate-v1"
_PREFIX = b"butler-wipe-certificate-v1\0"


def _canonical(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def seal_certificate(body: Mapping[str, Any], key: Ed25519PrivateKey) -> bytes:
    """The whole file. Texts and whole numbers only: a fraction is written differently by different programs."""
    told = {
        "body": body,
        "format": FORMAT,
        "public_key": key.public_key().public_bytes_raw().hex(),
        "signature": key.sign(_PREFIX + _canonical(body)).hex(),
    }
    return _canonical(told)


def fingerprint(public_key: bytes) -> str:
    """What people compare: the sha256 of the key, its first 32 digits in groups of four."""
    digits = hashlib.sha256(public_key).hexdigest()[:32]
    return " ".join(digits[i : i + 4] for i in range(0, 32, 4))
