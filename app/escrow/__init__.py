"""Escrow: the kits' passwords, sealed; checked without being seen, shown only by two persons (R07)."""

from app.escrow.entry import blind_check
from app.escrow.filing import Filed, file_secret
from app.escrow.filing import confirm as confirm_secret
from app.escrow.filing import drop as drop_secret
from app.escrow.joins import SecretState, kit_secrets, mark_handed, mark_lost, touched_since
from app.escrow.lock_model import LockOrder
from app.escrow.lock_orders import ask_lock_check, ask_lock_set, lock_order_runs, lock_orders_of
from app.escrow.lock_rules import LockState
from app.escrow.lock_rules import words_of as lock_words
from app.escrow.lock_sending import can_send, danger_key, lock_for_wipe
from app.escrow.lock_views import last_try
from app.escrow.sealing import check_keyring
from app.escrow.vault import Opened, Vault
from app.escrow.views import status as escrow_status

__all__ = [
    "Filed",
    "LockOrder",
    "LockState",
    "Opened",
    "SecretState",
    "Vault",
    "ask_lock_check",
    "ask_lock_set",
    "blind_check",
    "can_send",
    "check_keyring",
    "confirm_secret",
    "danger_key",
    "drop_secret",
    "escrow_status",
    "file_secret",
    "kit_secrets",
    "last_try",
    "lock_for_wipe",
    "lock_order_runs",
    "lock_orders_of",
    "lock_words",
    "mark_handed",
    "mark_lost",
    "touched_since",
]
