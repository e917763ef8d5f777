"""The recovery key as people keep it."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.kernel import recovery
from app.kernel.errors import Invalid


def test_the_sheet_is_the_key() -> None:
    private = X25519PrivateKey.generate()
    key = recovery.text_of(private)
    page = recovery.sheet(key, uuid.uuid4(), dt.datetime(2026, 11, 22, tzinfo=dt.UTC))
    spaced = " ".join(key.lower()[i : i + 5] for i in range(0, len(key), 5))
    for text in (key, f" {spaced}\n", page):
        assert recovery.private_half(text).private_bytes_raw() == private.private_bytes_raw()


@pytest.mark.parametrize(
    "text", ["", "BUTLER-RECOVERY-1-", "BUTLER-RECOVERY-1-AAAA", "BUTLER-RECOVERY-1-!!!!", "A" * 52]
)
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(Invalid):
        recovery.private_half(text)
