"""What is written down while a leg is in draft: things, pictures, tests by hand, counts, and what a side objects to."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.handover import store
from app.handover.model import (
    SIDES,
    Handover,
    HandoverException,
    HandoverItem,
    HandoverLeg,
    HandoverPhoto,
    HandoverTest,
)
from app.handover.noting import note_leg
from app.handover.proposing import states_of
from app.handover.rules import CATEGORIES, UNKNOWN
from app.handover.states import Leg
from app.handover.store import DESK
from app.kernel.db import insert_into
from app.kernel.errors import Conflict, FieldError, Invalid, Stale
from app.kernel.ids import new_id
from app.kernel.moving import change_if
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line
from app.policy import PolicyFiles, effective

MAX_WORDS = 500
MAX_ITEMS = 200
MAX_COUNT = 1_000_000
RESULTS = ("pass", "fail", UNKNOWN)


@dataclass(frozen=True)
class ItemInput:
    """`present` None: not known (say why in words). `condition`: a code of policy, `unknown`, or "" (not chosen)."""

    present: bool | None
    condition: str
    words: str = ""


def save_item(
    session: Session,
    principal: Principal,
    item_id: uuid.UUID,
    given: ItemInput,
    *,
    version: int,
    policies: PolicyFiles,
    now: dt.datetime,
) -> HandoverItem:
    """One thing of the list, as it was seen. Raise `Stale` when somebody else saved it meanwhile, `Invalid`,
    `Conflict` (`frozen`) unless its leg is in draft.
    """
    case, leg, item = _item(session, principal, item_id)
    codes = [c["code"] for c in effective(session, policies, "handover", case.centre_id).body["conditions"]]
    if given.condition not in ("", UNKNOWN, *codes):
        raise _bad("condition", "没有这种状况 / no such condition")
    if item.version != version:
        raise Stale("这一项刚被别人改过，请看过再改 / changed by somebody else meanwhile: read it again")
    values = {
        "present": given.present,
        # What is not there has no condition.
        "condition": given.condition if given.present is not False else "",
        "words": one_line(given.words, MAX_WORDS),
    }
    stamp = {"version": version + 1, "saved_by": principal.user, "saved_at": now}
    change_if(session, item, ("version",), _changed(), **values, **stamp)
    note_leg(session, principal.user, leg, "item", now, details={"key": item.key, **values})
    return item


def same_as_last(
    session: Session,
    principal: Principal,
    leg_id: uuid.UUID,
    *,
    item_id: uuid.UUID | None = None,
    now: dt.datetime,
) -> int:
    """Take what the last record says for one thing, or for all that nobody has answered yet; how many were filled."""
    _, leg = drafted(session, principal, leg_id)
    if leg.previous_id is None:
        raise Conflict("这套设备还没有以前的记录 / there is no record before this one", code="no_previous")
    last = {state.key: state for state in states_of(session, leg.previous_id)}
    filled = 0
    for item in store.items_of(session, leg.id):
        before = last.get(item.key)
        open_ = item.saved_at is None if item_id is None else item.id == item_id
        if before is None or not open_:
            continue
        item.present, item.condition, item.words = before.present, before.condition, before.words
        item.version, item.saved_by, item.saved_at = item.version + 1, principal.user, now
        filled += 1
    session.flush()
    if filled:
        note_leg(session, principal.user, leg, "same_as_last", now, details={"items": filled})
    return filled


def add_item(
    session: Session,
    principal: Principal,
    leg_id: uuid.UUID,
    *,
    category: str,
    name: str,
    identifier: str = "",
    now: dt.datetime,
) -> HandoverItem:
    """A thing that is on no list yet. Phones, numbers and accounts come from the registry alone."""
    _, leg = drafted(session, principal, leg_id)
    words = one_line(name, 200)
    if category not in ("accessory", "other"):
        raise _bad("category", f"只能手工添加{CATEGORIES['accessory']}和{CATEGORIES['other']}")
    if not words:
        raise _bad("name", "请写名称 / its name is missing")
    rows = store.items_of(session, leg.id, removed=True)
    if len(rows) >= MAX_ITEMS:
        raise Conflict(f"最多 {MAX_ITEMS} 项 / at most {MAX_ITEMS}", code="too_many")
    row = HandoverItem(
        centre_id=leg.centre_id, leg_id=leg.id, key=f"hand:{new_id()}", category=category, origin="hand", name=words,
        identifier=one_line(identifier, 300), present=None, condition="", words="",
        place=max((r.place for r in rows), default=-1) + 1,
    )  # fmt: skip
    session.add(row)
    session.flush()
    note_leg(session, principal.user, leg, "add_item", now, details={"key": row.key, "name": words})
    return row


def remove_item(
    session: Session, principal: Principal, item_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> HandoverItem:
    """Take a thing off the list; why is kept. What belongs to the kit by the registry stays on it."""
    _, leg, item = _item(session, principal, item_id)
    words = one_line(reason, MAX_WORDS)
    if not words:
        raise _bad("reason", "请写明原因 / say why")
    if item.origin == "registry":
        raise Conflict("这是岗位的配套，请照实清点，不能移出清单 / it belongs to the kit", code="of_the_kit")
    item.removed_reason, item.version = words, item.version + 1
    session.flush()
    note_leg(session, principal.user, leg, "remove_item", now, reason=words, details={"key": item.key})
    return item


def restore_item(
    session: Session, principal: Principal, item_id: uuid.UUID, *, now: dt.datetime
) -> HandoverItem:
    """Put it back on the list."""
    _, leg, item = _item(session, principal, item_id)
    item.removed_reason, item.version = None, item.version + 1
    session.flush()
    note_leg(session, principal.user, leg, "restore_item", now, details={"key": item.key})
    return item


def add_photo(
    session: Session,
    principal: Principal,
    item_id: uuid.UUID,
    sha256: str,
    *,
    caption: str = "",
    policies: PolicyFiles,
    now: dt.datetime,
) -> HandoverPhoto:
    """A picture that is stored already (`BlobStore.put`). Raise `Conflict` beyond policy's number."""
    case, leg, item = _item(session, principal, item_id)
    most = effective(session, policies, "handover", case.centre_id).body["photos_per_item"]
    shown = store.photos_of(session, [item.id]).get(item.id, [])
    known = next((photo for photo in shown if photo.sha256 == sha256), None)
    if known is not None:
        return known
    if len(shown) >= most:
        raise Conflict(f"每件最多 {most} 张照片 / at most {most} pictures", code="too_many")
    row = HandoverPhoto(
        centre_id=leg.centre_id, item_id=item.id, sha256=sha256, caption=one_line(caption, 200),
        added_by=principal.user, added_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    note_leg(session, principal.user, leg, "add_photo", now, details={"key": item.key, "sha256": sha256})
    return row


def drop_photo(
    session: Session, principal: Principal, photo_id: uuid.UUID, *, now: dt.datetime
) -> HandoverPhoto:
    """Show it no more; the trail keeps that it was there."""
    return _show(session, principal, photo_id, "drop_photo", now, dropped_at=now)


def restore_photo(
    session: Session, principal: Principal, photo_id: uuid.UUID, *, now: dt.datetime
) -> HandoverPhoto:
    """Undo of `drop_photo`."""
    return _show(session, principal, photo_id, "restore_photo", now, dropped_at=None)


def _show(
    session: Session, principal: Principal, photo_id: uuid.UUID, verb: str, now: dt.datetime, **values: Any
) -> HandoverPhoto:
    photo = store.one(session, HandoverPhoto, photo_id)
    _, leg, item = _item(session, principal, photo.item_id)
    change_if(session, photo, ("dropped_at",), _changed(), **values)
    note_leg(session, principal.user, leg, verb, now, details={"key": item.key, "sha256": photo.sha256})
    return photo


def save_counts(
    session: Session,
    principal: Principal,
    leg_id: uuid.UUID,
    given: Mapping[str, int | None],
    *,
    by: str,
    version: int,
    policies: PolicyFiles,
    now: dt.datetime,
) -> HandoverLeg:
    """How many contacts, friends … there are, by policy's keys; None: not known. `by`: who counted, in words.

    `version` is that of the leg. Raise `Stale`, `Invalid`.
    """
    case, leg = drafted(session, principal, leg_id)
    keys = [c["key"] for c in effective(session, policies, "handover", case.centre_id).body["counts"]]
    for key, value in given.items():
        if key not in keys:
            raise _bad(key, "没有这项数量 / no such count")
        if value is not None and not 0 <= value <= MAX_COUNT:
            raise _bad(key, f"应为 0 到 {MAX_COUNT} 的整数 / out of range")
    if leg.version != version:
        raise Stale("数量刚被别人改过，请看过再改 / changed by somebody else meanwhile: read it again")
    counted = one_line(by, 100)
    values = {**leg.counts, **{key: {"value": value, "by": counted} for key, value in given.items()}}
    change_if(session, leg, ("version", "state"), _changed(), counts=values, version=version + 1)
    note_leg(session, principal.user, leg, "counts", now, details={"counts": dict(given), "by": counted})
    return leg


def save_hand_test(
    session: Session,
    principal: Principal,
    leg_id: uuid.UUID,
    key: str,
    result: str,
    words: str = "",
    *,
    policies: PolicyFiles,
    now: dt.datetime,
) -> HandoverTest:
    """A test by hand, by policy's keys: pass, fail or unknown."""
    case, leg = drafted(session, principal, leg_id)
    keys = [t["key"] for t in effective(session, policies, "handover", case.centre_id).body["hand_tests"]]
    if key not in keys or result not in RESULTS:
        raise _bad("result", "没有这项检测或结果 / no such test or result")
    values = {"result": result, "words": one_line(words, MAX_WORDS), "by": principal.user, "at": now}
    row = {"id": new_id(), "centre_id": leg.centre_id, "leg_id": leg.id, "key": key, **values}
    new = insert_into(session, HandoverTest).values(**row)
    session.execute(new.on_conflict_do_update(index_elements=["leg_id", "key"], set_=values))
    details = {"test": key, "result": result, "words": values["words"]}
    note_leg(session, principal.user, leg, "hand_test", now, details=details)
    return next(test for test in store.tests_of(session, leg.id) if test.key == key)


def add_exception(
    session: Session, principal: Principal, leg_id: uuid.UUID, side: str, words: str, *, now: dt.datetime
) -> HandoverException:
    """What a side does not agree with: by itself, or taken down by the desk. It is never changed and never deleted.

    It is part of the text that both sign, so it comes before the text is put up: `Conflict` (`frozen`) after that.
    """
    case, leg = store.find_leg(session, principal, leg_id, lock=True)
    if side not in SIDES:
        raise _bad("side", "请选择哪一方 / which side")
    require_side(principal, case, leg, side)
    _require_draft(leg)
    said = one_line(words, 2000)
    if not said:
        raise _bad("words", "请写明异议 / say what")
    row = HandoverException(
        centre_id=leg.centre_id, leg_id=leg.id, side=side, words=said, by=principal.user, at=now
    )
    session.add(row)
    session.flush()
    note_leg(session, principal.user, leg, "exception", now, details={"side": side, "words": said})
    return row


def require_side(principal: Principal, case: Handover, leg: HandoverLeg, side: str) -> None:
    """The side itself, or the desk for it. Raise `Forbidden`."""
    if not is_side(principal, leg, side):
        principal.require_role(case.centre_id, *DESK)


def is_side(principal: Principal, leg: HandoverLeg, side: str) -> bool:
    employee, user = side_of(leg, side)
    if employee is not None:
        return principal.employee == employee
    return user is not None and principal.user == user


def side_of(leg: HandoverLeg, side: str) -> tuple[uuid.UUID | None, str | None]:
    """(employee, staff user) of a side; both None while nobody is named."""
    if side == "giver":
        return leg.giver_id, leg.giver_user
    return leg.receiver_id, leg.receiver_user


def may_be_witnessed(session: Session, leg: HandoverLeg, side: str) -> bool:
    """Whether another may attest what this side does not sign: a giver who is absent or refuses, never a receiver.

    Of a correction either side, or nothing could be put right once one of them has gone; but no employee who can sign:
    the corrected word decides who pays, and two of the desk would write it without him.
    """
    employee, _ = side_of(leg, side)
    if leg.corrects_id is None:
        return employee is not None and side == "giver"
    return not store.has_user(session, employee)


def drafted(session: Session, principal: Principal, leg_id: uuid.UUID) -> tuple[Handover, HandoverLeg]:
    """A leg in draft that the caller may write, its case locked. Raise `NotFound`, `Forbidden`, `Conflict`."""
    case, leg = store.find_leg(session, principal, leg_id, lock=True)
    principal.require_role(case.centre_id, *DESK)
    _require_draft(leg)
    return case, leg


def _require_draft(leg: HandoverLeg) -> None:
    if leg.state == Leg.DRAFT:
        return
    if leg.state in (Leg.SIGNING, Leg.HALF_SIGNED):
        raise Conflict("文本已定稿待签，请先退回修改 / its text is up for signing", code="frozen")
    raise Conflict("这一步现在不能修改 / this leg is not in draft", code="handover_state")


def _item(
    session: Session, principal: Principal, item_id: uuid.UUID
) -> tuple[Handover, HandoverLeg, HandoverItem]:
    item = store.one(session, HandoverItem, item_id)
    case, leg = drafted(session, principal, item.leg_id)
    session.refresh(item)
    return case, leg, item


def _changed() -> Conflict:
    return Conflict("刚被别人改过，请刷新 / changed in this moment: look again", code="handover_state")


def _bad(field: str, message: str) -> Invalid:
    return Invalid(message, fields=[FieldError(field, "invalid", message)])
