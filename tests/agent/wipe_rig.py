"""Simulated phones, and a gateway's worker that gets orders to erase them. For tests and for fuzzing."""

from __future__ import annotations

import secrets
import uuid
from pathlib import Path
from typing import Any

from agent import wire
from agent.commands import Kind
from agent.identify import IdentifyPhone
from agent.inspect_phone import InspectPhone
from agent.simulator.fleet import Mode
from agent.simulator.make import make_phone
from agent.simulator.state import AuthMode, PhoneState
from agent.wipe import WipeKind
from tests.support.orders import OrdersRig

WIPE = "0197d000-0000-7000-8000-000000000001"
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


class WipeRig(OrdersRig):
    def __init__(self, folder: Path, phones: int = 1, mode: Mode = "canned", **state: Any) -> None:
        if mode == "mksh":
            # Its commands are processes: the answer must be out before the phone goes.
            state["reset_after_s"] = 0.5
        super().__init__(folder, [wipeable(index) for index in range(phones)], mode, **state)

    def kinds(self) -> dict[str, Kind]:
        inbox = self.inbox
        return {
            "wipe_phone": WipeKind(self.key, self.boxes, self.at_hand, inbox.left_s, inbox.tell),
            "inspect_phone": InspectPhone(self.at_hand),
            "identify_phone": IdentifyPhone(self.at_hand),
        }

    def command(
        self,
        index: int = 0,
        *,
        texts: dict[str, str] | None = None,
        args: dict[str, Any] | None = None,
        **changes: Any,
    ) -> wire.Command:
        """`texts` None: without a box."""
        phone = self.phones[index]
        given: dict[str, Any] = {
            "wipe": WIPE,
            "strategy": "test_harness",
            "expect": {"android_id": phone.identity.android_id, "boot_id": phone.boot_id},
            "imei_typed": phone.identity.imeis[0],
        } | (args or {})
        made = self.make("wipe_phone", given, index, expires_s=EXPIRES_S, **changes)
        return made if texts is None else self.sealed(made, texts)

    @property
    def resets(self) -> list[int]:
        return [phone.resets for phone in self.phones]
