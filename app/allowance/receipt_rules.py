"""What a receipt's file may be, told by its content and never by its name. Plain values only."""

from __future__ import annotations

import unicodedata

MAX_BYTES = 10 * 2**20
EXTENSIONS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


def normal_number(text: str) -> str | None:
    """A receipt's number in the form in which two spellings of it are one: no spaces or dashes, capital letters; None
    when nothing is left. Else one receipt, photographed twice, is paid once for each way to write its number.
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    # One such character may become several: the result is cut to what the text could hold.
    return "".join(c for c in plain if c.isalnum())[: len(text)] or None


def is_pdf(data: bytes) -> bool:
    """A whole one: a torn file that nobody can open proves nothing."""
    return data.startswith(b"%PDF-") and b"%%EOF" in data[-2048:]
