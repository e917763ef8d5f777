"""Open a transfer: which two phones, and whether they may be taken for old and new."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.hardware import out_of_use, waiting_of
from app.kernel.errors import Conflict, FieldError, Invalid
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line, wrong
from app.readings import phone_states
from app.registry import Handset, find_handset, kit_of, placeholder_serial
from app.transfer import store
from app.transfer.model import Transfer
from app.transfer.noting import write_step
from app.transfer.rules import PARTS
from app.transfer.states import State
from app.transfer.tools import DOERS, PART_WORDS, Tools, policy_of


@dataclass(frozen=True)
class Hindrance:
    """What speaks against these two. `needs_reason`: it may be done all the same, for a reason in writing."""

    code: str
    words: str
    needs_reason: bool = False


@dataclass(frozen=True)
class Wanted:
    """`new_id` None: the phone has no successor. `parts` empty: all of policy. `source`: the page from which somebody
    came, a path on this server.
    """

    old_id: uuid.UUID
    new_id: uuid.UUID | None
    reason: str = ""
    parts: tuple[str, ...] = ()
    source: str | None = None


def suggested_new(session: Session, principal: Principal, old: Handset, now: dt.datetime) -> Handset | None:
    """The phone that has the old one's place in its post's kit now."""
    tie = store.last_tie(session, old.id)
    if tie is None:
        return None
    others = [i for i in kit_of(session, tie.post_id, now).handset_ids if i != old.id]
    found = store.phones(session, others)
    visible = [phone for phone in found.values() if principal.sees(phone.centre_id)]
    return visible[0] if len(visible) == 1 else None


def hindrances(session: Session, old: Handset, new: Handset | None, now: dt.datetime) -> list[Hindrance]:
    """All that speaks against moving the data of `old` to `new`, what forbids it first."""
    if new is None:
        return [Hindrance("no_successor", "没有选新手机：只能申请免迁移", needs_reason=True)]
    found = [*_forbidden(session, old, new), *_unusual(session, old, new, now)]
    return sorted(found, key=lambda h: h.needs_reason)


def _forbidden(session: Session, old: Handset, new: Handset) -> list[Hindrance]:
    found = []
    if old.id == new.id:
        found.append(Hindrance("same_phone", "新旧手机是同一台"))
    if old.centre_id != new.centre_id:
        found.append(Hindrance("other_centre", "两台手机不在同一个服务中心"))
    states = phone_states(session, Principal("", frozenset({"admin"}), None), [old.id, new.id])
    for name, phone in (("旧手机", old), ("新手机", new)):
        if placeholder_serial(phone.serial):
            found.append(Hindrance("placeholder_serial", f"{name}的序列号不是它自己的，认不出是哪一台"))
        if phone.retired_at is not None:
            found.append(Hindrance("retired_phone", f"{name}已停用"))
        state = states.get(phone.id)
        if state is not None and state.identity_refused:
            found.append(Hindrance("identity", f"{name}读到的身份和档案不符，先查明是哪一台"))
    if new.id != old.id and new.id in set(session.scalars(out_of_use())):
        found.append(Hindrance("new_out_of_use", "新手机已损坏、遗失或待销毁"))
    return found


def _unusual(session: Session, old: Handset, new: Handset, now: dt.datetime) -> list[Hindrance]:
    found = []
    tie = store.last_tie(session, old.id)
    follows = tie is not None and new.id in kit_of(session, tie.post_id, now).handset_ids
    if waiting_of(session, old.id) is None and not follows:
        found.append(Hindrance("not_replaced", "旧手机不在待销毁清单，新手机也没有接替它", needs_reason=True))
    theirs = store.last_tie(session, new.id)
    in_use = theirs is not None and (theirs.valid_to is None or theirs.valid_to > now)
    if in_use and theirs is not None and (tie is None or theirs.post_id != tie.post_id):
        found.append(Hindrance("new_of_other_post", "新手机是另一个岗位的手机", needs_reason=True))
    return found


def open_transfer(
    session: Session, principal: Principal, tools: Tools, wanted: Wanted, now: dt.datetime
) -> Transfer:
    """A draft. Raise `NotFound`, `Forbidden`, `Invalid` without a needed reason, `Conflict` for what is forbidden or
    when one of the phones is in another open transfer.
    """
    old = find_handset(session, principal, wanted.old_id)
    new = None if wanted.new_id is None else find_handset(session, principal, wanted.new_id)
    principal.require_role(old.centre_id, *DOERS)
    reason = one_line(wanted.reason, 500)
    refuse(hindrances(session, old, new, now), reason)
    if store.open_with(session, [phone.id for phone in (old, new) if phone is not None]) is not None:
        raise _busy()
    body = policy_of(session, tools.policies, old.centre_id).body
    row = Transfer(
        centre_id=old.centre_id, old_id=old.id, new_id=None if new is None else new.id, old_serial=old.serial,
        new_serial=None if new is None else new.serial,
        source=wanted.source, reason=reason, state=State.DRAFT, opened_by=principal.user, opened_at=now,
        parts=_parts(wanted.parts or tuple(body["parts"])),
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as exc:  # another opened one with the same phone in this very moment
        raise _busy() from exc
    words = "、".join(PART_WORDS[part] for part in row.parts)
    write_step(
        session, row, "open", f"{words}。{reason}" if reason else words, principal.user, now, parts=row.parts
    )
    return row


def refuse(found: Sequence[Hindrance], reason: str) -> None:
    """Raise `Conflict` for what forbids it, `Invalid` (field `reason`) where a reason is missing."""
    hard = [h for h in found if not h.needs_reason]
    if hard:
        raise Conflict("；".join(h.words for h in hard) + f" / {hard[0].code}", code=hard[0].code)
    if found and not reason:
        words = "；".join(h.words for h in found)
        message = f"{words}。确实要迁移的，请写明原因"
        raise Invalid(message, fields=[FieldError("reason", "required", message)])


def _parts(given: Sequence[str]) -> list[str]:
    if set(given) - set(PARTS) or not given:
        raise wrong("parts", "请选择要迁移的内容 / choose what is to be moved")
    return [part for part in PARTS if part in given]


def _busy() -> Conflict:
    return Conflict("其中一台手机正在另一次数据迁移里 / in another open transfer", code="transfer_open")
