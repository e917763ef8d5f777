"""What was read of a phone, as the rules take it. Plain values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Package = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the newest reading knows of one phone; None: not read, by this reading or ever. An older content is no
    evidence of what is there now, for good or for bad.

    `unread`: part → reason. `read_at`: of the newest dated reading, None: there is none.
    """

    packages: Sequence[Package] | None = None
    users: Sequence[Mapping[str, Any]] | None = None
    unread: Mapping[str, str] = field(default_factory=dict)
    accounts: Sequence[Mapping[str, Any]] | None = None
    setup: Mapping[str, Any] | None = None
    storage: Mapping[str, Any] | None = None
    security: Mapping[str, Any] | None = None
    identity: Mapping[str, Any] | None = None
    airplane_mode: bool | None = None
    read_at: dt.datetime | None = None

    def reason(self, *parts: str) -> dict[str, Any]:
        """Evidence with the reason why the first of these parts that is noted could not be read."""
        for part in parts:
            if part in self.unread:
                return {"reason": self.unread[part]}
        return {}
