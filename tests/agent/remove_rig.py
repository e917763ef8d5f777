"""Simulated phones with an app that should go, and a gateway's worker that gets orders about it.

```python
with RemoveRig(tmp_path).up() as rig:
    state, detail = rig.order(rig.remove())      # what the agent told of it at last
    rig.app()                                    # the app as the first phone has it, None: not installed
```
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent import wire
from agent.clock import steady
from agent.commands import CommandWorker, Kind
from agent.hands import Hands
from agent.identity import PhoneAtHand
from agent.inbox import Inbox, receive
from agent.remove import RemoveApp, RestoreApp
from agent.simulator.fleet import Fleet, Mode
from agent.simulator.make import make_phone
from agent.simulator.reset import erase
from agent.simulator.state import AuthMode, Package, PhoneState, UserState
from agent.sweep import Serials
from agent.transport import TransportOptions
from tests.agent.builders import Box

AGENT, CASE = "a1", "0197d000-0000-7000-8000-000000000002"
GAME, BLOAT = "com.some.game", "com.vendor.browser"
ALL = ["uninstall", "disable", "suspend"]


def with_apps(index: int, packages: int = 8) -> PhoneState:
    """Android 13 with a game that the user installed, and an app of the vendor's that is part of the system."""
    phone = make_phone(index, packages=packages)
    phone.identity.sdk, phone.identity.android_release = 33, "13"
    phone.auth, phone.boot_id = AuthMode.OPEN, str(uuid.uuid4())
    # Of its own: a port that one test run has let go may be another's at once.
    phone.identity.serial = f"RM{secrets.token_hex(5)}".upper()
    phone.identity.android_id = secrets.token_hex(8)
    phone.packages = [item for item in phone.packages if item.name not in (GAME, BLOAT)]
    phone.packages += [
        Package(GAME, 7000, "1.7", uid=10401),
        Package(BLOAT, 90_000, "9.0", system=True, path=f"/system/app/{BLOAT}/base.apk", uid=10402),
    ]
    return phone


class RemoveRig:
    """`phones` and one worker; `target(i)` is where phone i is to be found."""

    def __init__(self, folder: Path, phones: int = 1, mode: Mode = "canned", **state: Any) -> None:
        self.phones = [with_apps(index) for index in range(phones)]
        for phone in self.phones:
            for name, value in state.items():
                setattr(phone, name, value)
        self.fleet = Fleet(self.phones, mode)
        self.box = Box(folder / "spool.db")
        self.options = TransportOptions(connect_s=5.0, auth_wait_s=0.2)
        self.number = 0
        self.slept: list[float] = []
        self.swapped = False
        self.meanwhile: Callable[[], object] = lambda: None

    @contextmanager
    def up(self) -> Iterator[RemoveRig]:
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
        return {
            "remove_app": RemoveApp(self.at_hand, settle_s=0, sleep=self.sleep),
            "restore_app": RestoreApp(self.at_hand, settle_s=0, sleep=self.sleep),
        }

    def sleep(self, wait_s: float) -> None:
        """Between two takes: `meanwhile` happens."""
        self.slept.append(wait_s)
        self.meanwhile()

    def swap(self) -> None:
        """The first two phones each answer at the other's port."""
        self.fleet.swap(0, 1)
        self.swapped = not self.swapped

    def reset(self) -> None:
        """The first phone is reset, and let in again."""

        def anew(phone: PhoneState) -> None:
            erase(phone, harness=True)
            phone.boot("reboot,factory_reset")

        self.fleet.change(0, anew)

    def worker(self) -> CommandWorker:
        inbox = Inbox(self.box.database, self.box.clock)
        return CommandWorker(inbox, self.kinds(), self.box.clock, on_result=lambda: None)

    def remove(self, package: str = GAME, *, index: int = 0, **args: Any) -> wire.Command:
        return self.command(
            "remove_app", self._args(package, index) | {"acts": ALL, "system": False} | args, index
        )

    def restore(self, package: str = GAME, *, index: int = 0, **args: Any) -> wire.Command:
        return self.command("restore_app", self._args(package, index) | args, index)

    def _args(self, package: str, index: int) -> dict[str, Any]:
        expect = {"android_id": self.phones[index].identity.android_id}
        return {"case": CASE, "package": package, "user": 0, "expect": expect}

    def command(self, kind: str, args: dict[str, Any], index: int = 0, **changes: Any) -> wire.Command:
        self.number += 1
        phone = self.phones[index].identity
        made = wire.Command(
            f"r{self.number}", kind, AGENT, phone.serial, tuple(phone.imeis), args, 600, wire.DANGER_PURPOSE
        )
        return replace(made, **changes)

    def receive(self, command: wire.Command) -> None:
        with self.box.database.transaction() as db:
            receive(db, [command], self.box.clock.now())

    def order(self, command: wire.Command) -> tuple[str, dict[str, Any]]:
        self.receive(command)
        assert self.worker().step() is True
        return self.told()

    def told(self) -> tuple[str, dict[str, Any]]:
        (last,) = self.box.send()["results"]
        return last["state"], last["detail"]

    def package(self, name: str = GAME, index: int = 0) -> Package | None:
        return next((item for item in self.phones[index].packages if item.name == name), None)

    def app(self, name: str = GAME, user: int = 0, index: int = 0) -> UserState | None:
        package = self.package(name, index)
        return None if package is None else package.users.get(user)
