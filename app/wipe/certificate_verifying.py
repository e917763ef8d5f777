"""Is what stands of each inspection and certificate still what was noted? Rows against the audit trail."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator

from sqlalchemy.orm import Session

from app.audit import KeptEvent, kept_events, subjects_of, trail_problems
from app.kernel.blobs import BlobStore
from app.kernel.errors import DomainError
from app.kernel.ids import parse_id
from app.kernel.keys import KeyStore
from app.papers import Paper, digest
from app.wipe import inspection_store
from app.wipe.certifying import certificate_mark, document_of
from app.wipe.documents import with_signatures
from app.wipe.inspection_model import WipeCertificate
from app.wipe.inspection_trail import INSPECTED, inspection_problems
from app.wipe.model import Wipe

CERTIFIED, SEALED, REVOKED, DOUBTED, UPHELD = (
    "wipe.certify", "wipe.cert_seal", "wipe.cert_revoke", "wipe.cert_doubt", "wipe.cert_uphold",
)  # fmt: skip


def record_check(session: Session, blobs: BlobStore, _keys: KeyStore) -> Iterator[str]:
    """One sentence a problem: `!` it was altered, `?` it cannot be told."""
    subjects = [*subjects_of(session, INSPECTED[0]), *subjects_of(session, CERTIFIED)]
    for subject in dict.fromkeys(subjects):
        yield from check_wipe(session, blobs, parse_id(subject.partition(":")[2]) or uuid.UUID(int=0))


def check_subject(session: Session, blobs: BlobStore, wipe_id: uuid.UUID) -> Iterator[str]:
    """The same for whoever checks a certificate, and whether something told against it later."""
    yield from check_wipe(session, blobs, wipe_id)
    row = inspection_store.standing(session, wipe_id)
    if row is not None and row.contested_at is not None:
        yield "? 后来的检查与证明矛盾，正在核实"


def check_wipe(session: Session, blobs: BlobStore, wipe_id: uuid.UUID) -> Iterator[str]:
    wipe = session.get(Wipe, wipe_id)
    if wipe is None:
        yield f"! 数据销毁 {wipe_id}：记录不在了"
        return
    yield from inspection_problems(session, wipe)
    yield from _pictures(session, blobs, wipe)
    for row in inspection_store.certificates(session, wipe_id):
        yield from _certificate(session, wipe, row)


def _pictures(session: Session, blobs: BlobStore, wipe: Wipe) -> Iterator[str]:
    for row in inspection_store.inspections(session, wipe.id):
        for photo in row.photos:
            try:
                blobs.get(session, photo["sha256"])
            except DomainError:
                yield f"! 数据销毁 {wipe.asset_tag} 的检查：照片 {photo['sha256'][:12]}… 已丢失或被改动"


def _certificate(session: Session, wipe: Wipe, row: WipeCertificate) -> Iterator[str]:
    name, subject = f"数据销毁证明 {wipe.asset_tag}", f"wipe:{wipe.id}"
    if row.paper_id is None:
        return
    paper = session.get(Paper, row.paper_id)
    if paper is None:
        yield f"! {name}：单据不在了"
        return
    signed = inspection_store.signatures(session, row.id)
    mine = _of(kept_events(session, CERTIFIED, subject), row)
    yield from trail_problems(mine, certificate_mark(row, signed, paper.number), name)
    if digest(with_signatures(document_of(row), signed)) != paper.sha256:
        yield f"! {name}：单据与签字的文本或签名不同"
    if wipe.certificate_paper_id != paper.id:
        yield f"! {name}：清除记录指着另一张单据"
    revoked = _of(kept_events(session, REVOKED, subject), row) is not None
    if revoked != (row.state == "revoked"):
        yield f"! {name}：是否撤销与审计记录不同"
    doubts, upheld = (
        sum(_is_of(e, row) for e in kept_events(session, a, subject)) for a in (DOUBTED, UPHELD)
    )
    if (doubts > upheld) != (row.contested_at is not None):
        yield f"! {name}：是否有疑与审计记录不同"
    yield from _sealed(session, row, name, subject)


def _sealed(session: Session, row: WipeCertificate, name: str, subject: str) -> Iterator[str]:
    event, kept = (
        _of(kept_events(session, SEALED, subject), row),
        inspection_store.signed_json(session, row.id),
    )
    if (event is None) != (kept is None):
        yield f"! {name}：JSON 证明与审计记录不同"
    told = None if event is None or event.details is None else event.details.get("json_sha256")
    if kept is not None and told is not None and told != hashlib.sha256(kept).hexdigest():
        yield f"! {name}：JSON 证明已被改动"


def _is_of(event: KeptEvent, row: WipeCertificate) -> bool:
    return (event.details or {}).get("certificate") == str(row.id)


def _of(events: list[KeptEvent], row: WipeCertificate) -> KeptEvent | None:
    return next((event for event in events if _is_of(event, row)), None)
