"""Is this database an older day's? Signed checkpoints that were sent to a folder elsewhere know a longer trail."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy.orm import Session

from app.audit import trail_size

_NAME = re.compile(r"checkpoint-([0-9]{12})\.json")


def behind_checkpoints(session: Session, folder: Path | None) -> bool:
    """Whether a checkpoint of more events than the trail has lies there. By the files' names alone: one that lies
    keeps phones from being erased, which is the side to err on. False where no folder is set up, or it is away.
    """
    if folder is None:
        return False
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return False
    sizes = [int(found[1]) for found in map(_NAME.fullmatch, names) if found is not None]
    return bool(sizes) and max(sizes) > trail_size(session)
