"""Is this paper what was issued? Everything that stands of it is held against what was signed and noted then.

Three answers, never two: genuine, not genuine, cannot tell.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from app.audit import kept_event, subjects_of
from app.kernel.blobs import BlobStore
from app.kernel.errors import DomainError, NotFound
from app.kernel.ids import parse_id
from app.kernel.keys import KeyStore
from app.papers import store
from app.papers.document import blobs_of
from app.papers.model import Paper
from app.papers.reading import document_of
from app.papers.service import envelope_of
from app.papers.signing_rules import is_genuine


class Verdict(StrEnum):
    GENUINE = "genuine"
    FALSE = "false"
    UNKNOWN = "unknown"


SubjectCheck = Callable[[Session, BlobStore, uuid.UUID], Iterator[str]]
"""What is wrong with the records of one subject: sentences that begin with `!`, or `?` where it cannot be told."""


@dataclass(frozen=True)
class Finding:
    """What was looked at, and what came of it. `detail` is Chinese and names nobody."""

    what: str
    verdict: Verdict
    detail: str


def overall(findings: Iterable[Finding]) -> Verdict:
    """One that is false makes the whole false; one that nobody can tell makes it so for the whole."""
    found = {finding.verdict for finding in findings}
    for verdict in (Verdict.FALSE, Verdict.UNKNOWN):
        if verdict in found:
            return verdict
    return Verdict.GENUINE


def check_paper(
    session: Session, blobs: BlobStore, keys: KeyStore, paper: Paper, given: bytes | None = None
) -> list[Finding]:
    """All that can be looked at. `given`: a PDF that somebody holds in his hands."""
    findings = [
        _text(paper),
        _signature(session, keys, paper),
        _trail(session, paper),
        *_pictures(session, blobs, paper),
        *_kept_pdf(session, blobs, paper),
    ]
    return findings if given is None else [*findings, _given_pdf(paper, given)]


def check_beside(
    session: Session, blobs: BlobStore, paper: Paper, checks: Mapping[str, SubjectCheck]
) -> list[Finding]:
    """Whether the records that the paper tells of still say the same; nothing for a kind that has no such check."""
    kind, _, name = paper.subject.partition(":")
    subject_id = parse_id(name)
    if kind not in checks or subject_id is None:
        return []
    problems = list(checks[kind](session, blobs, subject_id))
    if any(not line.startswith("?") for line in problems):
        return [_bad("业务记录", "系统里的记录与单据不一致，已被改动")]
    return [
        _open("业务记录", "有的记录现在无法核对") if problems else _ok("业务记录", "系统里的记录与单据一致")
    ]


def _ok(what: str, detail: str) -> Finding:
    return Finding(what, Verdict.GENUINE, detail)


def _bad(what: str, detail: str) -> Finding:
    return Finding(what, Verdict.FALSE, detail)


def _open(what: str, detail: str) -> Finding:
    return Finding(what, Verdict.UNKNOWN, detail)


def _text(paper: Paper) -> Finding:
    if document_of(paper) is None:
        return _bad("内容", "保存的内容与出具时的摘要（SHA-256）不一致，已被改动")
    return _ok("内容", "与出具时的摘要（SHA-256）一致")


def _signature(session: Session, keys: KeyStore, paper: Paper) -> Finding:
    try:
        public = keys.public_key("paper")
    except DomainError:
        return _open("系统签名", "签名密钥现在不可用，无法核对")
    if is_genuine(envelope_of(session, paper), paper.signature, public):
        return _ok("系统签名", "编号、日期、当事人和内容摘要都由本系统签名")
    return _bad("系统签名", "与本系统的签名不符，单据的编号、日期或当事人已被改动")


def _trail(session: Session, paper: Paper) -> Finding:
    event = kept_event(session, "paper.issue", f"paper:{paper.id}")
    if event is None:
        return _bad("审计记录", "审计记录中没有出具这张单据的事件")
    if not event.whole:
        return _bad("审计记录", f"第 {event.seq} 个事件已被改动")
    if event.details is None:
        return _open("审计记录", f"第 {event.seq} 个事件记有出具，但详情已按要求删除，不能比对摘要")
    if (event.details.get("sha256"), event.details.get("number")) != (paper.sha256, paper.number):
        return _bad("审计记录", f"第 {event.seq} 个事件记下的编号或摘要与单据不同")
    return _ok("审计记录", f"第 {event.seq} 个事件记有同一编号和摘要")


def _pictures(session: Session, blobs: BlobStore, paper: Paper) -> Iterator[Finding]:
    document = document_of(paper)
    names = blobs_of(document) if document else []
    wrong = [finding for name in names if (finding := _blob(session, blobs, name, "照片和签名"))]
    if wrong:
        yield from wrong
    elif names:
        yield _ok("照片和签名", f"{len(names)} 个图片文件与签字时一致")


def _kept_pdf(session: Session, blobs: BlobStore, paper: Paper) -> Iterator[Finding]:
    event = kept_event(session, "paper.print", f"paper:{paper.id}")
    if paper.pdf_sha256 is None:
        if event is not None:
            yield _bad("PDF", "审计记录说已生成 PDF，现在却没有")
        return
    wrong = _blob(session, blobs, paper.pdf_sha256, "PDF")
    if wrong is not None:
        yield wrong
    elif event is None or not event.whole:
        yield _bad("PDF", "审计记录中没有生成这个 PDF 的事件，或该事件已被改动")
    elif event.details is None:
        yield _open("PDF", "生成 PDF 的事件详情已按要求删除，不能比对")
    elif event.details.get("pdf_sha256") != paper.pdf_sha256:
        yield _bad("PDF", "保存的 PDF 不是当时生成的那一个")
    else:
        yield _ok("PDF", "保存的文件与生成时一致")


def _blob(session: Session, blobs: BlobStore, name: str, what: str) -> Finding | None:
    """What is wrong with a stored file; None when nothing is."""
    try:
        blobs.get(session, name)
    except NotFound:
        return _bad(what, f"文件 {name[:12]}… 已丢失")
    except DomainError as exc:
        if exc.code == "blob_damaged":
            return _bad(what, f"文件 {name[:12]}… 已被改动")
        return _open(what, f"文件 {name[:12]}… 现在不能读取")
    return None


def _given_pdf(paper: Paper, given: bytes) -> Finding:
    if paper.pdf_sha256 is None:
        return _bad("您的文件", "本系统还没有为这张单据生成过 PDF")
    if hashlib.sha256(given).hexdigest() != paper.pdf_sha256:
        return _bad("您的文件", "与本系统生成的 PDF 不是同一个文件（另存、扫描或改动过的文件都会不同）")
    return _ok("您的文件", "就是本系统生成的 PDF，一个字节都没有改动")


def record_check(session: Session, blobs: BlobStore, keys: KeyStore) -> Iterator[str]:
    """Every paper against its signature, trail and files; and whether the trail knows papers that are gone."""
    for paper in store.all_papers(session):
        for finding in check_paper(session, blobs, keys, paper):
            if finding.verdict is not Verdict.GENUINE:
                mark = "?" if finding.verdict is Verdict.UNKNOWN else "!"
                yield f"{mark} 单据 {paper.number}：{finding.what}：{finding.detail}"
    for subject in subjects_of(session, "paper.issue"):
        if not store.has_paper(session, subject.removeprefix("paper:")):
            yield f"! 审计记录中有 {subject}，单据却不在了"
