"""What the sources need beside the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.kernel.tenancy import Principal
from app.kernel.timeline import LifeEvent, Subject
from app.policy import PolicyFiles

MOST = 1000
"""Of one source: the newest. A phone's own years stay far below it."""


@dataclass(frozen=True)
class Tools:
    policies: PolicyFiles
    now: dt.datetime


Source = Callable[[Session, Principal, Subject, Tools], list[LifeEvent]]
"""Its events, in any order, each within the caller's centres at the time of the event."""
