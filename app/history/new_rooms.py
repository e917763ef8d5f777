"""Rooms that tell of a life themselves."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from app import compliance, contracts, credchecks, handover, hardware, remedy, transfer, wipe
from app.history.tools import Source, Tools
from app.kernel.tenancy import Principal
from app.kernel.timeline import LifeEvent, Subject

_Teller = Callable[[Session, Principal, Subject], list[LifeEvent]]
_TELLERS: tuple[_Teller, ...] = (
    handover.life_events,
    credchecks.life_events,
    hardware.life_events,
    contracts.life_events,
    transfer.life_events,
    wipe.life_events,
    remedy.life_events,
    compliance.life_events,
)


def _source(teller: _Teller) -> Source:
    def told(session: Session, principal: Principal, subject: Subject, _: Tools) -> list[LifeEvent]:
        return teller(session, principal, subject)

    return told


def sources_of_rooms() -> tuple[Source, ...]:
    return tuple(_source(teller) for teller in _TELLERS)
