"""What is known of the phone at hand: by its last reading, and by the registry."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.kernel.tenancy import SYSTEM
from app.readings import Known, known_as, latest_sections, phone_states
from app.registry import HandsetRef
from app.wipe.model import Wipe


@dataclass(frozen=True)
class Reading:
    """The newest reading by a gateway. `imeis` empty: the phone hides them. `lock`: set, none or unknown.

    `at` None: it was never read with a known age. `known`: since when gateways have read this `android_id` and no
    other by its serial.
    """

    at: dt.datetime | None
    agent_id: uuid.UUID | None
    target: str | None
    boot_id: str | None
    serial: str | None
    android_id: str | None
    imeis: tuple[str, ...]
    lock: str
    refused: bool
    known: Known | None

    @property
    def expect(self) -> dict[str, Any]:
        """What the agent must find again before it acts."""
        return {"android_id": self.android_id, "boot_id": self.boot_id}


def reading_of(session: Session, handset_id: uuid.UUID) -> Reading | None:
    """Of a gateway alone: a phone that speaks for itself is no witness. Internal: asks no principal."""
    state = phone_states(session, SYSTEM, [handset_id]).get(handset_id)
    if state is None or state.grade != "gateway":
        return None
    sections = latest_sections(session, [handset_id], ["identity", "setup"]).get(handset_id, {})
    identity, setup = sections.get("identity") or {}, sections.get("setup") or {}
    told, android_id = identity.get("imei"), identity.get("android_id") or None
    return Reading(
        at=state.at, agent_id=state.agent_id, target=state.target, boot_id=state.boot_id,
        serial=identity.get("serial"), android_id=android_id,
        imeis=tuple(told) if isinstance(told, list) else (), lock=setup.get("lock_screen") or "unknown",
        refused=state.identity_refused,
        known=known_as(session, handset_id, android_id) if android_id else None,
    )  # fmt: skip


def android_id_of(session: Session, handset_id: uuid.UUID) -> str | None:
    """As the phone told it last; it changes with every reset."""
    found = reading_of(session, handset_id)
    return None if found is None else found.android_id


def same_phone(wipe: Wipe, phone: HandsetRef) -> bool:
    """Whether the registry still says of this phone what was approved."""
    return (
        wipe.handset_id == phone.id
        and wipe.centre_id == phone.centre_id
        and wipe.serial == phone.serial
        and sorted(wipe.imeis) == sorted(phone.imeis)
        and not phone.retired
    )
