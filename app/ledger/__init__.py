"""Money that the rules give or take: one append-only book in integer fen."""

from app.ledger.model import LedgerEntry
from app.ledger.service import Entry, balance, book, book_all, reverse
from app.ledger.views import entries_between, list_entries, reversals_of, sums_by_month

__all__ = [
    "Entry",
    "LedgerEntry",
    "balance",
    "book",
    "book_all",
    "entries_between",
    "list_entries",
    "reversals_of",
    "reverse",
    "sums_by_month",
]
