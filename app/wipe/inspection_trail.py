"""Is each inspection still what was noted of it? Rows against their events, of which nobody can make another."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from sqlalchemy.orm import Session

from app.audit import KeptEvent, facts_of, kept_events, mark_of, trail_problems
from app.kernel.ids import parse_id
from app.wipe import inspection_store
from app.wipe.inspection_model import WipeInspection
from app.wipe.model import Wipe

INSPECTED = ("wipe.inspect", "wipe.contest")
_MARKED = (
    "kind", "earliest_at", "at", "by", "evidence", "typed_imei", "seen", "photos", "words", "grade", "facts",
)  # fmt: skip


def inspection_mark(row: WipeInspection) -> str:
    """Over all that an inspection says; it stands in the audit trail."""
    return mark_of({**facts_of(row, _MARKED), "wipe_id": str(row.wipe_id)})


def inspection_problems(session: Session, wipe: Wipe) -> Iterator[str]:
    """What is wrong with the inspections of a wipe: `!` altered, added or gone, `?` it cannot be told."""
    name = f"数据销毁 {wipe.asset_tag} 的检查"
    rows = {row.id: row for row in inspection_store.inspections(session, wipe.id)}
    noted = _noted(session, wipe)
    for missing in noted.keys() - rows.keys():
        yield f"! {name}：审计记录第 {noted[missing].seq} 个事件里的检查不在了"
    for row_id, row in rows.items():
        yield from trail_problems(noted.get(row_id), inspection_mark(row), name)


def _noted(session: Session, wipe: Wipe) -> dict[uuid.UUID, KeptEvent]:
    found: dict[uuid.UUID, KeptEvent] = {}
    for action in INSPECTED:
        for event in kept_events(session, action, f"wipe:{wipe.id}"):
            inspection = parse_id(str((event.details or {}).get("inspection", "")))
            if inspection is not None:
                found[inspection] = event
    return found
