"""Texts that people type, made fit for one line of a page and for every database."""

from __future__ import annotations

import unicodedata

from app.kernel.errors import FieldError, Invalid


def one_line(text: str, limit: int) -> str:
    """NFC, blanks folded, what cannot be printed (a NUL, half a character) left out, cut to `limit` characters."""
    words = " ".join(text[: 4 * limit].split())
    return unicodedata.normalize("NFC", "".join(c for c in words if c.isprintable()))[:limit].strip()


def printable(text: str, limit: int) -> str:
    """A phone's own words for a column and a page: `\ufffd` stands for what no line may hold (a NUL, a line's end, an
    escape); cut to `limit` characters.
    """
    short = text[:limit]
    return short if short.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in short)


def required(text: str, field: str, message: str, limit: int = 500) -> str:
    """One line that must not be empty. Raise `Invalid` naming the field."""
    words = one_line(text, limit)
    if not words:
        raise wrong(field, message)
    return words


def wrong(field: str, message: str, code: str = "invalid") -> Invalid:
    """What a person gave for one field cannot be taken; `message` says how to mend it."""
    return Invalid(message, code=code, fields=[FieldError(field, code, message)])


def model_name(brand: str, model: str) -> str:
    """What people call a phone: the maker's name, which many models begin with, once."""
    brand, model = brand.strip(), model.strip()
    doubled = model.casefold().split(" ")[0] == brand.casefold()
    return model if doubled else f"{brand} {model}".strip()
