"""Logs: one line an event on standard error, without values that an exception might carry."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog


def configure_logs(level: str) -> None:
    """Set structlog up for the process, and hush what libraries would print of requests."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _where_it_broke,
            structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "event"], bool_as_flag=False
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def _where_it_broke(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by its kinds and places. Its message and the frames' variables may hold a password."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        chain: list[str] = []
        seen: BaseException | None = error
        while seen is not None and len(chain) < 5:
            frames = traceback.extract_tb(seen.__traceback__)[-4:]
            places = " > ".join(f"{f.filename.rsplit('/', 2)[-1]}:{f.lineno}:{f.name}" for f in frames)
            chain.append(f"{type(seen).__name__} at {places}")
            seen = seen.__cause__ or seen.__context__
        event["error"] = " <- ".join(chain)
    return event
