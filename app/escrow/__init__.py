"""Escrow: the kits' passwords, sealed; checked without being seen, shown only by two persons (R07)."""

from app.escrow.entry import blind_check
from app.escrow.filing import Filed, file_secret
from app.escrow.filing import confirm as confirm_secret
from app.escrow.filing import drop as drop_secret
from app.escrow.joins import SecretState, kit_secrets, mark_handed
from app.escrow.vault import Vault

__all__ = [
    "Filed",
    "SecretState",
    "Vault",
    "blind_check",
    "confirm_secret",
    "drop_secret",
    "file_secret",
    "kit_secrets",
    "mark_handed",
]
