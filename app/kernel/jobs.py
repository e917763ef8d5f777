"""What a room asks the scheduler to run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.kernel.clock import Clock

Transactions = Callable[[], AbstractContextManager[Session]]
"""Each `with transactions() as session:` is one write transaction, committed at its end, rolled back by an error."""


@dataclass(frozen=True)
class Job:
    """`run(session, now)` acts in one write transaction and must be idempotent: after a crash it simply runs again.

    It returns how many things it touched, for the log and the metrics.
    """

    name: str
    every_s: int
    run: Callable[[Session, dt.datetime], int]


@dataclass(frozen=True)
class OutsideJob:
    """A job that talks to other machines: `run(transactions, clock)` opens short transactions of its own and none while
    it waits for an answer, for on SQLite that would hold up every writer. Idempotent, and counts, as a `Job`.

    It has a thread of its own: a mail server that hangs delays nothing but mail.
    """

    name: str
    every_s: int
    run: Callable[[Transactions, Clock], int]
