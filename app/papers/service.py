"""Issue a paper: number it, sign it, note it."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Collection
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.kernel.db import to_us
from app.kernel.errors import Conflict, Invalid, NotFound
from app.kernel.ids import new_id
from app.kernel.installation import installation_id
from app.kernel.keys import KeyStore
from app.kernel.tenancy import Principal
from app.papers import store
from app.papers.document import Document, blobs_of, canonical, digest
from app.papers.kinds import KINDS
from app.papers.model import MAX_ABOUT, Paper, PaperParty
from app.papers.signing_rules import Envelope
from app.registry import ServiceCentre

SHANGHAI = ZoneInfo("Asia/Shanghai")
_CODE_BYTES = 15


def issue_paper(
    session: Session,
    actor: str,
    *,
    kind: str,
    centre_id: uuid.UUID,
    subject: str,
    document: Document,
    parties: Collection[uuid.UUID],
    now: dt.datetime,
    keys: KeyStore,
    corrects: uuid.UUID | None = None,
) -> Paper:
    """Number, sign and keep a document; nothing of it can be changed afterwards, a correction is a paper of its own.

    `subject` is `kind:id`, as the audit trail writes it. `parties` are employees. Raise `Invalid` for a picture that is
    not stored, `Conflict` for a paper that was corrected before, `KeyError` for an unknown kind.
    """
    prefix = KINDS[kind].prefix
    missing = store.missing_blobs(session, blobs_of(document))
    if missing:
        raise Invalid(
            f"图片 {missing[0][:12]}… 没有保存 / a picture of the paper is not stored", code="no_picture"
        )
    if corrects is not None:
        _check_corrected(session, corrects, centre_id)
    code = session.get_one(ServiceCentre, centre_id).code
    series = f"{prefix}-{code}-{now.astimezone(SHANGHAI).year}"
    paper = Paper(
        id=new_id(), kind=kind, number=f"{series}-{store.next_number(session, series):04d}", centre_id=centre_id,
        subject=subject, title=document.title, about=document.subtitle[:MAX_ABOUT],
        document=canonical(document).decode(), sha256=digest(document),
        code=secrets.token_urlsafe(_CODE_BYTES), corrects=corrects, issued_by=actor, issued_at=now,
    )  # fmt: skip
    paper.parties = [PaperParty(employee_id=party) for party in sorted(set(parties))]
    paper.signature = keys.signer("paper").sign(envelope_of(session, paper).signed_bytes())
    session.add(paper)
    session.flush()
    _note(session, actor, paper, now)
    return paper


def envelope_of(session: Session, paper: Paper) -> Envelope:
    """What its signature covers, as the row tells it now."""
    return Envelope(
        installation=installation_id(session),
        id=paper.id,
        number=paper.number,
        kind=paper.kind,
        centre_id=paper.centre_id,
        subject=paper.subject,
        title=paper.title,
        sha256=paper.sha256,
        code=paper.code,
        parties=tuple(party.employee_id for party in paper.parties),
        corrects=paper.corrects,
        issued_by=paper.issued_by,
        issued_us=to_us(paper.issued_at),
    )


def _check_corrected(session: Session, paper_id: uuid.UUID, centre_id: uuid.UUID) -> None:
    wrong = session.get(Paper, paper_id)
    if wrong is None or wrong.centre_id != centre_id:
        raise NotFound("没有这张单据 / no such paper")
    if store.correction_of(session, paper_id) is not None:
        raise Conflict("这张单据已更正过，请更正最新的一张 / corrected before", code="already_corrected")


def _note(session: Session, actor: str, paper: Paper, now: dt.datetime) -> None:
    details = {
        "number": paper.number,
        "kind": paper.kind,
        "sha256": paper.sha256,
        "subject": paper.subject,
        "corrects": str(paper.corrects) if paper.corrects else None,
    }
    event = AuditEvent(
        at=now, actor=actor, action="paper.issue", object=f"paper:{paper.id}", centre_id=paper.centre_id,
        details=details,
    )  # fmt: skip
    record(session, event)


def get_paper(session: Session, principal: Principal, paper_id: uuid.UUID) -> Paper:
    """Raise `NotFound`, also for one that the caller may not see."""
    paper = store.find(session, principal, paper_id)
    if paper is None:
        raise NotFound("没有这张单据 / no such paper")
    return paper


def papers_about(session: Session, principal: Principal, subject: str) -> list[Paper]:
    """The papers of one thing (`kind:id`) that the caller may open, the oldest first."""
    return list(store.about(session, principal, subject))


def paper_of_file(session: Session, data: bytes) -> Paper | None:
    """The paper whose PDF this is, byte by byte; None when it is none of ours."""
    return store.by_pdf(session, hashlib.sha256(data).hexdigest())
