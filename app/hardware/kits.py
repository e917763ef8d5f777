"""The new phone takes the old one's place at its post; the old one stands as to be destroyed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from app.hardware.disposing import order_disposal, waiting_of
from app.hardware.model import HardwareCase
from app.hardware.rules import day_of
from app.hardware.tools import case_path
from app.kernel.errors import Conflict
from app.kernel.tenancy import SYSTEM, Principal
from app.kernel.texts import required, wrong
from app.registry import (
    RESOURCES,
    Handset,
    KitAssignment,
    create,
    end_tie,
    find_handset,
    handsets_by_serial,
    holder_of,
    tie,
)

_NAMES = ("brand", "model", "serial", "imei1", "imei2")


@dataclass(frozen=True)
class NewPhone:
    """As entered; `specification` by the labels of the registry, e.g. 内存 → 8GB."""

    brand: str
    model: str
    serial: str
    imei1: str | None = None
    imei2: str | None = None
    specification: Mapping[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        return {**{name: getattr(self, name) for name in _NAMES}, "specification": dict(self.specification)}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> NewPhone:
        return cls(**values)


def checked_phone(texts: Mapping[str, str | None], specification: Mapping[str, str]) -> NewPhone:
    """Read by the registry's own kinds. Raise `Invalid` naming the field."""
    fields = RESOURCES["handsets"].by_name
    values: dict[str, Any] = {}
    for name in _NAMES:
        text = (texts.get(name) or "").strip()
        if not text and name in ("imei1", "imei2"):
            values[name] = None
            continue
        try:
            values[name] = fields[name].kind.parse(required(text, name, "请填写", 200))
        except ValueError as exc:
            raise wrong(name, str(exc)) from exc
    return NewPhone(**values, specification=dict(specification))


def move_kit(
    session: Session,
    principal: Principal,
    case: HardwareCase,
    phone: NewPhone,
    asset_tag: str,
    now: dt.datetime,
    *,
    price_fen: int | None = None,
) -> Handset:
    """Register the new phone, or take the one that the agent adopted; give it the old one's post from now on.

    Raise `Conflict` for one that another post has, and `held` while the post's handover is open.
    """
    new = _registered(session, principal, case, phone, asset_tag, now, price_fen)
    held = holder_of(session, SYSTEM, case.handset_id, now)
    if held is not None:
        kits = RESOURCES["kit-assignments"]
        old_tie = session.get_one(KitAssignment, held.assignment_id)
        end_tie(session, principal, kits, old_tie.id, old_tie.version, now, reason=case_path(case.id))
        values = {"post_id": held.post_id, "handset_id": new.id, "valid_from": now}
        tie(session, principal, kits, values, now)
    if waiting_of(session, case.handset_id) is None:
        order_disposal(
            session, principal, case.handset_id, cause="lost" if case.kind == "loss" else "beyond_repair",
            reason=case.words, source=case_path(case.id), now=now,
        )  # fmt: skip
    return new


def _registered(
    session: Session,
    principal: Principal,
    case: HardwareCase,
    phone: NewPhone,
    asset_tag: str,
    now: dt.datetime,
    price_fen: int | None,
) -> Handset:
    known = handsets_by_serial(session, [phone.serial]).get(phone.serial)
    if known is None:
        values: dict[str, Any] = {
            **phone.plain(), "centre_id": case.centre_id, "purchased_on": day_of(now), "price_fen": price_fen,
            "asset_tag": required(asset_tag, "asset_tag", "请填写新机的资产编号 / the asset tag is required", 60),
        }  # fmt: skip
        row: Handset = create(session, principal, RESOURCES["handsets"], values, now)
        return row
    if known.id == case.handset_id or known.retired or known.centre_id != case.centre_id:
        raise Conflict("该序列号是原机、已停用或在别处登记 / this serial cannot replace it", code="serial")
    if holder_of(session, SYSTEM, known.id, now) is not None:
        raise Conflict("该手机已属于某个岗位 / that phone belongs to a post", code="in_use")
    row = find_handset(session, principal, known.id)
    if (row.brand, row.model) != (phone.brand, phone.model):
        raise Conflict(
            f"该序列号登记的是 {row.brand} {row.model}，与填写不同 / registered with other data",
            code="differs",
        )
    return row
