"""The versions of a layer, what each changed, and the way back to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.allowlist.layering import SUBJECT, Place, below
from app.allowlist.words import Difference, differences
from app.kernel.errors import NotFound
from app.kernel.tenancy import Principal
from app.policy import PolicyFiles, PolicyLayer, layer_versions


@dataclass(frozen=True)
class VersionLine:
    """`changed`: against the version before it, over what lies below today; `holds`: the newest."""

    row: PolicyLayer
    changed: list[Difference]
    holds: bool


def version_lines(
    session: Session, principal: Principal, files: PolicyFiles, place: Place
) -> list[VersionLine]:
    """Newest first."""
    rows = layer_versions(session, principal, files, SUBJECT, place.scope, place.scope_id)
    lower = below(session, files, place)
    bodies: list[Mapping[str, Any]] = [files.renewed(SUBJECT, row.body) for row in rows]
    lines = []
    for i, row in enumerate(rows):
        before = bodies[i + 1] if i + 1 < len(bodies) else {}
        changed = differences(
            files.stacked(SUBJECT, [before], lower), files.stacked(SUBJECT, [bodies[i]], lower)
        )
        lines.append(VersionLine(row, changed, holds=i == 0))
    return lines


def body_of(
    session: Session, principal: Principal, files: PolicyFiles, place: Place, version: int
) -> dict[str, Any]:
    """The body of an old version as it would be written today. Raise `NotFound`."""
    for row in layer_versions(session, principal, files, SUBJECT, place.scope, place.scope_id):
        if row.version == version:
            return files.renewed(SUBJECT, row.body)
    raise NotFound("没有这个版本 / no such version")
