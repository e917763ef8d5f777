"""Who is asking, and what of the data he may see. Every store query takes a `Principal`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from app.kernel.errors import Forbidden

ROLES = ("admin", "operations", "lead", "it", "butler", "finance", "auditor")


@dataclass(frozen=True)
class Principal:
    """A caller: `user` names him in the audit trail; `centres` None means every centre of the company."""

    user: str
    roles: frozenset[str]
    centres: frozenset[uuid.UUID] | None

    def has_any(self, *roles: str) -> bool:
        return "admin" in self.roles or not self.roles.isdisjoint(roles)

    def sees(self, centre_id: uuid.UUID) -> bool:
        return self.centres is None or centre_id in self.centres

    def require_centre(self, centre_id: uuid.UUID) -> None:
        """Raise `Forbidden` for writing into a centre that is not the caller's."""
        if not self.sees(centre_id):
            raise Forbidden("this service centre is not yours", code="foreign_centre")


SYSTEM = Principal(user="system", roles=frozenset({"admin"}), centres=None)
"""The scheduler, the command line and the check-in pipeline: acts for nobody and sees everything."""


def within(principal: Principal, centre_id: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """The condition that keeps a query inside the caller's centres."""
    if principal.centres is None:
        return true()
    return centre_id.in_(principal.centres)
