"""Rows as people see them: every value as text, references by their code."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.kernel.tenancy import Principal
from app.registry import listing
from app.registry.catalogue import RESOURCES
from app.registry.columns import sheet_fields
from app.registry.exporting import Names
from app.registry.kinds import SHANGHAI, show
from app.registry.resource import Field, Resource


@dataclass(frozen=True)
class Line:
    """One row of a list. `cells` are (field, text) in the order of the columns.

    `out`: when it was retired or voided. `end`: that of a tie.
    """

    id: uuid.UUID
    cells: Sequence[tuple[Field, str]]
    out: Any
    end: Any


def listed_fields(resource: Resource) -> list[Field]:
    return [f for f in sheet_fields(resource) if f.listed]


def lines(session: Session, resource: Resource, rows: Sequence[Any]) -> list[Line]:
    names = Names(session)
    fields = listed_fields(resource)
    for described in (f for f in fields if f.target):
        names.load(described, {v for row in rows if (v := getattr(row, described.name)) is not None})
    return [
        Line(
            id=row.id,
            cells=[(f, _text(names, f, getattr(row, f.name))) for f in fields],
            out=row.voided_at if resource.tie else row.retired_at,
            end=row.valid_to if resource.tie else None,
        )
        for row in rows
    ]


def _text(names: Names, described: Field, value: Any) -> str:
    if described.target:
        return names.text(described, value)
    if described.kind.form == "instant" and value is not None:
        return str(value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M"))
    return show(described.kind, value)


def counts(session: Session, principal: Principal) -> list[tuple[Resource, int]]:
    """How many rows of each resource are in use, in the order in which they are set up."""
    return [(r, listing.count(session, principal, r)) for r in RESOURCES.values()]
