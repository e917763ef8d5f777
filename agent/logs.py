"""The agent's log: one line an event on standard error, times in UTC."""

from __future__ import annotations

import logging
import time
import traceback
from typing import Any

_LONGEST_CHAIN = 5


def printable(text: str) -> str:
    """One line that is safe for a terminal, whoever wrote it."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


class _OneLine(logging.Formatter):
    """What a server or a phone said can neither break a line nor colour a terminal."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%SZ"
    default_msec_format = ""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name
        """Kinds and places only: an exception's message may hold what a phone said, an account's name say."""
        chain: list[str] = []
        error: BaseException | None = ei[1]
        while error is not None and len(chain) < _LONGEST_CHAIN:
            frames = traceback.extract_tb(error.__traceback__)[-4:]
            places = " > ".join(f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno}:{f.name}" for f in frames)
            chain.append(f"{type(error).__name__} at {places}")
            error = error.__cause__ or error.__context__
        return "  " + " <- ".join(chain)


def set_up(*, verbose: bool) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logger = logging.getLogger("agent")
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)
    logger.propagate = False
