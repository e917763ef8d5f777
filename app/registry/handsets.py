"""Look-ups of handsets that other rooms need on their hot paths."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.errors import NotFound
from app.kernel.tenancy import Principal, within
from app.registry.model import Handset, HandsetImei

_CHUNK = 500


@dataclass(frozen=True)
class HandsetRef:
    """What a report needs to know of a registered phone."""

    id: uuid.UUID
    centre_id: uuid.UUID
    serial: str
    imeis: tuple[str, ...]
    retired: bool


def handsets_by_serial(session: Session, serials: Collection[str]) -> dict[str, HandsetRef]:
    """Registered phones by serial, of every centre: the caller compares the centre. One query for up to 500 serials."""
    columns = (Handset.id, Handset.centre_id, Handset.serial, Handset.retired_at, HandsetImei.imei)
    found: dict[str, HandsetRef] = {}
    wanted = list(serials)
    for start in range(0, len(wanted), _CHUNK):
        query = (
            select(*columns)
            .outerjoin(HandsetImei, HandsetImei.handset_id == Handset.id)
            .where(Handset.serial.in_(wanted[start : start + _CHUNK]))
            .order_by(Handset.serial, HandsetImei.slot)
        )
        imeis: dict[str, list[str]] = defaultdict(list)
        for handset_id, centre_id, serial, retired_at, imei in session.execute(query):
            if imei is not None:
                imeis[serial].append(imei)
            found[serial] = HandsetRef(
                handset_id, centre_id, serial, tuple(imeis[serial]), retired_at is not None
            )
    return found


def find_handset(session: Session, principal: Principal, handset_id: uuid.UUID) -> Handset:
    """Raise `NotFound` for a phone that does not exist or lies in a foreign centre."""
    row = session.scalar(
        select(Handset).where(Handset.id == handset_id, within(principal, Handset.centre_id))
    )
    if row is None:
        raise NotFound("没有这台手机 / no such phone")
    return row
