"""Simulated phones on one site, and a gateway's worker that gets orders about them; each kind of order has its own rig.

```python
with WipeRig(tmp_path, phones=3).up() as rig:
    told = rig.order(rig.command(0))       # what the agent told of it at last: (state, detail)
    rig.stages                             # the words on the way of that order
    rig.settle()                           # every phone that went down is back
    rig.swap(0, 1)                         # the cables of two phones: each answers at the other's port
```
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent import wire
from agent.boxes import Boxes
from agent.clock import steady
from agent.commands import CommandWorker, Kind
from agent.hands import Hands
from agent.identity import PhoneAtHand
from agent.inbox import Inbox, receive
from agent.simulator.fleet import Fleet, Mode
from agent.simulator.state import PhoneState
from agent.sweep import Serials
from agent.transport import TransportOptions
from agent.transport_tcp import TcpTransport
from tests.agent.builders import Box

AGENT = "a1"
Told = tuple[str, dict[str, Any]]
_RUN = TcpTransport.run


class OrdersRig:
    """`targets[i]` is where phone i is to be found. Phones get `state` as their fields."""

    def __init__(
        self, folder: Path, phones: Sequence[PhoneState], mode: Mode = "canned", **state: Any
    ) -> None:
        self.phones = list(phones)
        for phone in self.phones:
            for name, value in state.items():
                setattr(phone, name, value)
        self.fleet = Fleet(self.phones, mode)
        self.key = X25519PrivateKey.generate()
        self.boxes = Boxes()
        self.box = Box(folder / "spool.db")
        self.options = TransportOptions(connect_s=5.0, auth_wait_s=0.2)
        self.number = 0
        self.stages: list[str] = []

    @contextmanager
    def up(self) -> Iterator[Self]:
        with self.fleet:
            self.targets = [f"tcp:127.0.0.1:{port}" for port in self.fleet.ports]
            self.serials = Serials(
                dict(zip(self.targets, (phone.identity.serial for phone in self.phones), strict=True))
            )
            yield self
        self.box.database.close()

    @property
    def at_hand(self) -> PhoneAtHand:
        return PhoneAtHand(self.options, Hands(), self.serials, lambda: self.targets, steady, hand_wait_s=1.0)

    @property
    def inbox(self) -> Inbox:
        return Inbox(self.box.database, self.box.clock)

    def kinds(self) -> Mapping[str, Kind]:
        raise NotImplementedError

    def worker(self) -> CommandWorker:
        return CommandWorker(self.inbox, self.kinds(), self.box.clock, on_result=lambda: None)

    def make(
        self, kind: str, args: dict[str, Any], index: int = 0, *, expires_s: int = 600, **changes: Any
    ) -> wire.Command:
        """As the server makes it for phone `index` as it is now."""
        self.number += 1
        phone = self.phones[index].identity
        made = wire.Command(
            f"{kind[0]}{self.number}", kind, AGENT, phone.serial, tuple(phone.imeis), args, expires_s,
            wire.DANGER_PURPOSE,
        )  # fmt: skip
        return replace(made, **changes)

    def sealed(self, command: wire.Command, texts: dict[str, str]) -> wire.Command:
        sealed = wire.seal_box(
            texts, self.key.public_key().public_bytes_raw(), command=command.id, agent=command.agent,
            serial=command.serial,
        )  # fmt: skip
        return replace(command, args={**command.args, "sealed": sealed})

    def receive(self, command: wire.Command) -> None:
        with self.box.database.transaction() as db:
            receive(db, [self.boxes.put(command)], self.box.clock.now())

    def order(self, command: wire.Command) -> Told:
        self.receive(command)
        assert self.worker().step() is True
        return self.told()

    def told(self) -> Told:
        """The last word that waits to be reported."""
        (last,) = self.heard()
        return last

    def heard(self) -> list[Told]:
        """All words that wait to be reported; those on the way go to `stages`."""
        words = [(word["state"], word["detail"]) for word in self.box.send()["results"]]
        self.stages = [detail["stage"] for state, detail in words if state == "running"]
        return [word for word in words if word[0] != "running"]

    def swap(self, one: int = 0, other: int = 1) -> None:
        """Each of two phones answers where the other did, as after a mistake with cables."""
        self.fleet.swap(one, other)

    def settle(self) -> None:
        """Wait until no phone has anything left to read, nor is on its way down or up."""
        end = steady() + 10
        for _ in range(3):
            # Each turn of the phones' loop reads what lies in their sockets.
            self.fleet.change(0, lambda _: None)
        while not all(device.powered and not device.resets_due for device in self.fleet.devices):
            assert steady() < end, "a phone never came back"
            time.sleep(0.002)


def before_call(
    monkeypatch: pytest.MonkeyPatch, call: int, act: Callable[[], object], *, elsewhere: bool = False
) -> None:
    """`act` happens before the agent's `call`-th command line to a phone. `elsewhere`: that line itself then goes to
    whoever answers there by now, as through an adb server, which takes up a new way by itself.
    """
    calls = itertools.count()

    def run(self: TcpTransport, command: str, deadline_s: float) -> Any:
        if next(calls) == call:
            act()
            if elsewhere:
                with TcpTransport.open(self._target, self._options) as other:
                    return _RUN(other, command, deadline_s)
        return _RUN(self, command, deadline_s)

    monkeypatch.setattr(TcpTransport, "run", run)


def shortened(monkeypatch: pytest.MonkeyPatch, deadline_s: float, *limits: tuple[Any, str]) -> None:
    """So long, in seconds, each of these is waited for."""
    for owner, name in limits:
        monkeypatch.setattr(owner, name, deadline_s)
