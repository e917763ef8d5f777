"""Is what stands of each decided case still what was decided? Rows and money against the audit trail."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from sqlalchemy.orm import Session

from app.audit import KeptEvent, against_trail, facts_of, kept_event, kept_events, mark_of, subjects_of
from app.hardware import store
from app.hardware.model import DeductionOrder, HardwareCase
from app.hardware.states import Appeal
from app.kernel.blobs import BlobStore
from app.kernel.ids import parse_id
from app.kernel.keys import KeyStore

JUDGED = "hardware.judge"
_FOUND = (
    "handset_id", "kind", "happened_at", "words", "photos", "items", "leg_id", "reported_by", "created_at",
    "employee_id", "answers_why", "statement", "stated_by", "stated_at", "disputed", "cause", "finding",
    "finding_photos", "within_life", "judged_by", "judged_at", "policy_version", "policy_sha256", "policy_body",
)  # fmt: skip
_APPEALED = (
    "appeal", "appeal_words", "appealed_by", "appealed_at", "appeal_decision", "appeal_decided_by",
    "appeal_decided_at",
)  # fmt: skip
_ORDERED = (
    "case_id", "employee_id", "amount_fen", "monthly_fen", "first_month", "basis", "ordered_by", "ordered_at",
)  # fmt: skip
_DECISIONS = {Appeal.ALLOWED: "hardware.appeal_allow", Appeal.DISMISSED: "hardware.appeal_dismiss"}


def finding_mark(case: HardwareCase) -> str:
    """Over what was reported, said and found; it stands in the event of the finding."""
    return mark_of(facts_of(case, _FOUND))


def appeal_mark(case: HardwareCase) -> str:
    """Over the appeal and its answer."""
    return mark_of(facts_of(case, _APPEALED))


def order_mark(order: DeductionOrder) -> str:
    """Over what wages are to pay."""
    return mark_of(facts_of(order, _ORDERED))


def record_check(session: Session, blobs: BlobStore, _keys: KeyStore) -> Iterator[str]:
    """One sentence a problem: `!` it was altered, `?` it cannot be told."""
    for subject in subjects_of(session, JUDGED):
        yield from check_case(session, blobs, parse_id(subject.partition(":")[2]) or uuid.UUID(int=0))


def check_case(session: Session, _blobs: BlobStore, case_id: uuid.UUID) -> Iterator[str]:
    """What is wrong with one case that was decided."""
    case, name, subject = (
        session.get(HardwareCase, case_id),
        f"损坏遗失 {case_id}",
        f"hardware_case:{case_id}",
    )
    if case is None:
        yield f"! {name}：记录不在了"
        return
    yield from against_trail(session, JUDGED, subject, finding_mark(case), f"{name} 的认定")
    yield from _appeal(session, case, name, subject)
    order = store.order_of(session, case_id)
    if order is not None:
        yield from against_trail(session, "hardware.order", subject, order_mark(order), f"{name} 的扣款单")
    elif kept_event(session, "hardware.order", subject) is not None:
        yield f"! {name}：扣款单不在了"
    yield from _taken(session, order, name, subject)


def _appeal(session: Session, case: HardwareCase, name: str, subject: str) -> Iterator[str]:
    decided = {
        state for state, action in _DECISIONS.items() if kept_event(session, action, subject) is not None
    }
    told = {Appeal(case.appeal)} & set(_DECISIONS)
    if decided != told:
        yield f"! {name}：申诉的结果与审计记录不同"
    for state in decided & told:
        yield from against_trail(session, _DECISIONS[state], subject, appeal_mark(case), f"{name} 的申诉")
    judged = kept_event(session, JUDGED, subject)
    if judged is not None and judged.details is not None:
        payer = "centre" if Appeal.ALLOWED in decided else judged.details.get("payer")
        if case.payer != payer:
            yield f"! {name}：由谁承担与审计记录不同"


def _taken(session: Session, order: DeductionOrder | None, name: str, subject: str) -> Iterator[str]:
    """Month by month what wages paid, and its sum, by the events of each taking."""
    events: list[KeptEvent] = kept_events(session, "hardware.take", subject)
    if any(not event.whole for event in events):
        yield f"! {name}：扣款的审计记录已被改动"
    if any(event.details is None for event in events):
        yield f"? {name}：扣款的审计记录的详情已按要求删除或被改动，不能比对"
        return
    noted = {event.details["month"]: event.details["fen"] for event in events if event.details is not None}
    parts = store.instalments(session, order.id) if order is not None else ()
    taken = {part.month: part.taken_fen for part in parts}
    if taken != noted or (order is not None and order.taken_fen != sum(noted.values())):
        yield f"! {name}：已扣的金额与审计记录不同"
    lifted = kept_event(session, "hardware.lift", subject) is not None
    if any((part.reversal_id is not None) != (lifted and part.entry_id is not None) for part in parts):
        yield f"! {name}：退回的金额与审计记录不同"
