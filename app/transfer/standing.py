"""How it stands with a phone's data, for whoever wants to erase that phone."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from app.audit import kept_event, trail_problems
from app.transfer import store
from app.transfer.ends import moved_from
from app.transfer.marks import SETTLED_BY, settled_mark
from app.transfer.model import Transfer
from app.transfer.states import AT_WORK, SETTLED, State

Code = Literal["none", "running", "unverified", "verified", "accepted", "waived"]
_SETTLED: Mapping[str, Code] = {
    State.VERIFIED: "verified",
    State.ACCEPTED: "accepted",
    State.WAIVED: "waived",
}


STANDING_WORDS: Mapping[str, tuple[str, str]] = {
    "none": ("bad", "没有迁移"), "running": ("busy", "迁移中"), "unverified": ("bad", "没有核对通过"),
    "verified": ("good", "已迁移并核对"), "accepted": ("unknown", "有差异，主管已接受"),
    "waived": ("unknown", "免迁移（两人批准）"),
}  # fmt: skip
"""Kind of badge and word, by `TransferState.code`."""


@dataclass(frozen=True)
class TransferState:
    """Of the old phone. `accepted`: a lead accepted listed differences with a reason; `waived`: nothing to move, or the
    phone cannot be read, said by two. `at`, `by`: since when it stands so, and by whom; `link` is a path. `android_id`:
    that of the phone whose data was moved, where that is known.
    """

    code: Code
    at: dt.datetime | None
    by: str | None
    link: str
    android_id: str | None = None


def transfer_state(session: Session, handset_id: uuid.UUID) -> TransferState:
    """The newest transfer that was not cancelled counts. Internal: asks no principal.

    A settled one is held against its event in the audit trail: a row that somebody altered is `unverified`. So is one
    of a phone that went back into use afterwards: what it holds since then was never moved.
    """
    row = store.newest_of_old(session, handset_id)
    if row is None:
        return TransferState("none", None, None, f"/transfers/new?old={handset_id}")
    link = f"/transfers/{row.id}"
    if row.state in SETTLED:
        code: Code = _SETTLED[row.state] if holds(session, row) else "unverified"
        return TransferState(code, row.ended_at, row.ended_by, link, moved_from(session, row))
    if row.state in AT_WORK:
        return TransferState("running", row.progress_at or row.started_at, row.run_by, link)
    return TransferState("unverified", row.result_at or row.opened_at, row.run_by or row.opened_by, link)


def holds(session: Session, row: Transfer) -> bool:
    """Whether a settled transfer still is what the trail says, and still tells of all that the old phone holds."""
    event = kept_event(session, SETTLED_BY[row.state], f"transfer:{row.id}")
    if any(trail_problems(event, settled_mark(row), "")):
        return False
    return row.ended_at is not None and not store.used_since(session, row.old_id, row.ended_at)
