"""Is what stands of each closed round still what was signed? Its items against the trail, its paper by its own room."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence

import orjson
from sqlalchemy.orm import Session

from app.audit import kept_event, subjects_of
from app.credchecks import store
from app.credchecks.model import CheckItem, CheckRound
from app.kernel.blobs import BlobStore
from app.kernel.clock import to_rfc3339
from app.kernel.ids import parse_id
from app.kernel.keys import KeyStore

CLOSE = "round.close"


def facts_digest(items: Sequence[CheckItem]) -> str:
    """The sha256 over what each item says, as the audit event of the close keeps it."""
    facts = [
        [
            str(i.id), str(i.post_id), str(i.holder_id), str(i.subject_id), i.kind, i.label, i.hint, i.state,
            to_rfc3339(i.at) if i.at else None, i.by, i.source, i.reason, i.asked_by, i.photos,
        ]
        for i in items
    ]  # fmt: skip
    return hashlib.sha256(orjson.dumps(facts)).hexdigest()


def record_check(session: Session, _blobs: BlobStore, _keys: KeyStore) -> Iterator[str]:
    """One sentence a problem: `!` it was altered, `?` it cannot be told."""
    for row in store.closed_rounds(session):
        yield from check_round(session, row)
    for subject in subjects_of(session, CLOSE):
        round_id = parse_id(subject.partition(":")[2])
        found = None if round_id is None else session.get(CheckRound, round_id)
        if found is None or found.closed_at is None:
            yield f"! 审计记录中有签名结束的核对 {subject}，记录却不在了"


def check_subject(session: Session, _blobs: BlobStore, round_id: uuid.UUID) -> Iterator[str]:
    """The same of one round alone, for whoever checks its paper."""
    row = session.get(CheckRound, round_id)
    if row is None:
        yield f"! 月度核对 {round_id}：记录不在了"
    else:
        yield from check_round(session, row)


def check_round(session: Session, row: CheckRound) -> Iterator[str]:
    """What is wrong with one closed round; nothing when all of it is what was signed."""
    name = f"月度核对 {row.month}（{row.id}）"
    event = kept_event(session, CLOSE, f"round:{row.id}")
    if event is None or row.closed_at is None:
        yield f"! {name}：审计记录里没有这次签名结束"
    elif not event.whole:
        yield f"! {name}：签名结束的审计记录已被改动"
    elif event.details is None:
        yield f"? {name}：审计记录的细节已清除，无法比对"
    elif event.details.get("facts") != facts_digest(store.items(session, row.id)):
        yield f"! {name}：事项或结果已被改动"
    elif event.details.get("paper_id") != str(row.paper_id):
        yield f"! {name}：报告已被换掉"
