"""Whether the phone still serves when its number's contract ends (R06): the lead assesses, operations confirm."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.contracts import store, work_store
from app.contracts.contract_service import MAX_REASON
from app.contracts.documents import About, assessment_document, signature, with_signatures
from app.contracts.drafting_service import DESK, note_assessment, seen
from app.contracts.model import Assessment, NumberContract
from app.contracts.rules import CONCLUSIONS, end_of, item_problems
from app.contracts.states import Assessment as State
from app.contracts.states import AssessmentEvent as Event
from app.contracts.verifying import signed_digest
from app.contracts.words import confirm_task, end_task, renew_task, replace_task, shown_number
from app.kernel.blobs import BlobStore
from app.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from app.kernel.keys import KeyStore
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line
from app.notify import Recipients, tell
from app.papers import Document, digest, from_plain, issue_paper, to_plain
from app.registry import Handset, Post, live_centres
from app.tasks import close_task, open_task

ASSESSORS = ("lead",)
CONFIRMERS = ("operations",)
_CONFIRM_DAYS = 3


@dataclass(frozen=True)
class Signing:
    """A signature as it was given: `name` who he is, `how` he proved it, `ink` the PNG of what he drew."""

    name: str
    how: str
    ink: bytes


def about_of(session: Session, principal: Principal, row: Assessment) -> About:
    """The names for a form of this assessment."""
    return About(
        centre=dict(live_centres(session, principal)).get(row.centre_id, ""),
        number=store.numbers(session, [row.number_id])[row.number_id].e164,
        post=store.labels(session, Post, [row.post_id])[row.post_id],
        tag=store.labels(session, Handset, [row.handset_id])[row.handset_id],
    )


def submit(
    session: Session,
    principal: Principal,
    assessment_id: uuid.UUID,
    signing: Signing,
    *,
    version: int,
    blobs: BlobStore,
    now: dt.datetime,
) -> Assessment:
    """The lead signs what he found: the text is frozen with its digest. Raise `Invalid` naming what is missing."""
    row = seen(session, principal, assessment_id, version, *ASSESSORS)
    principal.require_person()
    problems = item_problems(row.items, row.conclusion, row.reason)
    if problems:
        raise Invalid("评估还没有填完 / it is not complete", fields=problems)
    contract = session.get_one(NumberContract, row.contract_id)
    about = about_of(session, principal, row)
    document = assessment_document(row, contract, about)
    over = digest(document)
    ink = blobs.put(session, signing.ink, "image/png", now)
    work_store.move_assessment(
        session, row, Event.SUBMIT, document=to_plain(document), digest=over, submitted_by=principal.user,
        submitted_at=now, remark=None, updated_at=now,
        signatures=[signature("评估人（管家负责人）", signing.name, now, signing.how, over, ink)],
    )  # fmt: skip
    note_assessment(session, principal, row, "submit", now, details={"digest": over})
    open_task(
        session, key=confirm_task(row.id), kind="contract", centre_id=row.centre_id,
        title=f"确认设备评估：{about.tag}（{about.post}）", body=f"{CONCLUSIONS[row.conclusion or '']}：{row.reason}",
        link=f"/contracts/assessments/{row.id}", handset_id=row.handset_id, roles=CONFIRMERS,
        due_at=now + dt.timedelta(days=_CONFIRM_DAYS), now=now,
    )  # fmt: skip
    return row


def confirm(
    session: Session,
    principal: Principal,
    assessment_id: uuid.UUID,
    signing: Signing,
    *,
    version: int,
    blobs: BlobStore,
    keys: KeyStore,
    now: dt.datetime,
) -> Assessment:
    """Operations sign the same text, by another person than the lead who did: the paper is issued.

    To keep the phone asks for the renewal, to replace it for a request. Raise `Forbidden`, `Conflict`.
    """
    row = seen(session, principal, assessment_id, version, *CONFIRMERS)
    principal.require_person()
    if principal.user == row.submitted_by:
        raise Forbidden("评估人不能确认自己的评估 / another person must confirm", code="second_person")
    ink = blobs.put(session, signing.ink, "image/png", now)
    signed = [
        *row.signatures,
        signature("确认人（运营）", signing.name, now, signing.how, row.digest or "", ink),
    ]
    work_store.move_assessment(
        session,
        row,
        Event.CONFIRM,
        decided_by=principal.user,
        decided_at=now,
        signatures=signed,
        updated_at=now,
    )
    paper = issue_paper(
        session, principal.user, kind="assessment", centre_id=row.centre_id,
        subject=f"contract_assessment:{row.id}", document=with_signatures(_signed_text(session, row), signed),
        parties=(), corrects=_corrected(session, row), now=now, keys=keys,
    )  # fmt: skip
    work_store.write(session, row, paper_id=paper.id)
    note_assessment(
        session, principal, row, "confirm", now, details={"digest": row.digest, "paper": str(paper.id)}
    )
    close_task(session, confirm_task(row.id), how="已确认", by=principal.user, now=now)
    _ask_next(session, principal, row, now)
    return row


def _signed_text(session: Session, row: Assessment) -> Document:
    """What the lead signed. Raise `Conflict` where the row holds another text by now: nobody signs what was altered."""
    try:
        document = from_plain(row.document or {})
        over = {row.digest, signed_digest(session, row), *(one["over"] for one in row.signatures)}
        if over == {digest(document)}:
            return document
    except ValueError:
        pass
    raise Conflict("评估的内容与签字时不一致，请联系管理员 / altered since it was signed", code="altered")


def _corrected(session: Session, row: Assessment) -> uuid.UUID | None:
    """The paper of the assessment of this contract that was voided last: the new one corrects it."""
    voided = [
        a
        for a in work_store.assessments_of(session, row.contract_id)
        if a.state == State.VOIDED and a.paper_id
    ]
    return voided[-1].paper_id if voided else None


def _ask_next(session: Session, principal: Principal, row: Assessment, now: dt.datetime) -> None:
    contract = session.get_one(NumberContract, row.contract_id)
    about = about_of(session, principal, row)
    name = f"{shown_number(about.number)}（{about.post}）"
    if row.conclusion == "keep":
        close_task(session, end_task(contract), how="已评估：继续使用", by=principal.user, now=now)
        if store.last_of(session, [row.number_id])[row.number_id].id != contract.id:
            return
        key, title, link = renew_task(row.id), f"续约并登记：{name}", f"/contracts/{contract.id}"
        body = f"评估结论是继续使用，请在 {contract.ends_on} 前续约并登记新合约。"
    else:
        key, title, link = replace_task(row.id), f"申请换机：{name}", f"/contracts/assessments/{row.id}"
        body = f"评估结论是更换手机。理由：{row.reason}"
    open_task(
        session, key=key, kind="contract", centre_id=row.centre_id, title=title, body=body, link=link,
        handset_id=row.handset_id, due_at=max(end_of(contract.ends_on), now), roles=DESK, now=now,
    )  # fmt: skip


def send_back(
    session: Session,
    principal: Principal,
    assessment_id: uuid.UUID,
    *,
    reason: str,
    version: int,
    now: dt.datetime,
) -> Assessment:
    """Not as it should be: the lead fills it in again and signs anew. The audit trail keeps the first digest."""
    row = seen(session, principal, assessment_id, version, *DESK)
    words, was, digest_was = _reason(reason), row.submitted_by, row.digest
    work_store.move_assessment(
        session, row, Event.SEND_BACK, document=None, digest=None, signatures=[], submitted_by=None,
        submitted_at=None, remark=words, updated_at=now,
    )  # fmt: skip
    note_assessment(session, principal, row, "send_back", now, words, {"digest": digest_was})
    close_task(session, confirm_task(row.id), how="已退回", by=principal.user, now=now)
    _tell(session, row, was, "设备评估被退回", words, now)
    return row


def cancel(
    session: Session,
    principal: Principal,
    assessment_id: uuid.UUID,
    *,
    reason: str,
    version: int,
    now: dt.datetime,
) -> Assessment:
    """Nothing was confirmed yet: it goes, with its reason."""
    row = seen(session, principal, assessment_id, version, *DESK)
    words = _reason(reason)
    work_store.move_assessment(
        session, row, Event.CANCEL, decided_by=principal.user, decided_at=now, remark=words, updated_at=now
    )
    note_assessment(session, principal, row, "cancel", now, words)
    close_task(session, confirm_task(row.id), how="评估已取消", by=principal.user, now=now)
    return row


def void(
    session: Session,
    principal: Principal,
    assessment_id: uuid.UUID,
    *,
    reason: str,
    version: int,
    now: dt.datetime,
) -> Assessment:
    """Confirmed and then found wrong, while nothing followed from it; its paper stays and is corrected by the next."""
    work_store.find(session, principal, Assessment, assessment_id, lock=True)
    row = seen(session, principal, assessment_id, version, *DESK)
    principal.require_person()
    words = _reason(reason)
    if work_store.live_request(session, row.id) is not None:
        raise Conflict("已有换机申请，请先撤回或取消 / a request follows from it", code="requested")
    work_store.move_assessment(session, row, Event.VOID, remark=words, updated_at=now)
    note_assessment(session, principal, row, "void", now, words)
    for key in (renew_task(row.id), replace_task(row.id)):
        close_task(session, key, how="评估已作废", by=principal.user, now=now)
    _tell(session, row, row.decided_by, "设备评估已作废", words, now)
    return row


def _reason(text: str) -> str:
    words = one_line(text, MAX_REASON)
    if not words:
        raise Invalid(
            "请写明原因 / say why", fields=[FieldError("reason", "required", "请写明原因 / say why")]
        )
    return words


def _tell(
    session: Session, row: Assessment, user: str | None, title: str, words: str, now: dt.datetime
) -> None:
    try:
        to = Recipients(users=(uuid.UUID(user or ""),))
    except ValueError:  # the installation's token, or a job
        return
    tell(
        session, key=f"assessment:{row.id}:{row.version}", kind="contract", centre_id=row.centre_id, to=to,
        title=title, body=words, link=f"/contracts/assessments/{row.id}", now=now,
    )  # fmt: skip
