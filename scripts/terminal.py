"""What a person sees: one line a step, with how long it took and whether it went well."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Stop(Exception):
    """The run cannot go on. The message is for the person at the terminal: what is wrong and what to do."""


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Shows `doing` while it lasts, then whether it worked; a `Stop` inside is left to the caller to tell."""
    live = sys.stdout.isatty()
    if live:
        _say(f" … {doing}", end="")
    begin = time.monotonic()
    try:
        yield
    except BaseException:
        _end(live, f" ✗ {doing}")
        raise
    _end(live, f" ✓ {doing} ({time.monotonic() - begin:.1f} s)")


def note(text: str) -> None:
    _say(f" · {text}")


def complain(text: str) -> None:
    """An error, on standard error, every line of it marked."""
    with suppress(OSError):
        print("\n".join(f" ✗ {line}" for line in text.splitlines()), file=sys.stderr, flush=True)


def _end(live: bool, line: str) -> None:
    _say(("\r\033[K" if live else "") + line)


def _say(text: str, end: str = "\n") -> None:
    # The terminal may be closed by now; what is running still has to be ended in order.
    with suppress(OSError):
        print(text, end=end, flush=True)
