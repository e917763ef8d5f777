"""What runs on the phone: the snapshot, whose text travels inside its command, and the journal, which stays."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from functools import cache
from pathlib import Path

MARK = "# butler-snapshot"
JOURNAL_MARK = "# butler-journal"
_NONCE = re.compile(r"\AN=([0-9a-f]{16})$", re.MULTILINE)
_COLLECTED = re.compile(r'^A="([0-9a-f. ]*)"$', re.MULTILINE)
_FILE = re.compile(r"[0-9a-f]{1,8}\.[0-9]{1,10}(?:\.[0-9]{1,3})?\.[01]", re.ASCII)
_JOURNAL_VERSION = re.compile(r"^V=([0-9]{1,6})$", re.MULTILINE | re.ASCII)
_PATH = "/data/local/tmp/butler-journal"

MAX_COMMAND = 4000
"""Old adb servers and phones take at most 4096 bytes for opening a stream."""
MAX_COLLECTED = 32
"""Names of files that one snapshot may tell a phone to forget."""


@cache
def _body(name: str) -> str:
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if line and not line.startswith("#"))


def snapshot_command(
    nonce: str | None = None, collected: Sequence[str] = (), *, history: bool = False
) -> tuple[str, str]:
    """The command that prints a whole snapshot, and the number that marks its frames; a new one for each call.

    `collected`: files of the journal that the phone may remove. What is no such name is left out: these words become
    part of a command. `history` asks for the phone's own records of its power, too.
    """
    nonce = nonce or secrets.token_hex(8)
    files = " ".join([name for name in collected if _FILE.fullmatch(name)][:MAX_COLLECTED])
    head = f'A="{files}"\nH={"1" if history else ""}\n'
    return f"{MARK}\nN={nonce}\n{head}{_body('frames.sh')}\n{_body('snapshot.sh')}", nonce


def inspect_command(nonce: str | None = None) -> tuple[str, str]:
    """The command that prints what a wipe's evidence needs beside a snapshot, and the number that marks its frames."""
    nonce = nonce or secrets.token_hex(8)
    return f"{MARK}\nN={nonce}\n{_body('frames.sh')}\n{_body('inspect.sh')}", nonce


def preset_command(nonce: str | None = None) -> tuple[str, str]:
    """The command that prints since when each app is there, and the number that marks its frames."""
    nonce = nonce or secrets.token_hex(8)
    return f"{MARK}\nN={nonce}\n{_body('frames.sh')}\n{_body('preset.sh')}", nonce


def nonce_of(command: str) -> str | None:
    """The number of a snapshot command, or None if it is none."""
    if not command.startswith(MARK + "\n"):
        return None
    found = _NONCE.match(command[len(MARK) + 1 :])
    return found[1] if found else None


def collected_of(command: str) -> list[str]:
    """What a snapshot command tells the phone to forget."""
    found = _COLLECTED.search(command)
    return found[1].split() if found else []


def asks_history(command: str) -> bool:
    """Whether a snapshot command asks for the phone's own records of its power."""
    return "\nH=1\n" in command


@cache
def journal_version() -> int:
    """That of the journal which this agent leaves on phones. It grows with every change, so that no older agent puts an
    older one in its place.
    """
    found = _JOURNAL_VERSION.search(_body("journal.sh"))
    if found is None:
        raise RuntimeError("agent/phone/journal.sh names no version")
    return int(found[1])


@cache
def journal_install_command() -> str:
    """Puts the journal on the phone and starts it; prints what `contact` prints. Whole or not at all: an old script
    stays where the new one does not fit on the disk.
    """
    script = _body("journal.sh").replace("'", "'\\''")
    return (
        f"{JOURNAL_MARK}\nJ={_PATH}\nprint -r -- '{script}' >$J.new && mv -f $J.new $J.sh && rm -f $J.pid &&\n"
        "exec sh $J.sh contact </dev/null"
    )
