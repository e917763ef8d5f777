"""Simulated phones on one site, and a gateway's worker that gets orders to erase them. For tests and for fuzzing.

```python
with WipeRig(tmp_path, phones=3).up() as rig:
    told = rig.order(rig.command(0))       # what the agent told of it at last: (state, detail)
    rig.stages                             # the words on the way of that order
    rig.settle()                           # every phone that was told to erase itself has done so and is back
    rig.swap(0, 1)                         # the cables of two phones: each answers at the other's port
```
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent import wire
from agent.boxes import Boxes
from agent.clock import steady
from agent.commands import CommandWorker, Kind
from agent.hands import Hands
from agent.identify import IdentifyPhone
from agent.identity import PhoneAtHand
from agent.inbox import Inbox, receive
from agent.inspect_phone import InspectPhone
from agent.simulator.fleet import Fleet, Mode
from agent.simulator.make import make_phone
from agent.simulator.state import AuthMode, PhoneState
from agent.sweep import Serials
from agent.transport import TransportOptions
from agent.wipe import WipeKind
from tests.agent.builders import Box

AGENT, WIPE = "a1", "0197d000-0000-7000-8000-000000000001"
PIN = "canary73915462"
EXPIRES_S = 600


def wipeable(index: int, packages: int = 12) -> PhoneState:
    """A phone that can be erased: Android 13, no accounts, no lock; it hides its IMEIs, as they do."""
    phone = make_phone(index, packages=packages)
    phone.identity.sdk, phone.identity.android_release = 33, "13"
    phone.lock_pin, phone.accounts, phone.auth = None, [], AuthMode.OPEN
    # Of its own: a port that one test run has let go may be another's at once, and no order may fit there.
    phone.identity.android_id, phone.boot_id = secrets.token_hex(8), str(uuid.uuid4())
    phone.reset_after_s, phone.boot_duration_s = 0.01, 0.0
    return phone


class WipeRig:
    """`phones` and one worker; `target(i)` is where phone i is to be found, `index` its place in `phones`."""

    def __init__(self, folder: Path, phones: int = 1, mode: Mode = "canned", **state: Any) -> None:
        self.phones = [wipeable(index) for index in range(phones)]
        for phone in self.phones:
            for name, value in state.items():
                setattr(phone, name, value)
        if mode == "mksh":
            # Its commands are processes: the answer must be out before the phone goes.
            for phone in self.phones:
                phone.reset_after_s = 0.5
        self.fleet = Fleet(self.phones, mode)
        self.key = X25519PrivateKey.generate()
        self.boxes = Boxes()
        self.box = Box(folder / "spool.db")
        self.options = TransportOptions(connect_s=5.0, auth_wait_s=0.2)
        self.number = 0
        self.stages: list[str] = []

    @contextmanager
    def up(self) -> Iterator[WipeRig]:
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

    def kinds(self) -> dict[str, Kind]:
        inbox = Inbox(self.box.database, self.box.clock)
        return {
            "wipe_phone": WipeKind(self.key, self.boxes, self.at_hand, inbox.left_s, inbox.tell),
            "inspect_phone": InspectPhone(self.at_hand),
            "identify_phone": IdentifyPhone(self.at_hand),
        }

    def worker(self) -> CommandWorker:
        inbox = Inbox(self.box.database, self.box.clock)
        return CommandWorker(inbox, self.kinds(), self.box.clock, on_result=lambda: None)

    def command(
        self,
        index: int = 0,
        *,
        texts: dict[str, str] | None = None,
        args: dict[str, Any] | None = None,
        **changes: Any,
    ) -> wire.Command:
        """As the server makes it for phone `index` as it is now; `texts` None: without a box."""
        self.number += 1
        phone = self.phones[index]
        given: dict[str, Any] = {
            "wipe": WIPE,
            "strategy": "test_harness",
            "expect": {"android_id": phone.identity.android_id, "boot_id": phone.boot_id},
            "imei_typed": phone.identity.imeis[0],
        } | (args or {})
        made = wire.Command(
            f"w{self.number}", "wipe_phone", AGENT, phone.identity.serial, tuple(phone.identity.imeis), given,
            EXPIRES_S, wire.DANGER_PURPOSE,
        )  # fmt: skip
        made = replace(made, **changes)
        return made if texts is None else self.sealed(made, texts)

    def sealed(self, command: wire.Command, texts: dict[str, str]) -> wire.Command:
        sealed = wire.seal_box(
            texts, self.key.public_key().public_bytes_raw(), command=command.id, agent=command.agent,
            serial=command.serial,
        )  # fmt: skip
        return replace(command, args={**command.args, "sealed": sealed})

    def receive(self, command: wire.Command) -> None:
        with self.box.database.transaction() as db:
            receive(db, [self.boxes.put(command)], self.box.clock.now())

    def order(self, command: wire.Command) -> tuple[str, dict[str, Any]]:
        self.receive(command)
        assert self.worker().step() is True
        return self.told()

    def told(self) -> tuple[str, dict[str, Any]]:
        """The last word that waits to be reported; those on the way go to `stages`."""
        *words, last = self.box.send()["results"]
        assert {word["state"] for word in words} <= {"running"}, words
        self.stages = [word["detail"]["stage"] for word in words]
        return last["state"], last["detail"]

    def swap(self, one: int, other: int) -> None:
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

    @property
    def resets(self) -> list[int]:
        return [phone.resets for phone in self.phones]
