"""What a person says of an item: looked at, out of reach, to be waived, a mistake. Passwords the escrow judges."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.credchecks import kit_store, store
from app.credchecks.asking import ask_phones
from app.credchecks.model import CheckItem, CheckRound
from app.credchecks.opening import states_of
from app.credchecks.rules import PROFILE, SECRET
from app.credchecks.settling import known_secret, settle
from app.credchecks.states import Item, ItemEvent, Round
from app.credchecks.telling import ask_for_waiver, ask_to_file, ask_to_mend, filed, mended, waiver_settled
from app.credchecks.tools import CHECKERS, MAX_REASON, SUBJECT, Tools
from app.escrow import SecretState
from app.kernel.errors import Conflict, FieldError, Forbidden, Invalid, Stale
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line
from app.policy import effective
from app.registry import Employee


def secret_to_check(
    session: Session, principal: Principal, item_id: uuid.UUID, *, tools: Tools, now: dt.datetime
) -> uuid.UUID:
    """The secret that a blind check of this item is about, before it is made.

    Raise `NotFound`; `Forbidden` for whose own kit it is; `Conflict` when the round is over, the item is no password,
    or none is filed.
    """
    item = store.find_item(session, principal, item_id)
    row = store.find_round(session, principal, item.round_id)
    _require_checker(session, principal, row, item, now)
    state = known_secret(session, item, tools, now)
    if item.area != SECRET or state is None:
        raise Conflict("这一项不是密码 / this item is no password", code="no_secret")
    if state.id is None or not state.filed:
        raise Conflict("还没有备案，没有可以核对的密码 / nothing is filed", code="nothing_in_force")
    return state.id


def after_check(
    session: Session, principal: Principal, item_id: uuid.UUID, *, tools: Tools, now: dt.datetime
) -> CheckItem:
    """The item as the check that was just made decides it."""
    item = store.find_item(session, principal, item_id)
    row = store.lock_round(session, item.round_id)
    if row.state == Round.OPEN:
        settle(session, row, tools, now)
    return store.find_item(session, principal, item_id)


def attest(
    session: Session,
    principal: Principal,
    item_id: uuid.UUID,
    *,
    matches: bool,
    reason: str = "",
    photos: Sequence[str] = (),
    version: int | None = None,
    tools: Tools,
    now: dt.datetime,
) -> CheckItem:
    """He looked at a point of the profile. `photos`: sha256 of stored pictures of the screen.

    A mismatch needs words, and a picture where policy wants one it needs too. Raise as `secret_to_check`.
    """
    item, row = _item(session, principal, item_id, version, tools, now)
    if item.area != PROFILE:
        raise Conflict("密码要输入核对，不能凭看 / a password is checked by typing it", code="no_profile")
    words = one_line(reason, MAX_REASON)
    if not matches and not words:
        raise _wrong("reason", "请写明哪里不一致")
    if item.picture and not photos:
        raise _wrong("photos", "这一项要上传截图")
    event = ItemEvent.MATCH if matches else ItemEvent.MISMATCH
    _move(session, principal, item, event, now, source="attested", reason=words, photos=list(photos))
    if matches:
        mended(session, item, principal.user, now)
    else:
        ask_to_mend(session, row, item, now)
    return item


def unreachable(
    session: Session, principal: Principal, item_id: uuid.UUID, *, reason: str, version: int | None = None,
    tools: Tools, now: dt.datetime,
) -> CheckItem:  # fmt: skip
    """It could not be checked: the phone or its butler was not to be had. Raise `Invalid` without a reason."""
    item, _ = _item(session, principal, item_id, version, tools, now)
    words = _reason(reason)
    _move(session, principal, item, ItemEvent.UNREACHABLE, now, source="entered", reason=words)
    return item


def waive(
    session: Session, principal: Principal, item_id: uuid.UUID, *, reason: str, version: int | None = None,
    tools: Tools, now: dt.datetime,
) -> CheckItem:  # fmt: skip
    """This month it need not be checked: asked for, or, where policy wants no second person, so at once."""
    item, row = _item(session, principal, item_id, version, tools, now)
    by_two = effective(session, tools.policies, SUBJECT, row.centre_id).body["waiver_by_two"]
    event = ItemEvent.ASK_WAIVER if by_two else ItemEvent.WAIVE
    words = _reason(reason)
    _move(session, principal, item, event, now, source="entered", reason=words, asked_by=principal.user)
    if by_two:
        ask_for_waiver(session, row, item, now)
    return item


def settle_waiver(
    session: Session, principal: Principal, item_id: uuid.UUID, *, grant: bool, version: int | None = None,
    tools: Tools, now: dt.datetime,
) -> CheckItem:  # fmt: skip
    """A second person's word. Raise `Forbidden` for whoever asked, and for whose own kit it is."""
    item, row = _item(session, principal, item_id, version, tools, now)
    principal.require_person()
    if item.asked_by == principal.user:
        raise Forbidden("要由另一个人批准 / another person approves it", code="second_person")
    event = ItemEvent.GRANT_WAIVER if grant else ItemEvent.REFUSE_WAIVER
    _move(session, principal, item, event, now, source="entered", reason=item.reason if grant else "")
    waiver_settled(session, item, "已批准" if grant else "未批准", principal.user, now)
    if not grant:
        _unfiled_again(session, row, item, tools, now)
    return item


def reopen(
    session: Session, principal: Principal, item_id: uuid.UUID, *, reason: str, version: int | None = None,
    tools: Tools, now: dt.datetime,
) -> CheckItem:  # fmt: skip
    """What was entered was a mistake; it stays on record. What the escrow found is undone by another check only."""
    item, row = _item(session, principal, item_id, version, tools, now)
    if item.area == SECRET and item.state in (Item.MATCH, Item.MISMATCH):
        raise Conflict("密码的结果只能再核对一次来更正 / only another check corrects it", code="check_again")
    _move(
        session, principal, item, ItemEvent.REOPEN, now, source="entered", reason=_reason(reason), photos=[]
    )
    _unfiled_again(session, row, item, tools, now)
    return item


def ask_again(
    session: Session, principal: Principal, round_id: uuid.UUID, *, tools: Tools, now: dt.datetime
) -> int:
    """Ask the gateways once more for the screen locks that are open; how many phones were asked."""
    row = store.find_round(session, principal, round_id)
    principal.require_role(row.centre_id, *CHECKERS)
    row = _locked(session, row)
    settle(session, row, tools, now)
    items = [item for item in store.items(session, row.id) if item.of == "handset" and item.area == SECRET]
    asked = ask_phones(
        session, principal, row, items, states_of(session, tools.policies, items, now), tools, now
    )
    _note(session, principal, f"round:{row.id}", row.centre_id, "round.ask_phones", now, {"asked": asked})
    return asked


def own_kit(session: Session, principal: Principal, item: CheckItem, now: dt.datetime) -> bool:
    """Whether the caller has the kit now, or had it as the round began."""
    if principal.employee is None:
        return False
    return is_own(principal, item, kit_store.holders_of_posts(session, [item.post_id], now))


def is_own(principal: Principal, item: CheckItem, holders: Mapping[uuid.UUID, Employee]) -> bool:
    """As `own_kit`; `holders`: who has which post now."""
    if principal.employee is None:
        return False
    holder = holders.get(item.post_id)
    return principal.employee in {item.holder_id, holder.id if holder else None}


def _item(
    session: Session,
    principal: Principal,
    item_id: uuid.UUID,
    version: int | None,
    tools: Tools,
    now: dt.datetime,
) -> tuple[CheckItem, CheckRound]:
    """The item, brought up to what the escrow knows, in a round that nobody closes meanwhile."""
    item = store.find_item(session, principal, item_id)
    row = store.find_round(session, principal, item.round_id)
    _require_checker(session, principal, row, item, now)
    row = _locked(session, row)
    if version is not None and version != item.version:
        raise Stale("刚有人处理了这个事项，请刷新 / it was changed meanwhile: look again")
    settle(session, row, tools, now)
    return store.find_item(session, principal, item_id), row


def _locked(session: Session, row: CheckRound) -> CheckRound:
    locked = store.lock_round(session, row.id)
    if locked.state != Round.OPEN:
        raise Conflict("这次核对已经结束，以后的核对属于下一次 / the round is closed", code="round_closed")
    return locked


def _require_checker(
    session: Session, principal: Principal, row: CheckRound, item: CheckItem, now: dt.datetime
) -> None:
    principal.require_role(row.centre_id, *CHECKERS)
    if own_kit(session, principal, item, now):
        raise Forbidden("这是您自己保管的，请由他人核对 / your own kit: another checks it", code="own_kit")
    if row.state != Round.OPEN:
        raise Conflict("这次核对已经结束，以后的核对属于下一次 / the round is closed", code="round_closed")


def _unfiled_again(
    session: Session, row: CheckRound, item: CheckItem, tools: Tools, now: dt.datetime
) -> None:
    """Open again, a password that is not filed cannot be checked: it goes on being asked for."""
    state: SecretState | None = known_secret(session, item, tools, now)
    if state is not None and not state.filed:
        store.move_item(
            session, item, ItemEvent.LACK, at=now, by="system", source="system", reason="", asked_by=None
        )
        ask_to_file(session, row, item, now)


def _move(
    session: Session, principal: Principal, item: CheckItem, event: ItemEvent, now: dt.datetime, *, source: str,
    reason: str, **values: Any,
) -> None:  # fmt: skip
    before = item.state
    store.move_item(session, item, event, at=now, by=principal.user, source=source, reason=reason, **values)
    if before == Item.UNFILED and item.state == Item.WAIVED:
        filed(session, item, now)
    details = {"kind": item.kind, "from": before, "to": item.state, "photos": item.photos}
    _note(session, principal, f"check_item:{item.id}", item.centre_id, f"round.{event}", now, details, reason)


def _note(
    session: Session, principal: Principal, subject: str, centre_id: uuid.UUID, action: str, now: dt.datetime,
    details: dict[str, Any], reason: str = "",
) -> None:  # fmt: skip
    event = AuditEvent(
        at=now, actor=principal.user, action=action, object=subject, centre_id=centre_id, reason=reason,
        details=details,
    )  # fmt: skip
    record(session, event)


def _reason(text: str) -> str:
    words = one_line(text, MAX_REASON)
    if not words:
        raise _wrong("reason", "请写明原因")
    return words


def _wrong(field: str, text: str) -> Invalid:
    return Invalid(text, fields=[FieldError(field, "required", text)])
