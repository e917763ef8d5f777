"""Is what stands of each settled transfer still what was settled? Rows and manifests against the audit trail."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from sqlalchemy.orm import Session

from app.audit import against_trail, kept_event, subjects_of
from app.kernel.blobs import BlobStore
from app.kernel.ids import parse_id
from app.kernel.keys import KeyStore
from app.transfer import manifest_store
from app.transfer.marks import SETTLED_BY, settled_mark
from app.transfer.model import Transfer
from app.transfer.states import SETTLED


def record_check(session: Session, blobs: BlobStore, _keys: KeyStore) -> Iterator[str]:
    """One sentence a problem: `!` it was altered, `?` it cannot be told."""
    for action in SETTLED_BY.values():
        for subject in subjects_of(session, action):
            found = parse_id(subject.partition(":")[2])
            yield from check_transfer(session, blobs, found or uuid.UUID(int=0))


def check_transfer(session: Session, _blobs: BlobStore, transfer_id: uuid.UUID) -> Iterator[str]:
    """What is wrong with one settled transfer."""
    row, name, subject = (
        session.get(Transfer, transfer_id),
        f"数据迁移 {transfer_id}",
        f"transfer:{transfer_id}",
    )
    if row is None:
        yield f"! {name}：记录不在了"
        return
    settled = [
        state for state, action in SETTLED_BY.items() if kept_event(session, action, subject) is not None
    ]
    if settled != [row.state]:
        yield f"! {name}：状态与审计记录不同"
    if row.state in SETTLED:
        yield from against_trail(session, SETTLED_BY[row.state], subject, settled_mark(row), name)
    if row.manifest_command is None:
        return
    if manifest_store.digest(session, row.manifest_command) != row.manifest_sha256:
        yield f"! {name}：清单的内容与登记的摘要不同"
