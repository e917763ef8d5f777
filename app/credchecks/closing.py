"""A round ends with a signed report. Afterwards nothing of it changes: a later check belongs to the next round."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.credchecks import store
from app.credchecks.documents import figures_of, round_document
from app.credchecks.model import CheckRound
from app.credchecks.settling import settle
from app.credchecks.states import UNSETTLED, Round
from app.credchecks.telling import tell_closed
from app.credchecks.tools import CHECKERS, Tools
from app.credchecks.verifying import CLOSE, facts_digest
from app.kernel.blobs import BlobStore
from app.kernel.clock import to_rfc3339
from app.kernel.errors import Conflict, Forbidden
from app.kernel.tenancy import Principal
from app.papers import Document, Ink, Signatures, Signed, digest, issue_paper

_PNG = "image/png"


@dataclass(frozen=True)
class Hand:
    """Who signs, proved by his password in this moment, and what he drew. `user` is `Principal.user`."""

    user: str
    name: str
    ink: Ink


def preview(session: Session, principal: Principal, round_id: uuid.UUID) -> tuple[CheckRound, Document, int]:
    """The report as it would be signed, and how many items still keep the round open. Raise `Forbidden`, `Conflict`."""
    row = store.find_round(session, principal, round_id)
    principal.require_role(row.centre_id, *CHECKERS)
    _require_open(row)
    return row, round_document(session, row), store.tallies(session, [row.id])[row.id].left


def close(
    session: Session,
    principal: Principal,
    round_id: uuid.UUID,
    *,
    hand: Hand,
    seen: str,
    tools: Tools,
    blobs: BlobStore,
    now: dt.datetime,
) -> CheckRound:
    """Sign and close. `seen` is the digest of the report that he was shown.

    Raise `Conflict` when items are open, when the report changed since, or when another closed it; `Forbidden` when
    another than the caller signs.
    """
    row = store.find_round(session, principal, round_id)
    principal.require_role(row.centre_id, *CHECKERS)
    if hand.user != principal.user:
        raise Forbidden("要由登录的本人签名 / who is signed in signs himself", code="own_signature")
    row = store.lock_round(session, row.id)
    _require_open(row)
    settle(session, row, tools, now)
    items = store.items(session, row.id)
    left = sum(item.state in UNSETTLED for item in items)
    if left:
        raise Conflict(f"还有 {left} 项没有结果，不能结束 / {left} items are open", code="items_open")
    document = round_document(session, row)
    if digest(document) != seen:
        raise Conflict(
            "报告内容刚有变化，请重新看过再签 / the report changed: read it again", code="report_changed"
        )
    ink = blobs.put(session, hand.ink.png, _PNG, now)
    signed = Signed("核对负责人", hand.name, to_rfc3339(now), "本人登录并再次输入密码", seen, ink, "")
    paper = issue_paper(
        session, principal.user, kind="round", centre_id=row.centre_id, subject=f"round:{row.id}",
        document=Document(document.title, document.subtitle, (*document.parts, Signatures("签名", (signed,)))),
        parties=(), now=now, keys=tools.keys,
    )  # fmt: skip
    figures = figures_of(items)
    store.close_round(
        session, row, closed_at=now, closed_by=principal.user, paper_id=paper.id, figures=figures
    )
    tell_closed(session, row, principal.user, now)
    details = {
        "month": row.month, "paper": paper.number, "paper_id": str(paper.id), "report": seen, "ink": ink,
        "facts": facts_digest(session, row), **figures,
    }  # fmt: skip
    event = AuditEvent(
        at=now, actor=principal.user, action=CLOSE, object=f"round:{row.id}", centre_id=row.centre_id, details=details
    )  # fmt: skip
    record(session, event)
    return row


def _require_open(row: CheckRound) -> None:
    if row.state != Round.OPEN:
        raise Conflict("这次核对已经结束 / the round is closed", code="round_closed")
