"""The manifest on its way to the server, before the last word of its command."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from agent.client import ServerAway, ServerRefused
from agent.clock import Steady
from agent.transfer.engine import Failed, Order
from agent.transfer.manifest import PATH, Manifest
from agent.transfer.turns import GaveUp, Telling

PATIENCE_S = 900.0
_WAIT_FIRST_S, _WAIT_MOST_S = 1.0, 60.0


class Poster(Protocol):
    """`agent.client.Client`, as far as this needs it."""

    def post(self, path: str, body: bytes, *, packed: bool = False) -> dict[str, Any]: ...


@dataclass
class Upload:
    """`connect` gives a connection of this thread's own."""

    order: Order
    connect: Callable[[], Poster]
    telling: Telling
    clock: Steady
    stopped: threading.Event
    patience_s: float = PATIENCE_S

    def __call__(self, told: Manifest) -> None:
        """Every page, each until the server has it. Raise `GaveUp`, `Failed` with the server's code, and what ends the
        work.
        """
        poster = self.connect()
        for page in range(told.pages):
            body = told.body(page, self.order.command, self.order.transfer)
            since, wait = self.clock(), _WAIT_FIRST_S
            while not _taken(poster, body):
                if self.clock() - since > self.patience_s:
                    raise GaveUp("server_away", first=False)
                self.telling.say("server_away")
                self.telling.wait(self.stopped, wait)
                wait = min(_WAIT_MOST_S, wait * 2)
            self.telling.ended(len(told.page(page)))


def _taken(poster: Poster, body: bytes) -> bool:
    """False: the server is away. Raise `Failed`."""
    try:
        poster.post(PATH, body, packed=True)
    except ServerAway:
        return False
    except ServerRefused as exc:
        raise Failed("too_many_files" if exc.status == 413 else "manifest_refused") from exc
    return True
