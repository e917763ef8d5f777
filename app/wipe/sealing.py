"""The certificate for machines: signed with the key of certificates once its PDF is made, while the escrow is open."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import AuditRow, kept_event
from app.escrow import Vault
from app.kernel.clock import to_rfc3339
from app.kernel.errors import DomainError, NotFound, Unavailable
from app.kernel.installation import installation_id
from app.papers import Paper, Press, pdf_of
from app.wipe import inspection_store, store
from app.wipe.certificate_rules import fingerprint, seal_certificate
from app.wipe.grading_rules import GRADE_WORDS, Grade
from app.wipe.inspection_model import WipeCertificate
from app.wipe.model import Wipe
from app.wipe.noting import write_step

log = structlog.get_logger(__name__)
SCHEMA = 1
_BATCH = 20
_SEALED = frozenset({"escrow_sealed", "escrow_not_set_up", "wrong_root"})


def json_of(session: Session, press: Press, vault: Vault, certificate_id: uuid.UUID) -> bytes:
    """The signed JSON, made now if it was not. Never call inside a write transaction.

    Raise `NotFound` for one that was not issued, `Unavailable` (`escrow_sealed`) while it cannot be signed, or when its
    paper is no longer what was signed.
    """
    kept = inspection_store.signed_json(session, certificate_id)
    if kept is not None:
        return kept
    row = inspection_store.certificate(session, certificate_id)
    if row is None or row.paper_id is None:
        raise NotFound("证明还没有出具 / it was not issued yet")
    opened = vault.opened()
    paper = session.get_one(Paper, row.paper_id)
    data = pdf_of(session, press, paper)
    # Printed a moment ago by transactions of their own: this session may look at the database as it was before.
    with press.transactions() as fresh:
        body = body_of(fresh, row, paper, press, pdf=data)
    _keep(press, row.id, body, opened.certificate)
    with press.transactions() as fresh:
        made = inspection_store.signed_json(fresh, certificate_id)
    assert made is not None
    return made


def body_of(
    session: Session, row: WipeCertificate, paper: Paper, press: Press, *, pdf: bytes
) -> Mapping[str, Any]:
    """What the signature covers: texts and whole numbers only."""
    wipe = session.get_one(Wipe, row.wipe_id)
    event = kept_event(session, "paper.issue", f"paper:{paper.id}")
    if event is None or not event.whole:
        raise Unavailable(
            "审计记录中没有这张证明 / the trail does not know this certificate", code="not_in_trail"
        )
    hashed = session.scalar(select(AuditRow.hash).where(AuditRow.seq == event.seq))
    assert hashed is not None
    return {
        "schema": SCHEMA,
        "installation": str(installation_id(session)),
        "number": paper.number,
        "paper": str(paper.id),
        "wipe": str(row.wipe_id),
        "issued_at": to_rfc3339(paper.issued_at),
        "grade": row.grade,
        "grade_words": GRADE_WORDS[Grade(row.grade)],
        "phone": {
            "asset_tag": wipe.asset_tag, "serial": wipe.serial, "imeis": list(wipe.imeis), "brand": wipe.brand,
            "model": wipe.model,
        },
        "document": orjson.loads(paper.document),
        "document_sha256": paper.sha256,
        "signed_text_sha256": row.digest,
        "facts_sha256": row.facts,
        "pdf_sha256": hashlib.sha256(pdf).hexdigest(),
        "audit": {"seq": event.seq, "hash": hashed.hex(), "public_key": press.keys.public_key("audit").hex()},
    }  # fmt: skip


def _keep(
    press: Press, certificate_id: uuid.UUID, body: Mapping[str, Any], signer: Ed25519PrivateKey
) -> None:
    """Of two who sign at once the first one's is kept; they are the same, for this key signs the same always so."""
    now, made, pdf = press.clock.now(), seal_certificate(body, signer), str(body["pdf_sha256"])
    key = signer.public_key().public_bytes_raw()
    with press.transactions() as writer:
        row = inspection_store.certificate(writer, certificate_id)
        if row is None or row.signed_json is not None:
            return
        row.signed_json, row.pdf_sha256 = made, pdf
        wipe = store.by_id(writer, row.wipe_id)
        assert wipe is not None
        write_step(
            writer, wipe, "cert_seal", f"公钥指纹 {fingerprint(key)}", "system", now, certificate=str(row.id),
            json_sha256=hashlib.sha256(made).hexdigest(), pdf_sha256=pdf, public_key=key.hex(),
        )  # fmt: skip


def seal_waiting(reader: Session, press: Press, vault: Vault) -> int:
    """Sign what was issued while the escrow was sealed, or whose JSON nobody has asked for yet. How many."""
    count = 0
    for certificate_id in inspection_store.unsealed(reader, _BATCH):
        try:
            json_of(reader, press, vault, certificate_id)
            count += 1
        except DomainError as exc:
            log.warning("certificate_not_signed", certificate=str(certificate_id), why=exc.code)
            if exc.code in _SEALED:
                return count
    return count
