"""Is what stands of each handover still what was signed? Rows, pictures and texts against paper and audit trail."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import orjson
from sqlalchemy.orm import Session

from app.audit import kept_event, subjects_of
from app.handover import store
from app.handover.completing import COMPLETE, mark_of
from app.handover.model import HandoverLeg, HandoverRound, HandoverSignature
from app.handover.papering import FACTS, facts_digest, with_signatures
from app.kernel.blobs import BlobStore
from app.kernel.errors import DomainError
from app.kernel.ids import parse_id
from app.kernel.keys import KeyStore
from app.papers import Document, Fields, Paper, digest, from_plain

_BATCH = 200
_ACTION = f"handover.{COMPLETE}"


def record_check(session: Session, blobs: BlobStore, _keys: KeyStore) -> Iterator[str]:
    """One sentence a problem: `!` it was altered, `?` it cannot be told. Papers are checked by their own room."""
    last: uuid.UUID | None = None
    while legs := store.rows_to_verify(session, last, _BATCH):
        for leg in legs:
            yield from check_leg(session, blobs, leg)
        last = legs[-1].id
    for subject in subjects_of(session, _ACTION):
        leg_id = parse_id(subject.partition(":")[2])
        row = None if leg_id is None else session.get(HandoverLeg, leg_id)
        if row is None or row.completed_at is None:
            yield f"! 审计记录中有签完的交接 {subject}，记录却不在了"


def check_subject(session: Session, blobs: BlobStore, leg_id: uuid.UUID) -> Iterator[str]:
    """The same of one leg alone, for whoever checks its paper."""
    leg = session.get(HandoverLeg, leg_id)
    if leg is None:
        yield f"! 交接 {leg_id}：记录不在了"
    else:
        yield from check_leg(session, blobs, leg)


def check_leg(session: Session, blobs: BlobStore, leg: HandoverLeg) -> Iterator[str]:
    """What is wrong with one completed leg; nothing when all of it is what was signed."""
    row = store.signed_round(session, leg.id)
    paper = None if leg.paper_id is None else session.get(Paper, leg.paper_id)
    if row is None or paper is None:
        yield f"! 交接 {leg.id}：签字的文本或单据不在了"
        return
    name = f"交接 {paper.number}"
    signatures = store.signatures_of(session, row.id)
    yield from (f"! {name}：{words}" for words in _text(session, leg, row, signatures, paper))
    if facts_digest(session, leg) != row.facts:
        yield f"! {name}：清点的内容（物品、照片、检测、数量或异议）已被改动"
    yield from (f"! {name}：{words}" for words in _pictures(session, blobs, leg, signatures))
    yield from _trail(session, leg, row, signatures, paper, name)


def _text(
    session: Session,
    leg: HandoverLeg,
    row: HandoverRound,
    signatures: list[HandoverSignature],
    paper: Paper,
) -> Iterator[str]:
    try:
        document = from_plain(orjson.loads(row.document))
        printed = from_plain(orjson.loads(paper.document))
    except ValueError:
        yield "签字的文本已损坏"
        return
    if digest(document) != row.digest:
        yield "签字的文本已被改动"
    if any(signature.over != row.digest for signature in signatures):
        yield "签名不是签在这份文本上的"
    if _stated(document) != row.facts:
        yield "文本里的摘要与清点的内容不同"
    if with_signatures(session, leg, document, signatures).parts != printed.parts:
        yield "单据与签字的文本或签名不同"


def _stated(document: Document) -> str | None:
    """The digest of the rows that the signed text itself names."""
    head = document.parts[0]
    return dict(head.rows).get(FACTS) if isinstance(head, Fields) else None


def _pictures(
    session: Session, blobs: BlobStore, leg: HandoverLeg, signatures: list[HandoverSignature]
) -> Iterator[str]:
    items = store.items_of(session, leg.id)
    photos = store.photos_of(session, [item.id for item in items])
    names = [photo.sha256 for shown in photos.values() for photo in shown]
    for name in dict.fromkeys([*names, *(signature.ink for signature in signatures)]):
        try:
            blobs.get(session, name)
        except DomainError:
            yield f"图片 {name[:12]}… 已丢失或被改动"


def _trail(
    session: Session,
    leg: HandoverLeg,
    row: HandoverRound,
    signatures: list[HandoverSignature],
    paper: Paper,
    name: str,
) -> Iterator[str]:
    event = kept_event(session, _ACTION, leg.subject)
    if event is None:
        yield f"! {name}：审计记录中没有签完的事件"
    elif not event.whole:
        yield f"! {name}：审计记录第 {event.seq} 个事件已被改动"
    elif event.details is None:
        yield f"? {name}：审计记录第 {event.seq} 个事件的详情已按要求删除，不能比对"
    elif event.details.get("mark") != mark_of(leg, row, signatures, paper.number):
        yield f"! {name}：签字人、时间或文本与审计记录第 {event.seq} 个事件不同"
