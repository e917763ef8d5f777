"""Is what stands of each wipe still what was approved and released? Rows against the audit trail."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from sqlalchemy.orm import Session

from app.audit import kept_events, subjects_of, trail_problems
from app.kernel.blobs import BlobStore
from app.kernel.ids import parse_id
from app.kernel.keys import KeyStore
from app.wipe.marks import APPROVED, BY_HAND_BEGUN, RELEASED, approval_mark, release_mark
from app.wipe.model import Wipe
from app.wipe.rules import BY_HAND


def approval_problems(session: Session, wipe: Wipe) -> Iterator[str]:
    """What is wrong with the approval, by its last event; nothing when it is what was approved."""
    events = kept_events(session, APPROVED, f"wipe:{wipe.id}")
    yield from trail_problems(events[-1] if events else None, approval_mark(wipe), f"{_name(wipe)} 的批准")


def release_problems(session: Session, wipe: Wipe) -> Iterator[str]:
    """The same of the last release."""
    action = BY_HAND_BEGUN if wipe.done_by == BY_HAND else RELEASED
    events = kept_events(session, action, f"wipe:{wipe.id}")
    yield from trail_problems(events[-1] if events else None, release_mark(wipe), f"{_name(wipe)} 的执行")


def _name(wipe: Wipe) -> str:
    return f"数据销毁 {wipe.asset_tag}"


def record_check(session: Session, _blobs: BlobStore, _keys: KeyStore) -> Iterator[str]:
    """One sentence a problem: `!` it was altered, `?` it cannot be told."""
    for subject in dict.fromkeys(subjects_of(session, APPROVED)):
        wipe = session.get(Wipe, parse_id(subject.partition(":")[2]) or uuid.UUID(int=0))
        if wipe is None:
            yield f"! 审计记录中有批准过的 {subject}，记录却不在了"
            continue
        # Set by the whole approval alone, and taken back with it.
        if wipe.arms_at is not None:
            yield from approval_problems(session, wipe)
        if wipe.tries:
            yield from release_problems(session, wipe)
