"""Escrow: the kits' passwords, sealed; checked without being seen, shown only by two persons (R07)."""

from app.escrow.vault import Vault

__all__ = ["Vault"]
