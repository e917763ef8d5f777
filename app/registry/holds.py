"""Keep a kit and its post as they are while something about them is open, e.g. their handover (R04, U06)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.kernel.db import insert_into
from app.kernel.errors import Conflict, FieldError
from app.kernel.ids import new_id
from app.registry import store
from app.registry.catalogue import RESOURCES
from app.registry.hold_model import KINDS, Hold

HELD = "held"
FIELDS: Mapping[str, str] = {
    "handset_id": "handset",
    "number_id": "number",
    "wechat_account_id": "wechat",
    "post_id": "post",
}
"""The columns of ties that name what can be held."""
RESOURCE_OF: Mapping[str, str] = {
    "handset": "handsets",
    "number": "numbers",
    "wechat": "wechat-accounts",
    "post": "posts",
}
_SUBJECT_OF = {resource: kind for kind, resource in RESOURCE_OF.items()}


def hold(
    session: Session,
    *,
    cause: str,
    subjects: Iterable[tuple[str, uuid.UUID]],
    centre_id: uuid.UUID,
    reason: str,
    link: str,
    by: str,
    now: dt.datetime,
) -> list[Hold]:
    """Hold these (kind, id) for one cause; those that it holds already stay as they are.

    Raise `Conflict` (`held`) when another cause holds one of them, and hold none. Locks what it holds until the
    transaction ends: a tie that is being written meanwhile is finished first. Internal: the caller checked rights.
    """
    wanted = sorted(set(subjects), key=lambda s: (KINDS.index(s[0]), s[1]))
    # Refused before anything is locked: whoever holds it may just be writing, and each would wait for the other.
    refuse(holds_on(session, wanted), under=cause)
    for kind in KINDS:
        store.lock_rows(session, RESOURCES[RESOURCE_OF[kind]], [i for k, i in wanted if k == kind])
    standing = holds_on(session, wanted)
    refuse(standing, under=cause)
    known = {(row.kind, row.subject_id) for row in standing}
    for kind, subject_id in wanted:
        if (kind, subject_id) in known:
            continue
        row = {
            "id": new_id(), "centre_id": centre_id, "kind": kind, "subject_id": subject_id, "cause": cause,
            "reason": reason, "link": link, "since": now, "by": by,
        }  # fmt: skip
        made = session.scalar(
            insert_into(session, Hold).values(**row).on_conflict_do_nothing().returning(Hold.id)
        )
        if made is None:
            raise Conflict(f"刚刚被另一事项占用，请刷新 / held in this moment: {reason}", code=HELD)
        _note(session, "registry.hold", kind, subject_id, centre_id, cause, by, now)
    return holds_on(session, wanted)


def release(session: Session, cause: str, now: dt.datetime, *, by: str = "system") -> int:
    """End every hold of a cause; how many there were. Internal, as `hold`."""
    rows = list(session.scalars(select(Hold).where(Hold.cause == cause, Hold.ended_at.is_(None))))
    session.execute(
        update(Hold)
        .where(Hold.id.in_([row.id for row in rows]), Hold.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session="fetch")
    )
    for row in rows:
        _note(session, "registry.release", row.kind, row.subject_id, row.centre_id, cause, by, now)
    return len(rows)


def holds_on(session: Session, subjects: Iterable[tuple[str, uuid.UUID]]) -> list[Hold]:
    """The open holds of these (kind, id), of whatever cause."""
    wanted = list(set(subjects))
    found: list[Hold] = []
    for part in store.chunks(wanted):
        query = select(Hold).where(tuple_(Hold.kind, Hold.subject_id).in_(part), Hold.ended_at.is_(None))
        found += session.scalars(query.execution_options(populate_existing=True))
    return found


def refuse(holds: Sequence[Hold], *, under: str | None) -> None:
    """Raise `Conflict` (`held`) for the first hold of another cause."""
    problem = first_problem(holds, under=under)
    if problem is not None:
        raise Conflict(problem.message, code=HELD, fields=[problem])


def first_problem(holds: Sequence[Hold], *, under: str | None) -> FieldError | None:
    """Why it cannot be changed now, with where the cause is; None when only `under` holds it."""
    other = next((row for row in holds if row.cause != under), None)
    if other is None:
        return None
    name = next(field for field, kind in FIELDS.items() if kind == other.kind)
    message = f"{other.reason}，办完之前不能变更，请到 {other.link} 处理 / held until that is done"
    return FieldError(name, HELD, message)


def holds_of_tie(session: Session, values: Mapping[str, uuid.UUID | None]) -> list[Hold]:
    """The open holds of what a tie's columns name."""
    named = [(kind, found) for field, kind in FIELDS.items() if (found := values.get(field)) is not None]
    return holds_on(session, named)


def holds_of_row(session: Session, resource_name: str, row_id: uuid.UUID) -> list[Hold]:
    kind = _SUBJECT_OF.get(resource_name)
    return holds_on(session, [(kind, row_id)]) if kind else []


def _note(
    session: Session,
    action: str,
    kind: str,
    subject_id: uuid.UUID,
    centre_id: uuid.UUID,
    cause: str,
    by: str,
    now: dt.datetime,
) -> None:
    record(
        session,
        AuditEvent(
            at=now, actor=by, action=action, object=f"{kind}:{subject_id}", centre_id=centre_id, reason=cause
        ),
    )
