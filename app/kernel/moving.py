"""Change a row only as it was seen: of two who act on the same row at once, one wins and the other is told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, update
from sqlalchemy.orm import Session

from app.kernel.errors import Conflict


def change_if(session: Session, row: Any, still: tuple[str, ...], conflict: Conflict, **values: Any) -> None:
    """Set `values` while the columns named by `still` hold what `row` was read with, and read it anew.

    Raise `conflict` when they do not: read first and written then, two writers would both take themselves for the one.
    """
    model = type(row)
    unchanged = and_(model.id == row.id, *(getattr(model, name) == getattr(row, name) for name in still))
    done = session.execute(
        update(model)
        .where(unchanged)
        .values(**values)
        .returning(model.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not done:
        raise conflict
    session.refresh(row)
