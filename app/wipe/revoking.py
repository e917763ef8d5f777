"""An issued certificate that turned out wrong is revoked by a paper in its place; a contested one may be upheld."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.kernel.errors import Conflict
from app.kernel.tenancy import Principal
from app.kernel.texts import required
from app.papers import Paper, issue_paper
from app.tasks import close_task
from app.wipe import inspection_store, store
from app.wipe.contesting import task_key
from app.wipe.documents import revocation
from app.wipe.inspection_model import WipeCertificate
from app.wipe.noting import write_step
from app.wipe.tools import Tools

DECIDERS = ("lead",)


def revoke(
    session: Session,
    principal: Principal,
    certificate_id: uuid.UUID,
    *,
    reason: str,
    tools: Tools,
    now: dt.datetime,
) -> Paper:
    """Take an issued certificate back by a paper in its place, which the check page of the old one names.

    Raise `NotFound`, `Forbidden` unless by a lead, `Conflict` for one that is not issued, `Invalid` without a reason.
    """
    row = inspection_store.find_certificate(session, principal, certificate_id)
    principal.require_role(row.centre_id, *DECIDERS)
    principal.require_person()
    if row.state != "issued" or row.paper_id is None:
        raise Conflict("这份证明没有出具，或已撤销 / it is not in force", code="certificate_state")
    words = required(reason, "reason", "请写明撤销的理由 / say why it is revoked")
    wipe = store.find(session, principal, row.wipe_id)
    old = session.get_one(Paper, row.paper_id)
    paper = issue_paper(
        session, principal.user, kind="certificate", centre_id=row.centre_id, subject=f"wipe:{wipe.id}",
        document=revocation(session, wipe, old.number, principal.user, words, now), now=now, keys=tools.keys,
        corrects=old.id, parties=tuple(party.employee_id for party in old.parties),
    )  # fmt: skip
    inspection_store.move_certificate(
        session,
        row,
        state="revoked",
        revoked_paper_id=paper.id,
        ended_by=principal.user,
        ended_at=now,
        ended_why=words,
    )
    store.write(session, wipe, now)
    write_step(
        session, wipe, "cert_revoke", words, principal.user, now, certificate=str(row.id), paper=paper.number
    )
    close_task(session, task_key(wipe), how="证明已撤销", by=principal.user, now=now)
    return paper


def uphold(
    session: Session, principal: Principal, certificate_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> WipeCertificate:
    """A contested certificate stands after all: what contradicted it was looked into. Raise as `revoke`."""
    row = inspection_store.find_certificate(session, principal, certificate_id)
    principal.require_role(row.centre_id, *DECIDERS)
    principal.require_person()
    if row.state != "issued" or row.contested_at is None:
        raise Conflict("这份证明没有争议 / it is not contested", code="certificate_state")
    words = required(reason, "reason", "请写明为什么证明仍然有效 / say why it stands")
    wipe = store.find(session, principal, row.wipe_id)
    inspection_store.move_certificate(session, row, contested_at=None, contested_why=None)
    write_step(session, wipe, "cert_uphold", words, principal.user, now, certificate=str(row.id))
    close_task(session, task_key(wipe), how="证明仍然有效", by=principal.user, now=now)
    return row
