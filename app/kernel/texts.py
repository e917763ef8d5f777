"""Texts that people type, made fit for one line of a page and for every database."""

from __future__ import annotations

import unicodedata


def one_line(text: str, limit: int) -> str:
    """NFC, blanks folded, what cannot be printed (a NUL, half a character) left out, cut to `limit` characters."""
    words = " ".join(text[: 4 * limit].split())
    return unicodedata.normalize("NFC", "".join(c for c in words if c.isprintable()))[:limit].strip()
