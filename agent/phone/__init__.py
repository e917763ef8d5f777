"""The part that runs on the phone. Its texts travel inside a command; nothing of it stays there."""

from __future__ import annotations

import re
import secrets
from functools import cache
from pathlib import Path

MARK = "# butler-snapshot"
_NONCE = re.compile(r"\AN=([0-9a-f]{16})$", re.MULTILINE)

MAX_COMMAND = 4000
"""Old adb servers and phones take at most 4096 bytes for opening a stream."""


@cache
def _body() -> str:
    text = (Path(__file__).parent / "snapshot.sh").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if line and not line.startswith("#"))


def snapshot_command(nonce: str | None = None) -> tuple[str, str]:
    """The command that prints a whole snapshot, and the number that marks its frames;
    a new one for each call.
    """
    nonce = nonce or secrets.token_hex(8)
    return f"{MARK}\nN={nonce}\n{_body()}", nonce


def nonce_of(command: str) -> str | None:
    """The number of a snapshot command, or None if it is none."""
    if not command.startswith(MARK + "\n"):
        return None
    found = _NONCE.match(command[len(MARK) + 1 :])
    return found[1] if found else None
