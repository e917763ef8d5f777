"""Killed outright: a part of the server, or of a gateway, runs in a child that ends by SIGKILL at its n-th step.

What it had put on disk stands, all else is gone, as for a process of its own. The simulated phones live on meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import pickle
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Engine, event

from agent.inbox import Inbox
from agent.simulator.fleet import Fleet
from agent.transport_tcp import TcpTransport
from tests.support.killing import Steps, Watched, at_calls, fork, was_killed

KILLED = object()
_AGENT_STEPS: Watched = (
    (Inbox, "next"), (Inbox, "start"), (Inbox, "tell"), (Inbox, "left_s"), (Inbox, "finish"), (TcpTransport, "run"),
    (TcpTransport, "close"),
)  # fmt: skip


def in_child(work: Callable[[], Any], prepare: Callable[[], None], fleet: Fleet | None = None) -> Any:
    """What `work` gives in a child after `prepare`, which arms the kill; `KILLED` when it was killed before its end."""
    taken, given = os.pipe()

    def told_to_parent() -> None:
        prepare()
        found = work()
        with os.fdopen(given, "wb") as out:
            pickle.dump(found, out)

    number = fork(told_to_parent, fleet)
    os.close(given)
    with os.fdopen(taken, "rb") as answers:
        told = answers.read()
    killed = was_killed(number)
    return KILLED if killed or not told else pickle.loads(told)


def at_statement(engine: Engine, step: int) -> None:
    """From now on the n-th statement or commit of this process is its last: half of them before it, half after."""
    count = Steps(step)
    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(engine, name, count)


def at_agents_step(step: int) -> None:
    """From now on the n-th time that the agent goes to its disk, or to a phone, or comes back from there."""
    at_calls(_AGENT_STEPS, step)


@contextlib.contextmanager
def faulty_line(connection: Any, kind: str, packet: int) -> Iterator[None]:
    """The n-th message from now on that reaches a simulated phone is lost with its connection (`drop`), is
    never answered, nor is any later one (`hang`), or is answered with rubbish (`garbage`).
    `connection` is the simulator's class.
    """
    real, count = connection._received, 0

    def received(self: Any, message: Any) -> None:
        nonlocal count
        count += 1
        if getattr(self, "hangs", False) or (count == packet and kind == "hang"):
            self.hangs = True
        elif count == packet and kind == "drop":
            self.abort()
        elif count == packet:
            self._write(os.urandom(512))
        else:
            real(self, message)

    connection._received = received
    try:
        yield
    finally:
        connection._received = real
