"""What all parsers share: when to give up, and how to name why."""

from __future__ import annotations

import re

TIMED_OUT = frozenset({124, 137, 142, 143})
"""Exit codes of toybox's `timeout` over its versions."""

_DENIED = re.compile(r"SecurityException|[Pp]ermission [Dd]eni|does not have permission|not allowed")
_MISSING = re.compile(r"not found|[Cc]an.t find service|inaccessible|[Uu]nknown (?:command|option)")
_SLOW = re.compile(r"DUMP TIMEOUT")
# Not from the middle of a name: each of its parts would be tried as the beginning of another one.
_EXCEPTION = re.compile(r"(?<![\w.])(?:[a-z_]+\.)+([A-Z]\w*(?:Exception|Error))")
_NOISE = re.compile(r"WARNING: linker: |\s*\Z")


class Unreadable(ValueError):
    """A text that says nothing that can be relied on; `str` is the reason, without anything personal."""


def complaint(text: str) -> str | None:
    """Why the phone did not answer, if the text says so:
    `permission denied`, `not available on this phone`, …
    """
    for pattern, reason in (
        (_DENIED, "permission denied"),
        (_SLOW, "timed out on the phone"),
        (_MISSING, "not available on this phone"),
    ):
        if pattern.search(text):
            return reason
    found = _EXCEPTION.search(text)
    return f"the phone's error: {found[1]}" if found else None


def is_noise(line: str) -> bool:
    """Lines that some builds put before any output: blank ones and the linker's warnings."""
    return _NOISE.match(line) is not None


def whole_number(text: str | None) -> int | None:
    """A decimal number of at most 18 digits, or None."""
    text = (text or "").strip()
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII) else None


def flag(text: str | None) -> bool | None:
    """A setting's `1` or `0`; anything else is None."""
    return {"1": True, "0": False}.get((text or "").strip())
