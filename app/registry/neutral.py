"""CSV has no text type: spreadsheets run a cell that begins like a formula, unless an apostrophe stands first."""

from __future__ import annotations

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutral(text: str) -> str:
    """The text as a CSV cell that no spreadsheet runs; `plain` undoes it exactly."""
    return "'" + text if text.lstrip("'").startswith(_STARTS) else text


def plain(text: str) -> str:
    """Undoes `neutral`."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_STARTS) else text
