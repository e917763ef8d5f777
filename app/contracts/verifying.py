"""Is what stands of each confirmed assessment still what both signed? Its rows and pictures against paper and trail."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import orjson
from sqlalchemy.orm import Session

from app.audit import kept_event, kept_events, subjects_of
from app.contracts import work_store
from app.contracts.documents import found_parts, with_signatures
from app.contracts.model import Assessment
from app.kernel.blobs import BlobStore
from app.kernel.errors import DomainError
from app.kernel.ids import parse_id
from app.kernel.keys import KeyStore
from app.papers import Paper, digest, from_plain

CONFIRM = "contract_assessment.confirm"


def signed_digest(session: Session, row: Assessment) -> str | None:
    """Of the text that the assessor signed last, as the trail kept it then; the row's own where it tells nothing."""
    events = kept_events(session, "contract_assessment.submit", f"contract_assessment:{row.id}")
    details = events[-1].details if events else None
    return row.digest if details is None else details.get("digest")


def record_check(session: Session, blobs: BlobStore, _keys: KeyStore) -> Iterator[str]:
    """One sentence a problem: `!` it was altered, `?` it cannot be told."""
    for row in work_store.confirmed(session):
        yield from check_assessment(session, blobs, row)
    for subject in subjects_of(session, CONFIRM):
        row_id = parse_id(subject.partition(":")[2])
        found = None if row_id is None else session.get(Assessment, row_id)
        if found is None or found.paper_id is None:
            yield f"! 审计记录中有确认的评估 {subject}，记录却不在了"


def check_subject(session: Session, blobs: BlobStore, assessment_id: uuid.UUID) -> Iterator[str]:
    """The same of one assessment alone, for whoever checks its paper."""
    row = session.get(Assessment, assessment_id)
    if row is None:
        yield f"! 设备评估 {assessment_id}：记录不在了"
    else:
        yield from check_assessment(session, blobs, row)


def check_assessment(session: Session, blobs: BlobStore, row: Assessment) -> Iterator[str]:
    """What is wrong with one; nothing when all of it is what was signed."""
    paper = None if row.paper_id is None else session.get(Paper, row.paper_id)
    if paper is None:
        yield f"! 设备评估 {row.id}：单据不在了"
        return
    name = f"设备评估 {paper.number}"
    yield from (f"! {name}：{words}" for words in _text(row, paper))
    for picture in (*(p["sha256"] for p in row.photos), *(s["ink"] for s in row.signatures if s["ink"])):
        try:
            blobs.get(session, picture)
        except DomainError:
            yield f"! {name}：图片 {picture[:12]}… 已丢失或被改动"
    event = kept_event(session, CONFIRM, f"contract_assessment:{row.id}")
    if event is None:
        yield f"! {name}：审计记录中没有确认的事件"
    elif not event.whole:
        yield f"! {name}：审计记录第 {event.seq} 个事件已被改动"
    elif event.details is None:
        yield f"? {name}：审计记录第 {event.seq} 个事件的详情已按要求删除，不能比对"
    elif (event.details.get("digest"), event.details.get("paper")) != (row.digest, str(row.paper_id)):
        yield f"! {name}：文本或单据与审计记录第 {event.seq} 个事件不同"


def _text(row: Assessment, paper: Paper) -> Iterator[str]:
    try:
        document, printed = from_plain(row.document or {}), from_plain(orjson.loads(paper.document))
        if digest(document) != row.digest or any(one["over"] != row.digest for one in row.signatures):
            yield "签字的文本已被改动"
        if with_signatures(document, row.signatures).parts != printed.parts:
            yield "单据与签字的文本或签名不同"
        # What the contract's and the post's names were then stands in the text alone: they may change.
        if found_parts(row) != document.parts[1:]:
            yield "评估的内容（检查、读数、照片或结论）已被改动"
    except (ValueError, KeyError, TypeError):
        yield "签字的文本已损坏"
