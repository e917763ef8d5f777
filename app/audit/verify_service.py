"""Checkpoints are signed, and the chain is held against them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from app.audit import store
from app.audit.checkpoint_rules import Checkpoint
from app.audit.model import AuditCheckpoint
from app.audit.rules import GENESIS
from app.audit.walk_rules import Walk
from app.kernel.db import to_us
from app.kernel.installation import installation_id
from app.kernel.keys import KeyStore


@dataclass(frozen=True)
class Verification:
    """`size` events were read; `problem` names the first break, None when the chain is whole up to its head.

    `checkpoints` is how many signed ones it was held against; the last of them was made at `signed_size`.
    """

    size: int
    head: str
    problem: str | None
    checkpoints: int = 0
    signed_size: int = 0


def sign_checkpoint(session: Session, keys: KeyStore, now: dt.datetime) -> Checkpoint | None:
    """Sign what stands now and keep it; None when there is no event yet, or none since the last checkpoint.

    Raise `Unavailable` without this installation's audit key.
    """
    head = store.read_head(session)
    if head is None or head.size == 0:
        return None
    public = keys.public_key("audit")
    draft = Checkpoint(installation_id(session), head.size, to_us(now), head.hash, public)
    signed = replace(draft, signature=keys.signer("audit").sign(draft.signed_bytes()))
    values = {
        "size": signed.size,
        "at": now,
        "installation_id": signed.installation,
        "hash": signed.hash,
        "signature": signed.signature,
    }
    return signed if store.add_checkpoint(session, values) else None


def last_checkpoint(session: Session, keys: KeyStore) -> Checkpoint | None:
    """The newest that is kept here."""
    row = store.last_checkpoint(session)
    return None if row is None else _checkpoint(row, keys.public_key("audit"))


def kept_checkpoints(session: Session, keys: KeyStore) -> list[Checkpoint]:
    """All that are kept here, the oldest first."""
    public = keys.public_key("audit")
    return [_checkpoint(row, public) for row in store.checkpoints(session)]


def _checkpoint(row: AuditCheckpoint, public: bytes) -> Checkpoint:
    return Checkpoint(row.installation_id, row.size, to_us(row.at), row.hash, public, row.signature)


def verify(session: Session, keys: KeyStore | None = None, given: Sequence[Checkpoint] = ()) -> Verification:
    """Walk the chain up to its head, against the checkpoints kept here and those that somebody else kept.

    A cut tail is found by the head row, by a kept checkpoint, and when all these were set back too, by a given one.
    The head is read first: events appended meanwhile are simply not yet looked at.
    Without `keys` no checkpoint is looked at.
    """
    head = store.read_head(session)
    size, wanted = (head.size, head.hash) if head else (0, GENESIS)
    known = kept_checkpoints(session, keys) if keys else []
    walk, signed = Walk(_expected([*known, *given])), [*known, *given]
    figures = (len(signed), max((c.size for c in signed), default=0))

    def found(problem: str | None) -> Verification:
        return Verification(walk.seq, walk.hash.hex(), problem, *figures)

    if keys and (problem := _foreign(session, keys, signed)):
        return found(problem)
    for event in store.events_up_to(session, size):
        if problem := walk.take(event):
            return found(problem)
    if (size, wanted) != (walk.seq, walk.hash):
        return found(f"events after {walk.seq} are missing: the head stands at {size}")
    if store.has_rows_beyond_head(session):
        return found(f"the head was set back: events stand after {size}")
    return found(walk.end())


def _expected(signed: Iterable[Checkpoint]) -> dict[int, bytes]:
    return {one.size: one.hash for one in signed}


def _foreign(session: Session, keys: KeyStore, signed: Iterable[Checkpoint]) -> str | None:
    """What keeps a checkpoint from being compared at all, or two of them from both being true."""
    here, public = installation_id(session), keys.public_key("audit")
    hashes: dict[int, bytes] = {}
    for one in signed:
        if one.installation != here:
            return f"the checkpoint at {one.size} is of another installation"
        if one.public_key != public or not one.is_genuine():
            return f"the checkpoint at {one.size} was not signed by this installation's key"
        if hashes.setdefault(one.size, one.hash) != one.hash:
            return f"two checkpoints at {one.size} differ: events up to {one.size} were rewritten"
    return None
