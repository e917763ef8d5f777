"""A paper's PDF: made once, after the commit that issued it, and the same file for everybody from then on.

It carries its place in the audit trail, which is known only when the issuing transaction is through.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.audit import AuditEvent, kept_event, last_checkpoint, record
from app.kernel.blobs import BlobStore
from app.kernel.clock import Clock
from app.kernel.errors import Unavailable
from app.kernel.jobs import Transactions
from app.kernel.keys import KeyStore
from app.papers import store
from app.papers.document import blobs_of
from app.papers.model import Paper
from app.papers.reading import document_of
from app.papers.rendering import Print, render, shanghai
from app.settings import Settings
from app.trail import checkpoint_now

PDF = "application/pdf"


@dataclass(frozen=True)
class Press:
    """What printing needs beside the paper. `transactions` opens a write transaction of its own each time."""

    transactions: Transactions
    keys: KeyStore
    blobs: BlobStore
    settings: Settings
    clock: Clock


def pdf_of(session: Session, press: Press, paper: Paper) -> bytes:
    """Its PDF; `paper` is committed. Never call inside a write transaction.

    Of two who want the first one at once both get the file that was kept. Raise `Unavailable` for a file that was
    changed or lost since, and for a paper whose text or pictures are no longer what was signed.
    """
    if paper.pdf_sha256 is not None:
        return press.blobs.get(session, paper.pdf_sha256)[0]
    name = _keep(press, paper.id, paper.centre_id, render(form_of(session, press, paper)))
    # In a transaction of its own: this session may look at the database as it was before.
    with press.transactions() as fresh:
        return press.blobs.get(fresh, name)[0]


def _keep(press: Press, paper_id: uuid.UUID, centre_id: uuid.UUID, made: bytes) -> str:
    """Store the file unless somebody was quicker; the name of the one that is kept."""
    now = press.clock.now()
    with press.transactions() as writer:
        kept = store.pdf_name(writer, paper_id)
        if kept is not None:
            return kept
        name = press.blobs.put(writer, made, PDF, now)
        if not store.set_pdf(writer, paper_id, name, now):
            kept = store.pdf_name(writer, paper_id)
            assert kept is not None
            return kept
        event = AuditEvent(
            at=now, actor="system", action="paper.print", object=f"paper:{paper_id}", centre_id=centre_id,
            details={"pdf_sha256": name, "bytes": len(made)},
        )  # fmt: skip
        record(writer, event)
        return name


def form_of(session: Session, press: Press, paper: Paper) -> Print:
    """Everything that its PDF tells. Raise `Unavailable` for what is no longer what was signed."""
    document = document_of(paper)
    if document is None:
        raise Unavailable(
            "单据内容与签名时不一致，不能打印 / this is not the text that was signed", code="altered"
        )
    company, centre = store.names_of_centre(session, paper.centre_id)
    notes = []
    if paper.corrects is not None:
        notes.append(f"更正单：代替 {session.get_one(Paper, paper.corrects).number}")
    public = press.settings.public_url
    link = f"{public}/p/{paper.code}" if public else None
    proof = [
        ("内容 SHA-256", paper.sha256),
        ("系统签名", f"Ed25519 {paper.signature.hex()}"),
        ("审计记录", _place(session, press, paper)),
        ("核对真伪", link or f"编号 {paper.number}，核对码 {paper.code}"),
    ]
    return Print(
        document=document,
        company=f"{company} · {centre}",
        number=paper.number,
        sha256=paper.sha256,
        issued_at=paper.issued_at,
        pictures={name: press.blobs.get(session, name)[0] for name in blobs_of(document)},
        proof=proof,
        notes=notes,
        link=link,
    )


def _place(session: Session, press: Press, paper: Paper) -> str:
    """Where the trail tells of it, and the signed checkpoint that covers that place: signed now if there is none."""
    event = kept_event(session, "paper.issue", f"paper:{paper.id}")
    if event is None:
        raise Unavailable("审计记录中没有这张单据 / the trail does not know this paper", code="not_in_trail")
    with press.transactions() as writer:
        last = last_checkpoint(writer, press.keys)
        if last is None or last.size < event.seq:
            checkpoint_now(writer, press.keys, press.settings, press.clock.now())
            last = last_checkpoint(writer, press.keys)
        assert last is not None
        return f"第 {event.seq} 个事件（{shanghai(event.at)}），由第 {last.size} 个事件处的检查点签名"
