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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent import wire
from agent.commands import Kind
from agent.remove import RemoveApp, RestoreApp
from agent.simulator.fleet import Mode
from agent.simulator.make import make_phone
from agent.simulator.reset import erase
from agent.simulator.state import AuthMode, Package, PhoneState, UserState
from tests.support.orders import OrdersRig

CASE = "0197d000-0000-7000-8000-000000000002"
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


class RemoveRig(OrdersRig):
    def __init__(self, folder: Path, phones: int = 1, mode: Mode = "canned", **state: Any) -> None:
        super().__init__(folder, [with_apps(index) for index in range(phones)], mode, **state)
        self.slept: list[float] = []
        self.swapped = False
        self.meanwhile: Callable[[], object] = lambda: None

    def kinds(self) -> dict[str, Kind]:
        return {
            "remove_app": RemoveApp(self.at_hand, settle_s=0, sleep=self.sleep),
            "restore_app": RestoreApp(self.at_hand, settle_s=0, sleep=self.sleep),
        }

    def sleep(self, wait_s: float) -> None:
        """Between two takes: `meanwhile` happens."""
        self.slept.append(wait_s)
        self.meanwhile()

    def swap(self, one: int = 0, other: int = 1) -> None:
        super().swap(one, other)
        self.swapped = not self.swapped

    def reset(self) -> None:
        """The first phone is reset, and let in again."""

        def anew(phone: PhoneState) -> None:
            erase(phone, harness=True)
            phone.boot("reboot,factory_reset")

        self.fleet.change(0, anew)

    def remove(self, package: str = GAME, *, index: int = 0, **args: Any) -> wire.Command:
        given = self._args(package, index) | {"acts": ALL, "system": False} | args
        return self.make("remove_app", given, index)

    def restore(self, package: str = GAME, *, index: int = 0, **args: Any) -> wire.Command:
        return self.make("restore_app", self._args(package, index) | args, index)

    def _args(self, package: str, index: int) -> dict[str, Any]:
        expect = {"android_id": self.phones[index].identity.android_id}
        return {"case": CASE, "package": package, "user": 0, "expect": expect}

    def package(self, name: str = GAME, index: int = 0) -> Package | None:
        return next((item for item in self.phones[index].packages if item.name == name), None)

    def app(self, name: str = GAME, user: int = 0, index: int = 0) -> UserState | None:
        package = self.package(name, index)
        return None if package is None else package.users.get(user)
