"""Killed outright: a part of the product runs in a child that ends by SIGKILL at its n-th step, or at any moment.

What it had put on disk stands, all else is gone, as for a process of its own. Simulated phones live on meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from agent import wire
from agent.boxes import Boxes
from agent.inbox import Inbox
from agent.simulator.fleet import Fleet
from tests.support.orders import OrdersRig, Told

Watched = Sequence[tuple[Any, str]]
"""Functions and methods by their owner and name."""


class Steps:
    """Kills this process when the n-th is met."""

    def __init__(self, step: int) -> None:
        self.left = step

    def __call__(self, *_anything: Any) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def at_calls(watched: Watched, step: int) -> None:
    """From now on the n-th time that one of these begins or ends is the last that this process does."""
    count = Steps(step)

    def watch(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            count()
            found = real(*args, **kwargs)
            count()
            return found

        setattr(owner, name, called)

    for owner, name in watched:
        watch(owner, name)


def fork(work: Callable[[], object], fleet: Fleet | None = None) -> int:
    """`work` in a child, which never returns and whose errors are nobody's; the child's number."""
    listeners = [one.fileno() for device in fleet.devices for one in device.listeners] if fleet else []
    number = os.fork()
    if number == 0:
        for listener in listeners:
            # A phone that comes back cannot listen where a dying child still does.
            os.close(listener)
        with contextlib.suppress(BaseException):
            work()
        os._exit(0)
    return number


def was_killed(number: int) -> bool:
    """Wait for the child's end."""
    return os.WIFSIGNALED(os.waitpid(number, 0)[1])


def _work(rig: OrdersRig, prepare: Callable[[], object]) -> int:
    """The worker with one order, in a child."""

    def step() -> None:
        rig.box.open("g1")
        prepare()
        rig.worker().step()

    rig.box.database.close()
    return fork(step, rig.fleet)


def _settled(rig: OrdersRig, command: wire.Command) -> list[Told]:
    """All that the agent, started anew, tells of the command, the server sending it again while it hears "not now"."""
    rig.box.open("g1")
    rig.boxes = Boxes()
    told: list[Told] = []
    stages: list[str] = []
    for _ in range(3):
        worker = rig.worker()
        Inbox(rig.box.database, rig.box.clock).recover(worker._cut_off)
        while worker.step():
            pass
        told += rig.heard()
        stages += rig.stages
        if told and told[-1][0] != "not_now":
            break
        rig.receive(command)
    rig.settle()
    rig.stages = stages
    assert told, "it never told anything"
    return told


def killed_at_each_step(
    rig: OrdersRig, watched: Watched, give: Callable[[int], wire.Command], *, turns: int = 1, unmet: int = 0
) -> Iterator[list[Told]]:
    """What was told of an order whose agent was killed at its first step, its second …, until in as many `turns` none
    was met any more. `give(step)` brings the phones to where they were and hands the rig the order; `unmet`: so many
    steps among the watched such an order may do without.
    """
    step, killed = 0, [True]
    while any(killed[-turns:]):
        step += 1
        command = give(step)
        killed.append(was_killed(_work(rig, lambda at=step: at_calls(watched, at))))  # type: ignore[misc]
        yield _settled(rig, command)
    assert step > 2 * len(watched) - unmet, "each of the steps was met"


def killed_at_any_moment(
    rig: OrdersRig, rounds: int, within_s: float, give: Callable[[], wire.Command], *, seed: int
) -> Iterator[list[Told]]:
    """The same with the agent killed after some time within `within_s`."""
    rng = random.Random(seed)
    for _ in range(rounds):
        command = give()
        number = _work(rig, lambda: None)
        time.sleep(rng.uniform(0, within_s))
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
        was_killed(number)
        yield _settled(rig, command)
