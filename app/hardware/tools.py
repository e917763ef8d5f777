"""What every act of this room needs beside the session, and the names that its parts share."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from app.kernel.blobs import BlobStore
from app.kernel.keys import KeyStore
from app.policy import PolicyFiles

SUBJECT = "hardware"
ACCOUNT = "R05"
"""Of the ledger: what wages pay for hardware."""
REPORTERS = ("operations", "lead", "it")
DECIDERS = ("operations", "lead")
FINANCE = ("finance",)
VIEWERS = ("operations", "lead", "it", "finance", "auditor")
MAX_PHOTOS = 8
MAX_WORDS = 2000
KINDS: Mapping[str, str] = {"damage": "损坏", "loss": "遗失"}
CAUSES: Mapping[str, str] = {
    "human": "人为（使用或保管不当）", "wear": "正常磨损", "defect": "产品缺陷（保修）", "third_party": "第三方造成",
    "unknown": "原因不明",
}  # fmt: skip


@dataclass(frozen=True)
class Tools:
    """Built at the edge."""

    policies: PolicyFiles
    blobs: BlobStore
    keys: KeyStore


def case_path(case_id: uuid.UUID) -> str:
    return f"/hardware/{case_id}"
