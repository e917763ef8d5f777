"""What references point to, looked up once and kept for the length of one request or import."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.tenancy import Principal
from app.registry import store
from app.registry.catalogue import RESOURCES
from app.registry.resource import Resource


@dataclass(frozen=True)
class Referent:
    """The few facts of a row that decide whether another may refer to it."""

    id: uuid.UUID
    centre_id: uuid.UUID | None
    district_id: uuid.UUID | None
    number_id: uuid.UUID | None
    retired: bool


@dataclass
class References:
    """A cache over the rows that the caller may see; a row that is absent does not exist for him."""

    session: Session
    principal: Principal
    _known: dict[str, dict[uuid.UUID, Referent | None]] = field(default_factory=dict)
    _by_key: dict[str, dict[tuple[Any, ...], uuid.UUID | None]] = field(default_factory=dict)

    def get(self, target: str, row_id: uuid.UUID) -> Referent | None:
        self.load(target, [row_id])
        return self._known[target][row_id]

    def load(self, target: str, ids: Iterable[uuid.UUID]) -> None:
        """Look many up at once."""
        known = self._known.setdefault(target, {})
        missing = list(dict.fromkeys(i for i in ids if i not in known))
        known.update(dict.fromkeys(missing))
        resource = RESOURCES[target]
        names = [n for n in ("centre_id", "district_id", "number_id") if hasattr(resource.model, n)]
        columns = [resource.column(n) for n in ("id", "retired_at", *names)]
        for part in store.chunks(missing):
            query = select(*columns).where(
                resource.column("id").in_(part), store.scope(resource, self.principal)
            )
            for row in self.session.execute(query).mappings():
                known[row["id"]] = _referent(row)

    def by_key(self, target: str, keys: Collection[tuple[Any, ...]]) -> dict[tuple[Any, ...], uuid.UUID]:
        """Ids by the natural key; keys that name nothing are absent."""
        known = self._by_key.setdefault(target, {})
        missing = list(dict.fromkeys(k for k in keys if k not in known))
        known.update(dict.fromkeys(missing))
        resource: Resource = RESOURCES[target]
        if missing:
            known.update(store.owners(self.session, resource, resource.key, missing))
        return {k: found for k in keys if (found := known[k]) is not None}


def _referent(row: Any) -> Referent:
    return Referent(
        id=row["id"],
        centre_id=row.get("centre_id"),
        district_id=row.get("district_id"),
        number_id=row.get("number_id"),
        retired=row["retired_at"] is not None,
    )
