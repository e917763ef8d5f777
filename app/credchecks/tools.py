"""What every act of a round needs, and the names that its parts share."""

from __future__ import annotations

from dataclasses import dataclass

from app.escrow import Vault
from app.kernel.keys import KeyStore
from app.policy import PolicyFiles

SUBJECT = "credchecks"
VIEWERS = ("operations", "lead", "it", "auditor")
CHECKERS = ("operations", "lead")
MAX_REASON = 500


@dataclass(frozen=True)
class Tools:
    """Beside the session; built at the edge."""

    policies: PolicyFiles
    vault: Vault
    keys: KeyStore
