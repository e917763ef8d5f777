"""Is what stands of each wipe still what was approved and released? Rows against the audit trail."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from app.audit import kept_events, subjects_of, trail_problems
from app.kernel.blobs import BlobStore
from app.kernel.ids import parse_id
from app.kernel.keys import KeyStore
from app.wipe.marks import (
    APPROVED,
    BY_HAND_BEGUN,
    RELEASED,
    VERIFIED,
    approval_mark,
    release_mark,
    verdict_mark,
)
from app.wipe.model import Wipe
from app.wipe.rules import BY_HAND
from app.wipe.states import State

_UNDONE = ("wipe.withdraw", "wipe.refuse", "wipe.request")
_ENDED = ("wipe.cancel", "wipe.lapse")
_TAKEN_BACK = ("wipe.recall", "wipe.stop")


def approval_problems(session: Session, wipe: Wipe) -> Iterator[str]:
    """What is wrong with the approval, by its last event; nothing when it is what was approved."""
    events = kept_events(session, APPROVED, f"wipe:{wipe.id}")
    yield from trail_problems(events[-1] if events else None, approval_mark(wipe), f"{_name(wipe)} 的批准")
    # A row that is set back to what was approved once matches that event for ever.
    over = _UNDONE if wipe.state in (State.CANCELLED, State.EXPIRED) else _UNDONE + _ENDED
    if events:
        yield from _later(session, wipe, over, events[-1].seq, "的批准后来撤回或结束了，又被改回")


def release_problems(session: Session, wipe: Wipe) -> Iterator[str]:
    """The same of the last release."""
    action = BY_HAND_BEGUN if wipe.done_by == BY_HAND else RELEASED
    events = kept_events(session, action, f"wipe:{wipe.id}")
    yield from trail_problems(events[-1] if events else None, release_mark(wipe), f"{_name(wipe)} 的执行")
    if events and wipe.state == State.QUEUED:
        yield from _later(session, wipe, _TAKEN_BACK, events[-1].seq, "的指令后来收回了，又被改回")


def verdict_problems(session: Session, wipe: Wipe) -> Iterator[str]:
    """The same of the second person's word that it is erased."""
    events = kept_events(session, VERIFIED, f"wipe:{wipe.id}")
    yield from trail_problems(events[-1] if events else None, verdict_mark(wipe), f"{_name(wipe)} 的确认")
    if events:
        yield from _later(session, wipe, ("wipe.contest",), events[-1].seq, "的确认后来收回了，又被改回")


def _later(session: Session, wipe: Wipe, actions: Sequence[str], seq: int, words: str) -> Iterator[str]:
    """Told once, where the trail has one of these after the event of this number."""
    found = (kept_events(session, action, f"wipe:{wipe.id}") for action in actions)
    if any(events and events[-1].seq > seq for events in found):
        yield f"! {_name(wipe)} {words}"


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
        if wipe.state in (State.VERIFIED, State.CERTIFIED):
            yield from verdict_problems(session, wipe)
