"""Enter, renew, correct and void the contracts of numbers (U04, R06)."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.contracts import store, work_store
from app.contracts.model import NumberContract
from app.contracts.rules import Terms, is_pdf, local_day, term_problems
from app.contracts.words import end_task, renew_task
from app.kernel.blobs import BlobStore
from app.kernel.errors import Conflict, FieldError, Invalid, NotFound, Stale, TooLarge
from app.kernel.pictures import take_picture
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line
from app.policy import PolicyFiles, effective
from app.registry import Number
from app.tasks import close_task

WRITERS = ("operations", "lead")
SUBJECT = "contracts"
"""The policy's subject."""
MAX_REASON = 500


def contract_at(session: Session, number_id: uuid.UUID, day: dt.date) -> NumberContract | None:
    """The contract that holds on a day in Shanghai. Internal: asks no principal."""
    return store.at_day(session, number_id, day)


def find_contract(session: Session, principal: Principal, contract_id: uuid.UUID) -> NumberContract:
    """Raise `NotFound`, also for a foreign centre's."""
    return store.find(session, principal, contract_id)


def enter(
    session: Session,
    principal: Principal,
    number_id: uuid.UUID,
    terms: Terms,
    *,
    now: dt.datetime,
    renews_id: uuid.UUID | None = None,
) -> NumberContract:
    """A new contract of a number; it follows `renews_id`, or without it the one that ended last before it began.

    Raise `Invalid` with the fields, `NotFound`, `Forbidden`, or `Conflict` (`overlap`, `retired`).
    """
    number = store.lock_number(session, principal, number_id)
    principal.require_role(number.centre_id, *WRITERS)
    if number.retired_at is not None:
        raise Conflict("号码已停用 / the number is retired", code="retired")
    terms = _clean(terms)
    _check(session, number, terms)
    follows = _followed(session, number, terms, renews_id)
    row = NumberContract(
        **asdict(terms), centre_id=number.centre_id, number_id=number.id, renews_id=follows, warned=None,
        created_by=principal.user, created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _note(session, principal, row, "enter", now, details=_plain(terms))
    _settle_tasks(session, principal, number, now)
    return row


def _clean(terms: Terms) -> Terms:
    """Texts as they are kept, whichever way they came."""
    return replace(
        terms,
        carrier=one_line(terms.carrier, 40),
        plan_name=one_line(terms.plan_name, 120),
        registered_name=one_line(terms.registered_name or "", 200) or None,
        note=one_line(terms.note or "", MAX_REASON) or None,
    )


def _check(session: Session, number: Number, terms: Terms, besides: uuid.UUID | None = None) -> None:
    problems = term_problems(terms)
    if problems:
        raise Invalid("合约的内容不合适 / this will not do", fields=problems)
    other = store.overlapping(session, number.id, terms.starts_on, terms.ends_on, besides)
    if other is not None:
        text = f"与该号码 {other.starts_on} 至 {other.ends_on} 的合约重叠 / overlaps another contract"
        raise Conflict(text, code="overlap", fields=[FieldError("starts_on", "overlap", text)])


def _followed(
    session: Session, number: Number, terms: Terms, renews_id: uuid.UUID | None
) -> uuid.UUID | None:
    if renews_id is None:
        before = store.before(session, number.id, terms.starts_on)
        return before.id if before is not None else None
    old = session.get(NumberContract, renews_id)
    if old is None or old.number_id != number.id or old.voided_at is not None:
        raise NotFound("没有要续的合约 / no such contract to renew")
    if old.ends_on >= terms.starts_on:
        text = f"续约须在原合约到期（{old.ends_on}）之后开始 / must begin after the old one's end"
        raise Invalid(text, fields=[FieldError("starts_on", "span", text)])
    return old.id


def change(
    session: Session,
    principal: Principal,
    contract_id: uuid.UUID,
    terms: Terms,
    *,
    version: int,
    reason: str,
    now: dt.datetime,
) -> NumberContract:
    """Correct what was entered, or end it earlier; the audit trail keeps both. A new last day is warned of anew.

    Raise as `enter`; `Stale` for who saw an older version.
    """
    row = _writable(session, principal, contract_id, version)
    if not reason.strip():
        raise _no_reason()
    number, terms = store.numbers(session, [row.number_id])[row.number_id], _clean(terms)
    _check(session, number, terms, besides=row.id)
    before = Terms(**{name: getattr(row, name) for name in Terms.__dataclass_fields__})
    old, new = _plain(before), _plain(terms)
    changed = {name: [old[name], new[name]] for name in new if old[name] != new[name]}
    if not changed:
        return row
    values: dict[str, Any] = asdict(terms)
    if row.ends_on != terms.ends_on:
        values["warned"] = None
        close_task(session, end_task(row), how="合约的到期日已更正", by=principal.user, now=now)
    _write(session, row, values, now)
    _note(session, principal, row, "change", now, reason=reason, details=changed)
    return row


def void(
    session: Session,
    principal: Principal,
    contract_id: uuid.UUID,
    *,
    version: int,
    reason: str,
    now: dt.datetime,
) -> NumberContract:
    """It was entered by mistake and never held. Raise `Conflict` while it is being assessed or was followed."""
    row = _writable(session, principal, contract_id, version)
    if not reason.strip():
        raise _no_reason()
    if work_store.live_assessment(session, row.id) is not None:
        raise Conflict("这份合约已有评估，请先取消评估 / it is being assessed", code="assessed")
    if any(c.renews_id == row.id and c.voided_at is None for c in store.of_number(session, row.number_id)):
        raise Conflict("已有续约，请先作废续约 / another contract follows it", code="followed")
    text = one_line(reason, MAX_REASON)
    _write(session, row, {"voided_at": now, "voided_by": principal.user, "void_reason": text}, now)
    _note(session, principal, row, "void", now, reason=text)
    close_task(session, end_task(row), how="合约已作废", by=principal.user, now=now)
    return row


def _writable(session: Session, principal: Principal, contract_id: uuid.UUID, version: int) -> NumberContract:
    """The contract, its number locked before it as `enter` does, for who may write it."""
    seen = store.find(session, principal, contract_id)
    number = store.lock_number(session, principal, seen.number_id)
    principal.require_role(number.centre_id, *WRITERS)
    row = store.find(session, principal, contract_id)
    if row.version != version:
        raise Stale("此合约已被他人修改，请刷新 / changed by somebody else meanwhile: read it again")
    if row.voided_at is not None:
        raise Conflict("合约已作废 / it is void", code="voided")
    return row


def attach(
    session: Session,
    principal: Principal,
    contract_id: uuid.UUID,
    data: bytes,
    file_name: str,
    *,
    version: int,
    blobs: BlobStore,
    policies: PolicyFiles,
    now: dt.datetime,
) -> NumberContract:
    """Keep a scan: a PDF as it is, a photo without its metadata. Raise `Invalid`, `TooLarge`."""
    row = _writable(session, principal, contract_id, version)
    limit = effective(session, policies, SUBJECT, row.centre_id).body["file_max_mb"]
    if len(data) > limit * 2**20:
        raise TooLarge(f"文件最多 {limit} MB / at most {limit} MB")
    if is_pdf(data):
        kind, suffix = "application/pdf", "pdf"
    else:
        data, kind, suffix = take_picture(data, max_side=2400).data, "image/jpeg", "jpg"
    name = one_line(file_name.replace("\\", "/").rpartition("/")[2], 150).rpartition(".")[0] or "contract"
    sha256 = blobs.put(session, data, kind, now)
    _write(session, row, {"file_sha256": sha256, "file_name": f"{name}.{suffix}"}, now)
    _note(session, principal, row, "attach", now, details={"sha256": sha256})
    return row


def _write(session: Session, row: NumberContract, values: dict[str, Any], now: dt.datetime) -> None:
    """The number's lock is held and the version was compared under it."""
    session.execute(
        update(NumberContract)
        .where(NumberContract.id == row.id)
        .values(**values, version=row.version + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    session.refresh(row)


def _settle_tasks(session: Session, principal: Principal, number: Number, now: dt.datetime) -> None:
    """What asked for this contract is done once one runs on: until then the task of another number's gap would hide."""
    today = local_day(now)
    rows = [row for row in store.of_number(session, number.id) if row.voided_at is None]
    last = max(rows, key=lambda row: row.ends_on)
    if last.ends_on < today:
        return
    for row in rows:
        if row is not last:
            close_task(session, end_task(row), how="已登记续约", by=principal.user, now=now)
    for assessment in work_store.keeping(session, number.id):
        if assessment.contract_id != last.id:
            close_task(session, renew_task(assessment.id), how="已登记续约", by=principal.user, now=now)


def _plain(terms: Terms) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, dt.date) else value for name, value in asdict(terms).items()
    }


def _no_reason() -> Invalid:
    text = "请写明原因 / say why"
    return Invalid(text, fields=[FieldError("reason", "required", text)])


def _note(
    session: Session,
    principal: Principal,
    row: NumberContract,
    verb: str,
    now: dt.datetime,
    *,
    reason: str = "",
    details: dict[str, Any] | None = None,
) -> None:
    entry = AuditEvent(
        at=now, actor=principal.user, action=f"number_contract.{verb}", object=f"number_contract:{row.id}",
        centre_id=row.centre_id, reason=one_line(reason, MAX_REASON),
        details={"number": str(row.number_id), **(details or {})},
    )  # fmt: skip
    record(session, entry)
