"""What a person sees: one line a step, with how long it took and whether it went well."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stop(Exception):
    """The run cannot go on. The message is for the person at the terminal: what is wrong and what to do."""


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Shows `doing` while it lasts, then whether it worked; a `Stop` inside is left to the caller to tell."""
    live = sys.stdout.isatty()
    if live:
        print(f" … {doing}", end="", flush=True)
    begin = time.monotonic()
    try:
        yield
    except BaseException:
        _end(live, f" ✗ {doing}")
        raise
    _end(live, f" ✓ {doing} ({time.monotonic() - begin:.1f} s)")


def note(text: str) -> None:
    print(f" · {text}", flush=True)


def complain(text: str) -> None:
    """An error, on standard error, every line of it marked."""
    for line in text.splitlines():
        print(f" ✗ {line}", file=sys.stderr, flush=True)


def _end(live: bool, line: str) -> None:
    print(("\r\033[K" if live else "") + line, flush=True)
