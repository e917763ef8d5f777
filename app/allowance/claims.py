"""Top-ups on receipts (U05): filed by or for the butler, decided by finance, booked on approval, reversed by a row."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.allowance import claim_store, store
from app.allowance.closing import money_time
from app.allowance.evidence import NOTHING, words_of
from app.allowance.model import TopupClaim
from app.allowance.receipt_rules import EXTENSIONS, MAX_BYTES, is_pdf, normal_number
from app.allowance.rules import SHANGHAI, LineState, bounds, closable_from
from app.allowance.states import Event
from app.allowance.telling import tell_claim
from app.allowance.tools import SUBJECT, Tools
from app.audit import AuditEvent, record
from app.kernel.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, TooLarge
from app.kernel.money import Fen, format_yuan
from app.kernel.pictures import take_picture
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line
from app.ledger import Entry, book, reverse
from app.policy import effective

FILERS = ("operations", "butler")
DECIDERS = ("finance",)
_MAX_SIDE = 2400


@dataclass(frozen=True)
class Receipt:
    """What is kept of a receipt's file: a PDF as it is, a photo upright and without what a camera writes beside it.
    `sha256` is of the bytes that were put up.
    """

    data: bytes
    media_type: str
    sha256: str


def take_receipt(data: bytes) -> Receipt:
    """Call before the write transaction begins. Raise `Invalid` (field `receipt`), or `TooLarge`."""
    if len(data) > MAX_BYTES:
        raise TooLarge("票据文件最多 10 MB / a receipt has at most 10 MB")
    sha256 = hashlib.sha256(data).hexdigest()
    if is_pdf(data):
        return Receipt(data, "application/pdf", sha256)
    try:
        return Receipt(take_picture(data, max_side=_MAX_SIDE).data, "image/jpeg", sha256)
    except Invalid as exc:
        words = "请上传完整的 PDF、JPEG 或 PNG 文件 / a whole PDF, JPEG or PNG"
        raise _invalid("receipt", exc.detail if exc.code == "heic" else words) from exc


@dataclass(frozen=True)
class ClaimInput:
    """`paid_on` is the day in Shanghai that the receipt tells; the month claimed is that day's."""

    employee_id: uuid.UUID
    paid_fen: int
    paid_on: dt.date
    number: str | None
    note: str
    receipt: Receipt


def file_claim(
    session: Session, principal: Principal, tools: Tools, given: ClaimInput, now: dt.datetime
) -> TopupClaim:
    """File a receipt. Raise `Invalid` naming the field, `Conflict` for a receipt that was filed before, `NotFound` or
    `Forbidden` for whose receipts are not the caller's to file.
    """
    month = given.paid_on.strftime("%Y-%m")
    centre = _centre_of(session, principal, given.employee_id, month)
    policy = effective(session, tools.files, SUBJECT, centre).body
    number = normal_number(one_line(given.number or "", 60))
    _check(given, month, policy["topup_cap_fen"], policy["topup_days"], now)
    if policy["topup_needs_number"] and number is None:
        raise _invalid("receipt_number", "请填写票据号码 / the receipt's number is required")
    kept = given.receipt
    name = tools.blobs.put(session, kept.data, kept.media_type, now)
    first = claim_store.used(session, kept.sha256, number, given.paid_on)
    if first is not None:
        raise _used(principal, first)
    claim = TopupClaim(
        centre_id=centre, employee_id=given.employee_id, month=month, paid_fen=given.paid_fen, paid_on=given.paid_on,
        receipt_number=number, receipt_sha256=kept.sha256, file_sha256=name,
        receipt_name=f"receipt-{kept.sha256[:12]}.{EXTENSIONS[kept.media_type]}",
        note=one_line(given.note, 500), state="filed", filed_by=principal.user, created_at=now, updated_at=now,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(claim)
    except IntegrityError as exc:  # the same receipt, filed in this very moment
        raise Conflict("这张票据已报过 / this receipt was filed before", code="receipt_used") from exc
    _note(session, principal, claim, "allowance.claim_filed", now)
    return claim


def _centre_of(session: Session, principal: Principal, employee_id: uuid.UUID, month: str) -> uuid.UUID:
    """Where the employee held a post in the month; raise unless the caller may file for him there."""
    centre = store.holding_centre(session, employee_id, *bounds(month))
    own = principal.employee == employee_id
    if centre is None or not (own or principal.sees(centre)):
        raise NotFound(
            "该员工当月没有任职岗位 / no such employee held a post in that month", code="no_custody"
        )
    if not own and not principal.may(centre, "operations"):
        raise Forbidden(
            "只能为自己报销，或由运营代报 / only your own, or operations for others", code="not_yours"
        )
    return centre


def _check(given: ClaimInput, month: str, cap: int, days: int, now: dt.datetime) -> None:
    if cap == 0:
        raise Conflict("本中心不按票据报销充值 / receipts are not reimbursed here", code="no_topups")
    if given.paid_fen <= 0 or given.paid_fen > 10_000_000:
        raise _invalid("paid_fen", "金额须大于 0 且不超过 10 万元 / out of range")
    if given.paid_on > now.astimezone(SHANGHAI).date():
        raise _invalid("paid_on", "充值日期不能在将来 / the day lies ahead")
    if now >= closable_from(month, days):
        raise _invalid("paid_on", f"须在次月起 {days} 天内报销 / too long ago")


def _used(principal: Principal, first: TopupClaim) -> Conflict:
    """A pointer to the first one for those who may see it; to others only that there is one."""
    visible = principal.sees(first.centre_id) and (
        first.employee_id == principal.employee
        or principal.has_any("operations", "finance", "lead", "auditor")
    )
    where = f"：见报销单 {first.id}（{first.paid_on}，¥{format_yuan(first.paid_fen)}）" if visible else ""
    return Conflict(f"这张票据已报过{where} / this receipt was filed before", code="receipt_used")


def _invalid(field: str, message: str) -> Invalid:
    return Invalid("报销单不正确 / the claim is not right", fields=[FieldError(field, "invalid", message)])


def get(session: Session, principal: Principal, claim_id: uuid.UUID, *, lock: bool = False) -> TopupClaim:
    """Raise `NotFound`, also for a foreign centre's; a butler sees his own only."""
    claim = claim_store.find(session, principal, claim_id, lock=lock)
    if claim is None or not _may_see(principal, claim):
        raise NotFound("没有这张报销单 / no such claim")
    return claim


def _may_see(principal: Principal, claim: TopupClaim) -> bool:
    staff = principal.may(claim.centre_id, "operations", "finance", "lead", "auditor")
    return staff or claim.employee_id == principal.employee


def decidable(principal: Principal, claim: TopupClaim) -> bool:
    """Whether the caller may decide it: finance of the centre, neither filer nor receiver."""
    others = principal.user != claim.filed_by and principal.employee != claim.employee_id
    return others and principal.may(claim.centre_id, *DECIDERS)


def _to_decide(
    session: Session, principal: Principal, claim_id: uuid.UUID, now: dt.datetime
) -> tuple[TopupClaim, dt.datetime]:
    """The claim, locked, and the instant to book at. The centre is locked first, as by a closing: else both could wait
    for each other.
    """
    claim = get(session, principal, claim_id)
    principal.require_role(claim.centre_id, *DECIDERS)
    principal.require_person()
    if not decidable(principal, claim):
        raise Forbidden("不能审批自己填报或自己的单据 / not your own", code="own_claim")
    now = money_time(session, claim.centre_id, now)
    session.refresh(claim, with_for_update=True)
    return claim, now


def approve(
    session: Session,
    principal: Principal,
    tools: Tools,
    claim_id: uuid.UUID,
    *,
    fen: int | None,
    reason: str,
    now: dt.datetime,
) -> TopupClaim:
    """Pay a receipt back: `fen` of it, or all as far as the month's cap goes. Raise `Conflict` for a month that R02
    cancelled or may yet cancel, and when the cap is used up.
    """
    claim, now = _to_decide(session, principal, claim_id, now)
    _require_payable(session, tools, claim)
    left = cap_left(session, tools, claim)
    wanted = min(claim.paid_fen, left) if fen is None else fen
    if left <= 0 or wanted > left:
        raise Conflict(
            f"本月还可报销 ¥{format_yuan(max(left, 0))} / only {max(left, 0)} fen are left of the month's cap",
            code="cap_reached",
        )
    if not 0 < wanted <= claim.paid_fen:
        raise _invalid("approved_fen", "批准金额须大于 0 且不超过票据金额 / out of range")
    note = f"充值报销 {claim.paid_on}" + (f"，票据 {claim.receipt_number}" if claim.receipt_number else "")
    entry = Entry(
        centre_id=claim.centre_id, employee_id=claim.employee_id, month=claim.month, account="topup",
        amount=Fen(wanted), rule="U05", cause=f"topup:{claim.id}:{claim.version}", note=note,
    )  # fmt: skip
    booked = book(session, principal, entry, now)
    claim_store.move(
        session, claim, Event.APPROVE, now, approved_fen=wanted, entry_id=booked.id, decided_by=principal.user,
        decided_at=now, reason=one_line(reason, 500) or None,
    )  # fmt: skip
    _note(session, principal, claim, "allowance.claim_approved", now, reason)
    return claim


def cap_left(session: Session, tools: Tools, claim: TopupClaim) -> int:
    """What of the month's cap is not yet used, in fen."""
    cap: int = effective(session, tools.files, SUBJECT, claim.centre_id).body["topup_cap_fen"]
    return cap - claim_store.approved_fen(session, claim.employee_id, claim.month)


def _require_payable(session: Session, tools: Tools, claim: TopupClaim) -> None:
    line = store.line_at(session, claim.centre_id, claim.employee_id, claim.month)
    if line is not None:
        state = LineState(line.state)
    else:
        who = claim.employee_id
        state = words_of(session, tools.files, claim.centre_id, claim.month, {who}).get(who, NOTHING).state
    if state is LineState.CANCELLED:
        raise Conflict(
            f"R02：{claim.month} 已取消，不予报销 / that month is cancelled", code="month_cancelled"
        )
    if state is LineState.HELD:
        raise Conflict(
            f"R02：{claim.month} 有待定事件，定后再批 / incidents of that month wait", code="month_undecided"
        )


def reject(
    session: Session, principal: Principal, claim_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> TopupClaim:
    words = _reason(reason)
    claim, now = _to_decide(session, principal, claim_id, now)
    claim_store.move(
        session, claim, Event.REJECT, now, decided_by=principal.user, decided_at=now, reason=words
    )
    _note(session, principal, claim, "allowance.claim_rejected", now, words)
    return claim


def take_back(
    session: Session, principal: Principal, claim_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> TopupClaim:
    """Reverse an approval that was a mistake, by a linked row in the ledger."""
    words = _reason(reason)
    claim, now = _to_decide(session, principal, claim_id, now)
    entry_id = claim.entry_id
    claim_store.move(
        session, claim, Event.REVERSE, now, reversed_for="mistake", entry_id=None, approved_fen=None,
        decided_by=principal.user, decided_at=now, reason=words,
    )  # fmt: skip
    if entry_id is not None:
        reverse(session, principal, entry_id, f"撤销报销：{words}", now)
    _note(session, principal, claim, "allowance.claim_reversed", now, words)
    return claim


def withdraw(session: Session, principal: Principal, claim_id: uuid.UUID, *, now: dt.datetime) -> TopupClaim:
    """Taken back by who filed it, or by whose it is."""
    claim = get(session, principal, claim_id, lock=True)
    if principal.user != claim.filed_by and principal.employee != claim.employee_id:
        raise Forbidden("只有填报人或本人可以撤回 / only who filed it, or whose it is", code="not_yours")
    claim_store.move(session, claim, Event.WITHDRAW, now)
    _note(session, principal, claim, "allowance.claim_withdrawn", now)
    return claim


def receipt(
    session: Session, principal: Principal, tools: Tools, claim_id: uuid.UUID
) -> tuple[TopupClaim, bytes, str]:
    claim = get(session, principal, claim_id)
    data, kind = tools.blobs.get(session, claim.file_sha256 or claim.receipt_sha256)
    return claim, data, kind


def _reason(reason: str) -> str:
    words = one_line(reason, 500)
    if not words:
        raise _invalid("reason", "请写明原因 / a reason is required")
    return words


def _note(
    session: Session,
    principal: Principal,
    claim: TopupClaim,
    action: str,
    now: dt.datetime,
    reason: str = "",
) -> None:
    details = {"month": claim.month, "paid": format_yuan(claim.paid_fen)}
    if claim.approved_fen is not None:
        details["approved"] = format_yuan(claim.approved_fen)
    tell_claim(session, claim, now)
    record(
        session,
        AuditEvent(
            at=now,
            actor=principal.user,
            action=action,
            object=f"topup_claim:{claim.id}",
            centre_id=claim.centre_id,
            reason=one_line(reason, 500),
            details=details,
        ),
    )
