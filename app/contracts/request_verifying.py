"""Is what stands of each approved request for a new phone still what was approved? Its row against the trail."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from sqlalchemy.orm import Session

from app.audit import against_trail, facts_of, kept_event, mark_of, subjects_of
from app.contracts.model import ReplacementRequest
from app.contracts.states import Request
from app.kernel.blobs import BlobStore
from app.kernel.ids import parse_id
from app.kernel.keys import KeyStore

APPROVALS = ("replacement_request.approve", "replacement_request.approve_over")
_APPROVED = (
    "assessment_id", "contract_id", "post_id", "handset_id", "brand", "model", "specification", "price_fen",
    "budget_fen", "over_reason", "note", "requested_by", "created_at", "approved_by", "approved_at", "second_by",
    "second_at", "signatures", "paper_id",
)  # fmt: skip
_NOT_APPROVED = (Request.REQUESTED, Request.SECOND, Request.REJECTED, Request.WITHDRAWN)


def request_mark(row: ReplacementRequest) -> str:
    """Over all that was approved; it stands in the event of the last approval."""
    return mark_of(facts_of(row, _APPROVED))


def record_check(session: Session, blobs: BlobStore, _keys: KeyStore) -> Iterator[str]:
    """One sentence a problem: `!` it was altered, `?` it cannot be told."""
    for action in APPROVALS:
        for subject in subjects_of(session, action):
            yield from check_request(session, blobs, parse_id(subject.partition(":")[2]) or uuid.UUID(int=0))


def check_request(session: Session, _blobs: BlobStore, row_id: uuid.UUID) -> Iterator[str]:
    """What is wrong with one approved request."""
    row, name = session.get(ReplacementRequest, row_id), f"换机申请 {row_id}"
    if row is None:
        yield f"! {name}：记录不在了"
        return
    subject = f"replacement_request:{row_id}"
    over = kept_event(session, APPROVALS[1], subject) is not None
    yield from against_trail(session, APPROVALS[over], subject, request_mark(row), name)
    if row.state in _NOT_APPROVED:
        yield f"! {name}：状态与审计记录不同"
