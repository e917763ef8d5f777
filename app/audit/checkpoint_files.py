"""Checkpoints that were kept elsewhere, as files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import orjson

from app.audit.checkpoint_rules import Checkpoint, read_checkpoint
from app.kernel.errors import Invalid


def read_checkpoint_files(places: Iterable[Path]) -> list[Checkpoint]:
    """Those of files, and of every `*.json` in folders. Raise `Invalid` for a file that is none."""
    found = []
    for place in places:
        for path in sorted(place.glob("*.json")) if place.is_dir() else [place]:
            try:
                found.append(read_checkpoint(orjson.loads(path.read_bytes())))
            except (OSError, ValueError) as exc:
                raise Invalid(f"{path}: {exc}") from None
    return found
