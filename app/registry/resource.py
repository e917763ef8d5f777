"""What a registered kind of thing is, told once: its API, sheets, filters and checks all read this description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.kernel.db import Base
from app.registry.kinds import Kind


@dataclass(frozen=True)
class Field:
    """One field. `label` heads its column in sheets and lists.

    `fixed`: set at birth, never changed. `derived`: set by the server; a sheet still names it where it helps to find
    other things. `target`: the resource that a reference points to; in sheets it stands as that resource's own key.
    `same_centre`: what is referred to must lie in the row's own centre. `listed`: pages show it in lists.
    """

    name: str
    label: str
    kind: Kind
    required: bool = False
    fixed: bool = False
    derived: bool = False
    filter: bool = False
    search: bool = False
    sort: bool = False
    target: str = ""
    same_centre: bool = False
    example: str = ""
    listed: bool = True


@dataclass(frozen=True)
class Dependant:
    """Live rows of `resource` whose `column` names the thing forbid to retire it."""

    resource: str
    column: str


@dataclass(frozen=True)
class Resource:
    """`key` names a row in sheets (and decides whether an imported row is new); `unique` are further unique fields.

    `writers` may write beside the admin. `tie` marks a dated tie, which is ended or voided, never edited.
    """

    name: str
    label: str
    model: type[Base]
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    order: tuple[str, ...] = ()
    dependants: tuple[Dependant, ...] = ()
    writers: tuple[str, ...] = ("operations",)
    tie: bool = False
    subjects: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """How the audit trail names one, e.g. `handset`."""
        return str(self.model.__tablename__)

    @property
    def by_name(self) -> Mapping[str, Field]:
        return {f.name: f for f in self.fields}

    def column(self, name: str) -> Any:
        return getattr(self.model, name)

    @property
    def has_centre(self) -> bool:
        return hasattr(self.model, "centre_id")
