"""Between rows and records: which keyring may be used, what a record is bound to, what the audit trail says of it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.escrow import store
from app.escrow.keyring_rules import Keyring
from app.escrow.model import EscrowHead, Secret, SecretVersion
from app.escrow.record_rules import Bound, RecordRejected, body_digest, kek_of, seal, unseal
from app.escrow.vault import Opened, Vault
from app.kernel.errors import Unavailable
from app.kernel.installation import installation_id

FILED, IN_FORCE = "escrow.file", "escrow.in_force"


class Tampered(Unavailable):
    """A record is not what was filed. Whoever meets it writes `tampered_event` in a transaction that stands."""

    code = "secret_damaged"

    def __init__(self, row: SecretVersion, what: str) -> None:
        super().__init__(
            f"这条密码记录不是当初备案的内容（{what}），已记入审计；请从备份核对 / the record was changed: {what}",
            code=f"secret_{what}",
        )
        self.secret_id, self.version, self.what, self.centre_id = (
            row.secret_id,
            row.version,
            what,
            row.centre_id,
        )


def tampered_event(session: Session, error: Tampered, actor: str, now: dt.datetime) -> None:
    record(
        session,
        AuditEvent(
            at=now, actor=actor, action="escrow.tampered", object=f"secret:{error.secret_id}", outcome="refused",
            centre_id=error.centre_id, details={"version": error.version, "what": error.what},
        ),
    )  # fmt: skip


def open_escrow(session: Session, vault: Vault) -> Opened:
    """The keyring that this database goes with. Raise `Unavailable`: not set up, sealed, foreign, older than it."""
    head = store.head(session)
    if head is None:
        raise Unavailable("密码托管还没有初始化 / not set up: flask escrow init", code="escrow_not_set_up")
    opened = vault.opened()
    _require_of(session, head, opened.ring)
    return opened


def check_keyring(session: Session, vault: Vault) -> None:
    """Raise `Unavailable` for a keyring that is another's, or older than the database; sealed or not.

    One that is damaged or gone, and an escrow that was never set up, are for those who ask for passwords.
    """
    head = store.head(session)
    if head is None:
        return
    try:
        ring = vault.ring()
    except Unavailable:
        return
    if ring is not None:
        _require_of(session, head, ring)


def _require_of(session: Session, head: EscrowHead, ring: Keyring) -> None:
    if ring.installation != installation_id(session) or ring.root_id != head.root_id:
        raise Unavailable("密钥环不属于这个数据库 / the keyring is another's", code="keyring_foreign")
    if ring.generation < head.generation:
        raise Unavailable(
            "密钥环比数据库旧，请恢复最新的密钥环 / the keyring is older than the database",
            code="keyring_old",
        )


def bound_of(installation: uuid.UUID, secret: Secret, version: int) -> Bound:
    return Bound(installation, secret.subject_id, secret.kind, secret.id, version)


def sealed_version(
    opened: Opened, secret: Secret, number: int, text: str, *, state: str, by: str, now: dt.datetime
) -> SecretVersion:
    kek_id, kek = opened.active
    sealed = seal(kek, kek_id, bound_of(opened.ring.installation, secret, number), text)
    return SecretVersion(
        centre_id=secret.centre_id, secret_id=secret.id, version=number, state=state, kek_id=kek_id, record=sealed,
        filed_by=by, filed_at=now,
    )  # fmt: skip


def mark_of(row: SecretVersion) -> str:
    """What the trail keeps of a version: enough to know it again, nothing to guess it by, for the DEK is random."""
    return f"v{row.version} sha256:{body_digest(row.record).hex()}"


def open_version(session: Session, opened: Opened, secret: Secret, number: int) -> str:
    """The text of the version in force. Raise `Tampered` unless it is, by the audit trail, the record filed last."""
    row = store.version(session, secret.id, number)
    text = open_record(opened, secret, row)
    if store.audited(session, secret.id, IN_FORCE) != mark_of(row):
        raise Tampered(row, "replayed")
    return text


def open_record(opened: Opened, secret: Secret, row: SecretVersion) -> str:
    """Raise `Tampered`, or `Unavailable` for a KEK that is gone."""
    try:
        kek = opened.kek(kek_of(row.record))
        return unseal(kek, bound_of(opened.ring.installation, secret, row.version), row.record)
    except RecordRejected as exc:
        raise Tampered(row, exc.code) from None


def note(
    session: Session, actor: str, secret: Secret, action: str, now: dt.datetime, *, reason: str = "",
    outcome: str = "ok", **details: Any,
) -> None:  # fmt: skip
    record(
        session,
        AuditEvent(
            at=now, actor=actor, action=action, object=f"secret:{secret.id}", centre_id=secret.centre_id,
            reason=reason, outcome=outcome, details={"kind": secret.kind, **details},
        ),
    )  # fmt: skip
