"""A new phone in place of one that serves no more (R06): asked for, approved, bought, put in its place.

Nothing is destroyed here: the old phone only stands as "to be destroyed" until its data are moved.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.audit import MARK, AuditEvent, record
from app.contracts import store, work_store
from app.contracts.assessment_service import about_of
from app.contracts.contract_service import MAX_REASON
from app.contracts.documents import request_document, signature, with_signatures
from app.contracts.model import Assessment, NumberContract, ReplacementRequest
from app.contracts.request_verifying import request_mark
from app.contracts.rules import MAX_FEN, over_budget
from app.contracts.states import Assessment as Assessed
from app.contracts.states import Request as State
from app.contracts.states import RequestEvent as Event
from app.contracts.words import replace_task, request_task, shown_number
from app.hardware import Specification, specification_of, specification_table
from app.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from app.kernel.keys import KeyStore
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line
from app.papers import digest, issue_paper
from app.people import names_of
from app.policy import PolicyFiles, effective
from app.registry import find_handset
from app.tasks import close_task, open_task

DESK = ("lead", "operations")
SECOND = ("finance",)
"""Who approves what is over the contract's price, beside the admin."""


@dataclass(frozen=True)
class Wanted:
    """The phone that is asked for; `specification` by the registry's labels, e.g. 内存 → 8GB."""

    brand: str
    model: str
    price_fen: int
    specification: Mapping[str, str] = field(default_factory=dict)
    over_reason: str = ""
    note: str = ""


def find_request(session: Session, principal: Principal, request_id: uuid.UUID) -> ReplacementRequest:
    """Raise `NotFound`, also for a foreign centre's."""
    return work_store.find(session, principal, ReplacementRequest, request_id)


def ask(
    session: Session,
    principal: Principal,
    assessment_id: uuid.UUID,
    wanted: Wanted,
    *,
    policies: PolicyFiles,
    now: dt.datetime,
) -> ReplacementRequest:
    """Ask for the phone that a confirmed assessment said is needed. Raise `Invalid` with the fields, `Conflict`."""
    # Who voids the assessment in this moment waits, then finds the request, or was first and is found.
    found = work_store.find(session, principal, Assessment, assessment_id, lock=True)
    principal.require_role(found.centre_id, *DESK)
    if found.state != Assessed.CONFIRMED or found.conclusion != "replace":
        raise Conflict("只有已确认、结论为更换的评估可以申请换机 / not to be replaced", code="not_replace")
    taken = Conflict("这份评估已有换机申请 / it is asked for already", code="requested")
    if work_store.live_request(session, found.id) is not None:
        raise taken
    contract = store.last_of(session, [found.number_id]).get(found.number_id)
    contract = contract or session.get_one(NumberContract, found.contract_id)
    given = _checked(wanted, contract.handset_budget_fen)
    row = ReplacementRequest(
        **asdict(given), centre_id=found.centre_id, assessment_id=found.id, contract_id=contract.id,
        post_id=found.post_id, handset_id=found.handset_id, state=State.REQUESTED,
        compared=_compared(session, principal, found, given, policies), budget_fen=contract.handset_budget_fen,
        requested_by=principal.user, signatures=[], created_at=now, updated_at=now,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as exc:
        raise taken from exc
    note_request(
        session,
        principal,
        row,
        "ask",
        now,
        details={"price_fen": row.price_fen, "budget_fen": row.budget_fen},
    )
    close_task(session, replace_task(found.id), how="已提交换机申请", by=principal.user, now=now)
    next_task(session, principal, row, "审批换机申请", DESK, now)
    return row


def _checked(wanted: Wanted, budget_fen: int | None) -> Wanted:
    brand, model = one_line(wanted.brand, 60), one_line(wanted.model, 100)
    reason = one_line(wanted.over_reason, MAX_REASON)
    needed = (("brand", brand), ("model", model))
    problems = [FieldError(name, "required", "必填 / required") for name, text in needed if not text]
    if not 0 < wanted.price_fen <= MAX_FEN:
        problems.append(FieldError("price_fen", "range", "价格须大于 0 且不超过 10 万元 / out of range"))
    elif over_budget(wanted.price_fen, budget_fen) and not reason:
        text = "超出合约内的购机额度（或额度未知），请写明理由 / over the contract's price: say why"
        problems.append(FieldError("over_reason", "required", text))
    if problems:
        raise Invalid("申请的内容不合适 / this will not do", fields=problems)
    return Wanted(
        brand, model, wanted.price_fen, dict(wanted.specification), reason, one_line(wanted.note, MAX_REASON)
    )


def _compared(
    session: Session, principal: Principal, found: Assessment, wanted: Wanted, policies: PolicyFiles
) -> list[dict[str, Any]]:
    old = find_handset(session, principal, found.handset_id)
    new = Specification(wanted.brand, wanted.model, wanted.specification)
    policy = effective(session, policies, "hardware", found.centre_id).body
    lines = specification_table(
        specification_of(old), new, required=policy["compared"], brand_names=policy["brand_names"]
    )
    return [asdict(line) for line in lines]


def approve(
    session: Session,
    principal: Principal,
    request_id: uuid.UUID,
    *,
    note: str = "",
    keys: KeyStore,
    now: dt.datetime,
) -> ReplacementRequest:
    """By another person than who asked; over the contract's price then by finance or the admin, a third person.

    With the last approval the paper is issued. Raise `Forbidden`, `Conflict`.
    """
    row = find_request(session, principal, request_id)
    principal.require_person()
    second = row.state == State.SECOND
    principal.require_role(row.centre_id, *(SECOND if second else DESK))
    if principal.user in (row.requested_by, row.approved_by if second else None):
        raise Forbidden("须由另一人批准 / another person must approve", code="second_person")
    if second:
        event, who = Event.APPROVE_OVER, {"second_by": principal.user, "second_at": now}
    else:
        over = over_budget(row.price_fen, row.budget_fen)
        event = Event.TO_SECOND if over else Event.APPROVE
        who = {"approved_by": principal.user, "approved_at": now}
    words = one_line(note, MAX_REASON)
    work_store.move_request(session, row, event, updated_at=now, **who)
    close_task(session, request_task(row.id), how=words or "已批准", by=principal.user, now=now)
    if row.state == State.SECOND:
        note_request(session, principal, row, event, now, words)
        next_task(session, principal, row, "复批超额换机申请", SECOND, now)
    else:
        _issue(session, principal, row, keys, now)
        note_request(session, principal, row, event, now, words, {MARK: request_mark(row)})
        next_task(session, principal, row, "购买并登记新手机", ("operations",), now)
    return row


def _issue(
    session: Session, principal: Principal, row: ReplacementRequest, keys: KeyStore, now: dt.datetime
) -> None:
    contract = session.get_one(NumberContract, row.contract_id)
    about = about_of(session, principal, session.get_one(Assessment, row.assessment_id))
    document = request_document(row, contract, about)
    over, signed = digest(document), []
    acts = [
        ("申请人", row.requested_by, row.created_at),
        ("批准人", row.approved_by, row.approved_at),
        ("复批人（超出额度）", row.second_by, row.second_at),
    ]
    names = names_of(session, [user for _, user, _ in acts if user])
    for role, user, at in acts:
        if user is not None and at is not None:
            signed.append(signature(role, names.get(user, user), at, "登录本人账号办理", over))
    paper = issue_paper(
        session, principal.user, kind="replacement", centre_id=row.centre_id,
        subject=f"replacement_request:{row.id}", document=with_signatures(document, signed), parties=(), now=now,
        keys=keys,
    )  # fmt: skip
    work_store.write(session, row, paper_id=paper.id, signatures=signed)


def reject(
    session: Session, principal: Principal, request_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> ReplacementRequest:
    """By whoever may approve it now; another request may follow."""
    row = find_request(session, principal, request_id)
    principal.require_person()
    principal.require_role(row.centre_id, *(SECOND if row.state == State.SECOND else DESK))
    if principal.user == row.requested_by:
        raise Forbidden("申请人可以撤回，不能自己驳回 / withdraw it instead", code="second_person")
    return _end(session, principal, row, Event.REJECT, reason, now)


def withdraw(
    session: Session, principal: Principal, request_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> ReplacementRequest:
    """Before it is approved: by the desk."""
    row = find_request(session, principal, request_id)
    principal.require_role(row.centre_id, *DESK)
    return _end(session, principal, row, Event.WITHDRAW, reason, now)


def cancel(
    session: Session, principal: Principal, request_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> ReplacementRequest:
    """Approved, and nothing bought."""
    row = find_request(session, principal, request_id)
    principal.require_role(row.centre_id, *DESK)
    return _end(session, principal, row, Event.CANCEL, reason, now)


def _end(
    session: Session,
    principal: Principal,
    row: ReplacementRequest,
    event: Event,
    reason: str,
    now: dt.datetime,
) -> ReplacementRequest:
    words = needed_reason(reason)
    work_store.move_request(
        session, row, event, ended_by=principal.user, ended_at=now, end_reason=words, updated_at=now
    )
    note_request(session, principal, row, event, now, words)
    close_task(session, request_task(row.id), how=words, by=principal.user, now=now)
    found = session.get_one(Assessment, row.assessment_id)
    about = about_of(session, principal, found)
    open_task(
        session, key=replace_task(found.id), kind="contract", centre_id=row.centre_id,
        title=f"申请换机：{shown_number(about.number)}（{about.post}）", body=f"上一份申请没有成：{words}",
        link=f"/contracts/assessments/{found.id}", handset_id=row.handset_id, roles=DESK, now=now,
    )  # fmt: skip
    return row


def needed_reason(text: str) -> str:
    words = one_line(text, MAX_REASON)
    if not words:
        raise Invalid(
            "请写明原因 / say why", fields=[FieldError("reason", "required", "请写明原因 / say why")]
        )
    return words


def next_task(
    session: Session,
    principal: Principal,
    row: ReplacementRequest,
    title: str,
    roles: tuple[str, ...],
    now: dt.datetime,
) -> None:
    about = about_of(session, principal, session.get_one(Assessment, row.assessment_id))
    open_task(
        session, key=request_task(row.id), kind="contract", centre_id=row.centre_id,
        title=f"{title}：{about.tag}（{about.post}）", body=f"{row.brand} {row.model}",
        link=f"/contracts/requests/{row.id}", handset_id=row.handset_id, roles=roles, now=now,
    )  # fmt: skip


def note_request(
    session: Session,
    principal: Principal,
    row: ReplacementRequest,
    verb: str,
    now: dt.datetime,
    reason: str = "",
    details: dict[str, Any] | None = None,
) -> None:
    entry = AuditEvent(
        at=now, actor=principal.user, action=f"replacement_request.{verb}", object=f"replacement_request:{row.id}",
        centre_id=row.centre_id, reason=reason, details={"handset": str(row.handset_id), **(details or {})},
    )  # fmt: skip
    record(session, entry)
