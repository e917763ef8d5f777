"""The list that a leg begins with: from the registry, from policy's accessories, and from the record before it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.handover import store
from app.handover.model import Handover, HandoverItem, HandoverLeg
from app.handover.rules import ItemState
from app.handover.states import Leg
from app.kernel.texts import model_name
from app.registry import Handset, Kit, Number, WeChatAccount, kit_of

_POLICY = "policy"
_REGISTRY = "registry"
_PREVIOUS = "previous"


@dataclass(frozen=True)
class PartLine:
    """A part of a kit in words; `identifier` holds the numbers that tell it from another."""

    kind: str
    id: uuid.UUID
    name: str
    identifier: str


def parts_of(session: Session, kit: Kit) -> list[PartLine]:
    """Phones, numbers, accounts, in the order of the kit."""
    lines = []
    for kind, subject_id in kit.subjects:
        name, identifier = _PARTS[kind](session, subject_id)
        lines.append(PartLine(kind, subject_id, name, identifier))
    return lines


def _handset(session: Session, subject_id: uuid.UUID) -> tuple[str, str]:
    row = session.get_one(Handset, subject_id)
    numbers = [f"编号 {row.asset_tag}", f"序列号 {row.serial}"]
    numbers += [f"IMEI{imei.slot} {imei.imei}" for imei in row.imeis]
    return model_name(row.brand, row.model), " · ".join(numbers)


def _number(session: Session, subject_id: uuid.UUID) -> tuple[str, str]:
    row = session.get_one(Number, subject_id)
    return f"SIM 卡 {row.e164}", f"ICCID {row.iccid}" if row.iccid else ""


def _wechat(session: Session, subject_id: uuid.UUID) -> tuple[str, str]:
    row = session.get_one(WeChatAccount, subject_id)
    return f"微信 {row.nickname}", f"微信号 {row.wechat_id}" if row.wechat_id else ""


_PARTS = {"handset": _handset, "number": _number, "wechat": _wechat}


def begin_items(session: Session, case: Handover, leg: HandoverLeg, policy: Any, now: dt.datetime) -> None:
    """Write the leg's list, nothing of it answered, and find the record that it is compared with."""
    kit = kit_of(session, case.post_id, now)
    leg.previous_id = previous_of(session, case, kit)
    leg.scale = [condition["code"] for condition in policy["conditions"]]
    previous = [] if leg.previous_id is None else states_of(session, leg.previous_id)
    rows = [
        _row(leg, f"{part.kind}:{part.id}", part.kind, _REGISTRY, part.name, part.identifier, part)
        for part in parts_of(session, kit)
    ]
    named = policy["accessories"]
    rows += [_row(leg, f"accessory:{a['key']}", "accessory", _POLICY, a["label"], "") for a in named]
    known = {row.key for row in rows}
    rows += [
        _row(leg, item.key, item.category, _PREVIOUS, item.name, item.identifier)
        for item in previous
        if item.key not in known and item.category not in _PARTS and item.present is not False
    ]
    for place, row in enumerate(rows):
        row.place = place
    session.add_all(rows)
    session.flush()


def _row(
    leg: HandoverLeg,
    key: str,
    category: str,
    origin: str,
    name: str,
    identifier: str,
    part: PartLine | None = None,
) -> HandoverItem:
    return HandoverItem(
        centre_id=leg.centre_id, leg_id=leg.id, key=key, category=category, origin=origin, name=name,
        identifier=identifier, handset_id=part.id if part and part.kind == "handset" else None, present=None,
        condition="", words="", place=0,
    )  # fmt: skip


def previous_of(session: Session, case: Handover, kit: Kit) -> uuid.UUID | None:
    """The last record of the same phone, or of the post where it has none; a correction counts as what it corrects."""
    found: Sequence[HandoverLeg] = []
    if kit.handset_ids:
        found = store.completed_legs(session, handset_ids=kit.handset_ids)
    found = found or store.completed_legs(session, post_id=case.post_id)
    return found[0].id if found else None


def latest_word(session: Session, leg_id: uuid.UUID) -> uuid.UUID:
    """The completed correction that holds in a record's place, else the record itself."""
    done = [row for row in store.corrections_of(session, leg_id) if row.state == Leg.COMPLETED]
    return done[-1].id if done else leg_id


def states_of(session: Session, leg_id: uuid.UUID) -> list[ItemState]:
    """The things of a record as its latest correction tells them."""
    return item_states(session, latest_word(session, leg_id))


def item_states(session: Session, leg_id: uuid.UUID) -> list[ItemState]:
    rows = store.items_of(session, leg_id)
    photos = store.photos_of(session, [row.id for row in rows])
    return [to_state(row, [photo.sha256 for photo in photos.get(row.id, [])]) for row in rows]


def to_state(row: HandoverItem, photos: Iterable[str] = ()) -> ItemState:
    return ItemState(
        row.key, row.category, row.name, row.identifier, row.condition, row.words, row.present, tuple(photos)
    )


def copy_record(session: Session, source: HandoverLeg, target: HandoverLeg) -> None:
    """For a correction: everything as the record has it, pictures too."""
    rows = store.items_of(session, source.id)
    photos = store.photos_of(session, [row.id for row in rows])
    for row in rows:
        copied = _copy(row, leg_id=target.id)
        session.add(copied)
        session.flush()
        for photo in photos.get(row.id, []):
            session.add(_copy(photo, item_id=copied.id))
    for test in store.tests_of(session, source.id):
        session.add(_copy(test, leg_id=target.id))
    target.counts = dict(source.counts)
    session.flush()


def _copy(row: Any, **changes: Any) -> Any:
    columns = [c.key for c in type(row).__table__.columns if c.key != "id"]
    return type(row)(**{**{name: getattr(row, name) for name in columns}, **changes})


def handsets_of(items: Iterable[HandoverItem]) -> list[uuid.UUID]:
    return [row.handset_id for row in items if row.handset_id is not None]


def kit_in(items: Iterable[HandoverItem]) -> Kit:
    """The parts of a kit that stand on a list, be they tied to the post any more or not."""
    ids: dict[str, list[uuid.UUID]] = {kind: [] for kind in _PARTS}
    for row in items:
        kind, _, rest = row.key.partition(":")
        if kind in ids:
            ids[kind].append(uuid.UUID(rest))
    return Kit(tuple(ids["handset"]), tuple(ids["number"]), tuple(ids["wechat"]))
