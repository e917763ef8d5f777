"""Which phone the findings were read from: what an order names beside serial and IMEI, and is refused without.

A serial can be flashed; an `android_id` nobody chooses, and only a reset changes it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.commands import Command
from app.readings import confirmed_at, known_as, told_android_id
from app.registry import Handset, placeholder_serial
from app.remedy.model import RemedyCase
from app.remedy.rules import Blocker
from app.remedy.tools import span_of

IDENTITY, PACKAGES = "identity", "packages"


def expect_of(session: Session, handset_id: uuid.UUID) -> dict[str, Any] | None:
    """What a gateway must find again before it acts; None: the last reading tells of no phone that gateways know."""
    android_id = _android_id(session, handset_id)
    known = None if android_id is None else known_as(session, handset_id, android_id)
    return None if known is None else {"android_id": android_id}


def _android_id(session: Session, handset_id: uuid.UUID) -> str | None:
    """As it was read together with the list of apps, or after it: an older one may be another phone's."""
    read = {name: confirmed_at(session, [handset_id], name).get(handset_id) for name in (IDENTITY, PACKAGES)}
    who, apps = read[IDENTITY], read[PACKAGES]
    if who is None or (apps is not None and who < apps):
        return None
    return told_android_id(session, handset_id)


def ordered_for(session: Session, case: RemedyCase) -> dict[str, Any] | None:
    """What the last order of a case named; None for one from before orders did."""
    command = None if case.command_id is None else session.get(Command, case.command_id)
    return None if command is None else command.args.get("expect")


def of_identity(
    session: Session, phone: Handset, body: Mapping[str, Any], now: dt.datetime
) -> Iterator[Blocker]:
    """Whether one may know which phone it is."""
    link = f"/phones/{phone.id}"
    if placeholder_serial(phone.serial):
        yield Blocker("placeholder_serial", "登记的序列号是很多手机共用的，认不准是哪一台", link)
    android_id = _android_id(session, phone.id)
    known = None if android_id is None else known_as(session, phone.id, android_id)
    if known is None:
        words = "没有读到手机的系统标识，认不准是哪一台：接到网关上读一次再来"
        yield Blocker("not_met", words, link)
    elif known.replaced and known.since > now - span_of(body, "known_days"):
        words = (
            f"手机的系统标识变了还不到 {body['known_days']} 天：可能被重置过，也可能是另一台改成了它的序列号。"
            "核对以后到期再来，或由人在手机上处理"
        )
        yield Blocker("too_new", words, link)
