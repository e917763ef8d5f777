"""What a draft would do to today's fleet, counted some hundred phones at a time and kept with the draft."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.allowlist import fleet_store, store
from app.allowlist.comparing import CHUNK, compared, rules_of
from app.allowlist.comparison_rules import PhoneChange, Tally
from app.allowlist.drafting import find, place_of, proposal_of
from app.allowlist.model import AllowlistDraft
from app.allowlist.states import Event, State, advance
from app.kernel.tenancy import Principal
from app.policy import PolicyFiles


@dataclass(frozen=True)
class Portion:
    """The phones after `after_id`, judged by rules of `rules_sha256`; `last` None: there are no more."""

    version: int
    after_id: uuid.UUID | None
    rules_sha256: str
    total: int
    changes: list[PhoneChange]
    last: uuid.UUID | None


def judge_portion(
    session: Session,
    principal: Principal,
    files: PolicyFiles,
    draft_id: uuid.UUID,
    now: dt.datetime,
    limit: int = CHUNK,
) -> Portion | None:
    """Judge the next phones and write nothing; None when the draft waits for none. Call outside a write transaction:
    some hundred phones take a moment, and every other writer would wait for it.
    """
    draft = find(session, principal, draft_id)
    if draft.state != State.COUNTING.value:
        return None
    rules = rules_of(session, files, proposal_of(place_of(draft), draft.body))
    begun = bool(draft.rules_sha256) and draft.rules_sha256 == rules.sha256
    after_id = draft.after_id if begun else None
    ids = fleet_store.next_phones(session, rules.after, after_id, limit)
    total = draft.total if begun else fleet_store.count_phones(session, rules.after)
    changes = compared(session, rules, ids, now)
    last = ids[-1] if len(ids) == limit else None
    return Portion(draft.version, after_id, rules.sha256, total, changes, last)


def note_portion(
    session: Session, principal: Principal, draft_id: uuid.UUID, portion: Portion, now: dt.datetime
) -> AllowlistDraft:
    """Add a portion to what was counted; one that another request counted in the meantime is left out."""
    draft = find(session, principal, draft_id, lock=True)
    if draft.state != State.COUNTING.value or draft.version != portion.version:
        return draft
    if draft.rules_sha256 != portion.rules_sha256:
        store.forget_counts(session, draft.id)
        draft.rules_sha256, draft.after_id = portion.rules_sha256, None
        draft.counted, draft.never_read, draft.moves = 0, 0, {}
    if draft.after_id != portion.after_id:
        return draft
    tally = Tally()
    tally.add(portion.changes)
    store.add_phones(session, draft.id, portion.changes)
    store.add_findings(session, draft.id, tally)
    moves = dict(draft.moves)
    for (before, after), phones in tally.moves.items():
        moves[f"{before}>{after}"] = moves.get(f"{before}>{after}", 0) + phones
    draft.moves, draft.total, draft.after_id = moves, portion.total, portion.last
    draft.counted += tally.phones
    draft.never_read += tally.never_read
    if portion.last is None:
        draft.state = advance(State.COUNTING, Event.FINISH).value
        draft.counted_at, draft.total = now, draft.counted
    session.flush()
    return draft
