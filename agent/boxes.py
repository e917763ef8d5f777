"""The sealed parts of commands, between their receipt and their act: in memory alone, never on this machine's disk."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace

from agent import wire
from agent.clock import Steady, steady

SEALED = "sealed"
MAX_KEPT = 50


class Boxes:
    """By the command's id, until they are taken or their command expires. For any number of threads."""

    def __init__(self, clock: Steady = steady) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, object]] = OrderedDict()

    def put(self, command: wire.Command) -> wire.Command:
        """The command as it may be stored: of its sealed part, which is kept here, only that there was one."""
        if SEALED not in command.args:
            return command
        box = command.args[SEALED]
        with self._lock:
            self._forget()
            self._kept.pop(command.id, None)
            self._kept[command.id] = (self._clock() + command.expires_in_s, box)
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return replace(command, args={**command.args, SEALED: True})

    def take(self, command_id: str) -> object | None:
        """The box, which is not kept any longer; None when there is none (any more)."""
        with self._lock:
            self._forget()
            return self._kept.pop(command_id, (0.0, None))[1]

    def _forget(self) -> None:
        now = self._clock()
        for command_id in [name for name, (until, _) in self._kept.items() if until <= now]:
            del self._kept[command_id]
