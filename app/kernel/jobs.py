"""What a room asks the scheduler to run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Job:
    """`run(session, now)` acts in one write transaction and must be idempotent: after a crash it simply runs again.

    It returns how many things it touched, for the log and the metrics.
    """

    name: str
    every_s: int
    run: Callable[[Session, dt.datetime], int]
