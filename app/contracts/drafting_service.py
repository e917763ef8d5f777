"""An assessment while it is filled in: what is known is put beside what the assessor says (R06)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.contracts import store, work_store
from app.contracts.contract_service import SUBJECT
from app.contracts.facts import known_of
from app.contracts.model import Assessment
from app.contracts.rules import CODES, CONCLUSIONS, ITEMS
from app.contracts.states import Assessment as State
from app.kernel.blobs import BlobStore
from app.kernel.errors import Conflict, FieldError, Invalid, NotFound, Stale
from app.kernel.pictures import Picture
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line
from app.policy import PolicyFiles, effective

DESK = ("lead", "operations")
"""Who may open, fill in and take back an assessment."""
MAX_WORDS = 500


def open_assessment(
    session: Session, principal: Principal, contract_id: uuid.UUID, *, policies: PolicyFiles, now: dt.datetime
) -> Assessment:
    """Begin the assessment of the phone of the number's post. Raise `Conflict` without such a phone (`no_phone`), for a
    contract that is void, and for one that is being assessed or was (`assessed`).
    """
    contract = store.find(session, principal, contract_id)
    number = store.lock_number(session, principal, contract.number_id)
    principal.require_role(number.centre_id, *DESK)
    if contract.voided_at is not None:
        raise Conflict("合约已作废 / it is void", code="voided")
    place = store.places(session, [number.id], now).get(number.id)
    if place is None or place.handset_id is None:
        text = "该号码现在的岗位没有手机，无法评估 / no phone is at the number's post"
        raise Conflict(text, code="no_phone")
    taken = Conflict("这份合约已有评估 / it is assessed already", code="assessed")
    if work_store.live_assessment(session, contract.id) is not None:
        raise taken
    row = Assessment(
        centre_id=number.centre_id, contract_id=contract.id, number_id=number.id, post_id=place.post_id,
        handset_id=place.handset_id, state=State.DRAFT, items={}, photos=[], reason="", signatures=[],
        readings=known_of(session, principal, place.handset_id, policies=policies, now=now),
        opened_by=principal.user, created_at=now, updated_at=now,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as exc:
        raise taken from exc
    note_assessment(session, principal, row, "open", now)
    return row


def find_assessment(session: Session, principal: Principal, assessment_id: uuid.UUID) -> Assessment:
    """Raise `NotFound`, also for a foreign centre's."""
    return work_store.find(session, principal, Assessment, assessment_id)


def seen(
    session: Session, principal: Principal, assessment_id: uuid.UUID, version: int | None, *roles: str
) -> Assessment:
    """For one of the roles in its centre. Raise `Stale` for who saw an older version; None: whichever."""
    row = find_assessment(session, principal, assessment_id)
    principal.require_role(row.centre_id, *roles)
    if version is not None and row.version != version:
        raise Stale("评估已被他人修改，请刷新 / changed by somebody else meanwhile: read it again")
    return row


def _draft(
    session: Session, principal: Principal, assessment_id: uuid.UUID, version: int | None
) -> Assessment:
    row = seen(session, principal, assessment_id, version, *DESK)
    if row.state != State.DRAFT:
        raise Conflict("评估已提交，不能再改 / it is signed: send it back first", code="contract_state")
    return row


def fill(
    session: Session,
    principal: Principal,
    assessment_id: uuid.UUID,
    *,
    items: Mapping[str, Mapping[str, str]],
    conclusion: str | None,
    reason: str,
    version: int,
    now: dt.datetime,
) -> Assessment:
    """Keep what the assessor says so far; what is still missing is asked for when he signs. Raise `Invalid`."""
    row = _draft(session, principal, assessment_id, version)
    wrong = [
        key for key, item in items.items() if key not in ITEMS or item.get("code", "") not in (*CODES, "")
    ]
    if wrong or conclusion not in (*CONCLUSIONS, None):
        raise Invalid(
            "评估的内容不合适 / this will not do", fields=[FieldError(k, "invalid", k) for k in wrong]
        )
    kept = {
        key: {"code": item.get("code", ""), "words": one_line(item.get("words", ""), MAX_WORDS)}
        for key, item in items.items()
    }
    work_store.write(
        session, row, items=kept, conclusion=conclusion, reason=one_line(reason, MAX_WORDS), updated_at=now
    )
    return row


def refresh(
    session: Session,
    principal: Principal,
    assessment_id: uuid.UUID,
    *,
    version: int,
    policies: PolicyFiles,
    now: dt.datetime,
) -> Assessment:
    """Take the newest readings into the form."""
    row = _draft(session, principal, assessment_id, version)
    readings = known_of(session, principal, row.handset_id, policies=policies, now=now)
    work_store.write(session, row, readings=readings, updated_at=now)
    return row


def add_photos(
    session: Session,
    principal: Principal,
    assessment_id: uuid.UUID,
    pictures: Sequence[Picture],
    caption: str,
    *,
    version: int,
    blobs: BlobStore,
    policies: PolicyFiles,
    now: dt.datetime,
) -> Assessment:
    """Raise `Invalid` beyond the policy's number."""
    row = _draft(session, principal, assessment_id, version)
    limit = effective(session, policies, SUBJECT, row.centre_id).body["photos_max"]
    if not pictures or len(row.photos) + len(pictures) > limit:
        text = f"请选择照片，一份评估最多 {limit} 张 / 1 to {limit} photos in all"
        raise Invalid(text, fields=[FieldError("photos", "count", text)])
    words = one_line(caption, 100)
    photos = {photo["sha256"]: photo for photo in row.photos}
    for picture in pictures:
        sha256 = blobs.put(session, picture.data, "image/jpeg", now)
        photos.setdefault(sha256, {"sha256": sha256, "caption": words})
    work_store.write(session, row, photos=list(photos.values()), updated_at=now)
    return row


def drop_photo(
    session: Session,
    principal: Principal,
    assessment_id: uuid.UUID,
    sha256: str,
    *,
    version: int,
    now: dt.datetime,
) -> Assessment:
    row = _draft(session, principal, assessment_id, version)
    photos = [photo for photo in row.photos if photo["sha256"] != sha256]
    if len(photos) == len(row.photos):
        raise NotFound("没有这张照片 / no such photo")
    work_store.write(session, row, photos=photos, updated_at=now)
    return row


def note_assessment(
    session: Session,
    principal: Principal,
    row: Assessment,
    verb: str,
    now: dt.datetime,
    reason: str = "",
    details: dict[str, Any] | None = None,
) -> None:
    entry = AuditEvent(
        at=now, actor=principal.user, action=f"contract_assessment.{verb}", object=f"contract_assessment:{row.id}",
        centre_id=row.centre_id, reason=reason,
        details={"handset": str(row.handset_id), "contract": str(row.contract_id), **(details or {})},
    )  # fmt: skip
    record(session, entry)
