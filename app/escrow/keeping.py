"""Setting the escrow up, changing its keys while it serves, proving that all of it opens. For the command line."""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.escrow import store
from app.escrow.keyring_rules import (
    KekState,
    Keyring,
    check_root,
    new_keyring,
    open_kek,
    root_by_recovery,
    with_active,
    with_destroyed,
    with_passphrase,
    with_pending,
)
from app.escrow.model import SecretVersion
from app.escrow.record_rules import RecordRejected, rewrap
from app.escrow.sealing import Tampered, bound_of, mark_of, open_escrow, open_record, tampered_event
from app.escrow.vault import Opened, Vault, opened_with, write_private
from app.kernel.errors import Conflict, Invalid, Unavailable
from app.kernel.installation import installation_id
from app.kernel.recovery import private_half, text_of

_BATCH = 500


@dataclass
class Verified:
    """`broken`: (secret, version, what) of each record that does not open, or is not what the trail says."""

    opened: int = 0
    broken: list[tuple[uuid.UUID, int, str]] = field(default_factory=list)


def set_up(
    session: Session,
    vault: Vault,
    passphrase: str | None,
    now: dt.datetime,
    known: X25519PrivateKey | None = None,
) -> tuple[Keyring, str]:
    """The first keyring and its recovery key, which is kept nowhere. Without a passphrase ROOT is left in its file.

    `known`: a recovery key that people keep already.

    Raise `Conflict` when this database has an escrow already, or the folder has another installation's keyring.
    """
    if store.head(session) is not None or store.any_record(session):
        raise Conflict(
            "密码托管已经初始化 / set up already; keys are never made anew while records may exist"
        )
    installation = installation_id(session)
    found = vault.ring()
    if found is not None:
        if found.installation != installation:
            raise Conflict(f"{vault.path} 属于另一个安装 / belongs to another installation")
        vault.put_aside()
    root = secrets.token_bytes(32)
    private = known or X25519PrivateKey.generate()
    ring = new_keyring(installation, root, private.public_key().public_bytes_raw())
    if passphrase:
        ring = with_passphrase(ring, root, passphrase)
    if root_by_recovery(ring, private.private_bytes_raw()) != root:
        raise Unavailable("the recovery copy does not open", code="keyring_damaged")
    vault.drop_root()
    ring = vault.save(ring, root)
    if not passphrase:
        vault.put_root(root)
    store.put_head(session, ring.root_id, ring.generation, now)
    _note(session, "escrow.init", ring, now)
    return ring, text_of(private)


def recovered_root(vault: Vault, typed: str) -> bytes:
    """ROOT by the recovery key. Raise `Invalid`, `Unavailable`."""
    ring = vault.ring()
    if ring is None:
        raise Unavailable(
            "没有密钥环文件，请先从备份恢复 / restore the keyring first", code="escrow_not_set_up"
        )
    return root_by_recovery(ring, private_half(typed).private_bytes_raw())


def begin_rotation(session: Session, vault: Vault, now: dt.datetime, *, anyway: bool = False) -> Keyring:
    """A new KEK in force, on disk and proved to open from there; an unfinished change is gone on with.

    Call under `vault.changing()`. While records are left under an older KEK no further one is made, unless `anyway`: a
    damaged record, which nobody can rewrap, would else keep the key from ever being changed.
    """
    opened = open_escrow(session, vault)
    root, ring = vault.root(), opened.ring
    if ring.in_state(KekState.PENDING) is None and (anyway or not _left(session, ring)):
        ring = vault.save(with_pending(ring, root), root)
    pending = ring.in_state(KekState.PENDING)
    if pending is not None:
        open_kek(ring, root, pending)
        ring = vault.save(with_active(ring), root)
        _note(session, "escrow.rotate", ring, now)
    store.put_head(session, ring.root_id, ring.generation, now)
    return ring


def rotate_batch(
    session: Session, vault: Vault, after: uuid.UUID | None
) -> tuple[uuid.UUID | None, int, list[str]]:
    """Rewrap the next records under an older KEK: (the last one's id or None at the end, how many, what was refused).

    Compare and set: a record that somebody changed meanwhile is left, for he wrapped it under the present KEK.
    """
    opened = open_escrow(session, vault)
    done, refused = 0, []
    rows = []
    for kek in opened.ring.keks:
        if kek.state is KekState.DECRYPT_ONLY:
            rows += store.versions_under(session, kek.kek_id, after, _BATCH)
    rows = sorted(rows, key=lambda pair: pair[0].id)[:_BATCH]
    new_id, new_kek = opened.active
    for row, secret in rows:
        try:
            bound = bound_of(opened.ring.installation, secret, row.version)
            fresh = rewrap(opened.kek(row.kek_id), new_kek, new_id, bound, row.record)
        except RecordRejected as exc:
            refused.append(f"{secret.id} v{row.version}: {exc.code}")
            continue
        done += store.exchange(session, row.id, row.record, fresh, new_id)
    last = rows[-1][0].id if rows else None
    session.expunge_all()
    return last, done, refused


def keys_of(session: Session, ring: Keyring) -> list[tuple[int, str, int]]:
    """(number, state, how many records it wraps) of each KEK."""
    return [(k.kek_id, k.state, store.count_under(session, k.kek_id)) for k in ring.keks]


def broken_events(session: Session, result: Verified, now: dt.datetime) -> None:
    """An audit event for each record that was found not to be what was filed."""
    for secret_id, number, what in result.broken:
        row = store.version(session, secret_id, number)
        tampered_event(session, Tampered(row, what), "system", now)


def _left(session: Session, ring: Keyring) -> int:
    old = [k.kek_id for k in ring.keks if k.state is KekState.DECRYPT_ONLY]
    return sum(store.count_under(session, kek_id) for kek_id in old)


def destroy(session: Session, vault: Vault, kek_id: int, now: dt.datetime) -> Keyring:
    """Shred a KEK that only opens. Raise `Conflict` while a record needs it; older backups then open no more."""
    opened = open_escrow(session, vault)
    if store.count_under(session, kek_id):
        raise Conflict(f"还有记录使用密钥 {kek_id}，请先轮换 / records still need it: rotate first")
    try:
        ring = with_destroyed(opened.ring, kek_id)
    except ValueError as exc:
        raise Conflict(str(exc)) from None
    ring = vault.save(ring, vault.root())
    store.put_head(session, ring.root_id, ring.generation, now)
    _note(session, "escrow.destroy", ring, now, kek_id=kek_id)
    return ring


def change_passphrase(
    session: Session, vault: Vault, root: bytes, passphrase: str, now: dt.datetime
) -> Keyring:
    ring = vault.ring()
    if ring is None:
        raise Unavailable("没有密钥环文件 / no keyring", code="escrow_not_set_up")
    check_root(ring, root)
    ring = vault.save(with_passphrase(ring, root, passphrase), root)
    store.put_head(session, ring.root_id, ring.generation, now)
    _note(session, "escrow.passphrase", ring, now)
    return ring


def verify(session: Session, opened: Opened) -> Verified:
    """Open every record, in memory only, and compare those in force with the audit trail."""
    result, after = Verified(), None
    while rows := store.all_versions(session, after, _BATCH):
        for row, secret in rows:
            try:
                open_record(opened, secret, row)
                # A version takes its place in the trail when it comes into force, so only that one is compared.
                if row.version == secret.in_force:
                    _compare(session, secret.id, row)
                result.opened += 1
            except Tampered as exc:
                result.broken.append((secret.id, row.version, exc.what))
            except Unavailable as exc:
                result.broken.append((secret.id, row.version, exc.code))
        after = rows[-1][0].id
        session.expunge_all()
    return result


def _compare(session: Session, secret_id: uuid.UUID, row: SecretVersion) -> None:
    if store.audited(session, secret_id, "escrow.in_force") != mark_of(row):
        raise Tampered(row, "replayed")


def drill(session: Session, vault: Vault, typed: str) -> Verified:
    """Open everything by the recovery key alone, as after the loss of this machine; nothing is written."""
    ring = vault.ring()
    root = recovered_root(vault, typed)
    assert ring is not None
    usable = (KekState.ACTIVE, KekState.DECRYPT_ONLY)
    keks = {k.kek_id: open_kek(ring, root, k) for k in ring.keks if k.state in usable}
    head = store.head(session)
    if head is not None and ring.generation < head.generation:
        raise Unavailable("密钥环比数据库旧 / the keyring is older than the database", code="keyring_old")
    return verify(session, opened_with(ring, keks, root))


def export(session: Session, vault: Vault, target: Path, apart: list[Path], now: dt.datetime) -> Path:
    """Copy the keyring, without ROOT, to an empty folder apart from the data. Raise `Invalid` for any other place."""
    ring = vault.ring()
    if ring is None:
        raise Unavailable("没有密钥环文件 / no keyring", code="escrow_not_set_up")
    place = target.resolve()
    for data in (p.resolve() for p in apart):
        if place == data or data in place.parents or place in data.parents:
            raise Invalid(f"不能和数据放在一起 / not in, under or above {data}: who has both has everything")
    if place.exists() and any(place.iterdir()):
        raise Invalid(
            f"{place} 不是空文件夹；备份和密钥要分开存放 / is not empty: keys go apart from backups"
        )
    copied = place / "keyring.json"
    raw = vault.path.read_bytes()
    write_private(copied, raw, 0o600)
    if copied.read_bytes() != raw:
        raise Unavailable("写入后核对不一致 / the copy differs", code="export_failed")
    place.chmod(0o700)
    _note(session, "escrow.export", ring, now)
    return copied


def _note(session: Session, action: str, ring: Keyring, now: dt.datetime, **details: int) -> None:
    record(
        session,
        AuditEvent(
            at=now, actor="system", action=action, object=f"keyring:{ring.root_id[:16]}",
            details={"generation": ring.generation, **details},
        ),
    )  # fmt: skip
