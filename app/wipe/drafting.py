"""A draft: which phone, why, how, and what was looked at on it before. Nothing happens to the phone."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.hardware import waiting_of
from app.kernel.errors import Conflict, Stale
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line, wrong
from app.registry import find_handset
from app.wipe import store
from app.wipe.identity import android_id_of
from app.wipe.model import Wipe
from app.wipe.noting import write_step
from app.wipe.rules import ANSWERS, CHECKLIST, DESTINATIONS, STRATEGIES
from app.wipe.states import State
from app.wipe.tools import ASKERS, MAX_REASON, Tools, policy_of, span_of


@dataclass(frozen=True)
class Answer:
    answer: str
    words: str = ""


@dataclass(frozen=True)
class Draft:
    """What a person fills in. `checklist`: item of `CHECKLIST` → answer; items that are left out are `unknown`."""

    strategy: str = "test_harness"
    reason: str = ""
    destination: str = "storage"
    checklist: Mapping[str, Answer] = field(default_factory=dict)


def open_wipe(
    session: Session, principal: Principal, tools: Tools, handset_id: uuid.UUID, *, now: dt.datetime
) -> Wipe:
    """A draft for a phone, bound to the order by which it waits to be destroyed; one that stands open is the answer.

    Raise `NotFound`, `Forbidden`, `Conflict` `no_disposal` when nothing orders its destruction.
    """
    phone = find_handset(session, principal, handset_id)
    principal.require_role(phone.centre_id, *ASKERS)
    standing = store.open_of(session, phone.id)
    if standing is not None:
        return standing
    disposal = waiting_of(session, phone.id)
    if disposal is None:
        raise Conflict(
            "这台手机没有列入待销毁，先在“待销毁”中列入 / nothing orders that it be destroyed",
            code="no_disposal",
        )
    policy = policy_of(session, tools, phone.centre_id)
    row = Wipe(
        centre_id=phone.centre_id, handset_id=phone.id, disposal_id=disposal.id, state=State.DRAFT,
        strategy="test_harness", reason=disposal.reason, destination="storage", checklist={},
        created_by=principal.user, created_at=now, updated_at=now, asset_tag=phone.asset_tag, serial=phone.serial,
        imeis=sorted(i.imei for i in phone.imeis), brand=phone.brand, model=phone.model,
        android_id=android_id_of(session, phone.id), waivers=[], lapses_at=now + span_of(policy.body, "draft_days"),
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as exc:
        raise Conflict(
            "刚刚有人为这台手机建立了清除，请刷新 / just opened by another", code="wipe_open"
        ) from exc
    write_step(session, row, "open", row.reason, principal.user, now, disposal=str(disposal.id))
    return row


def fill(
    session: Session,
    principal: Principal,
    wipe_id: uuid.UUID,
    draft: Draft,
    *,
    version: int,
    now: dt.datetime,
) -> Wipe:
    """Change a draft. Raise `Invalid` with the fields, `NotFound`, `Forbidden`, `Stale`, `Conflict` later."""
    row = store.find(session, principal, wipe_id)
    principal.require_role(row.centre_id, *ASKERS)
    if row.version != version:
        raise Stale("刚被别人修改过，请刷新后再改 / changed meanwhile: look again")
    if row.state != State.DRAFT:
        raise Conflict("已经提交，不能再改；先撤回 / it is asked for: withdraw it first", code="wipe_state")
    _check(draft)
    checklist = {
        item: {"answer": given.answer, "words": one_line(given.words, 200)}
        for item, given in draft.checklist.items()
    }
    store.write(
        session, row, now, strategy=draft.strategy, reason=one_line(draft.reason, MAX_REASON),
        destination=draft.destination, checklist=checklist,
    )  # fmt: skip
    write_step(session, row, "fill", row.reason, principal.user, now, strategy=row.strategy)
    return row


def _check(draft: Draft) -> None:
    if draft.strategy not in STRATEGIES:
        raise wrong("strategy", "没有这种清除方式 / no such strategy")
    if draft.destination not in DESTINATIONS:
        raise wrong("destination", "没有这种去向 / no such destination")
    if not one_line(draft.reason, MAX_REASON):
        raise wrong("reason", "请写明为什么清除 / say why")
    for item, given in draft.checklist.items():
        if item not in CHECKLIST or given.answer not in ANSWERS:
            raise wrong(f"checklist.{item}"[:60], "清单中没有这一项或这种回答 / no such item or answer")
