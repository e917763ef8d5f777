"""Money that the rules give or take: one append-only book in integer fen."""

from app.ledger.service import Entry, balance, book, reverse

__all__ = ["Entry", "balance", "book", "reverse"]
