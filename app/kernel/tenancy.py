"""Who is asking, and what of the data he may see. Every store query takes a `Principal`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from app.kernel.actors import SYSTEM_USER, TOKEN_USER
from app.kernel.errors import Forbidden

ROLES = ("admin", "operations", "lead", "it", "butler", "finance", "auditor")


@dataclass(frozen=True)
class Principal:
    """A caller: `user` names him in the audit trail; `centres` None means every centre of the company.

    `employee` is who he is as an employee, None for those who are none. `rights` are his roles one by one, each with
    its centre (None: the whole company); empty: every role holds in every one of `centres`.
    """

    user: str
    roles: frozenset[str]
    centres: frozenset[uuid.UUID] | None
    employee: uuid.UUID | None = None
    rights: frozenset[tuple[str, uuid.UUID | None]] = frozenset()

    def has_any(self, *roles: str) -> bool:
        return "admin" in self.roles or not self.roles.isdisjoint(roles)

    def may(self, centre_id: uuid.UUID, *roles: str) -> bool:
        """Whether he has one of the roles in this very centre: a lead of one centre is no lead in another."""
        if not self.rights:
            return self.has_any(*roles) and self.sees(centre_id)
        wanted = {*roles, "admin"}
        return any(role in wanted and centre in (None, centre_id) for role, centre in self.rights)

    def require_role(self, centre_id: uuid.UUID, *roles: str) -> None:
        """Raise `Forbidden` unless he has one of the roles in this centre."""
        if not self.may(centre_id, *roles):
            raise Forbidden(
                "您在该服务中心没有这项权限 / your role in this centre may not do this", code="role_in_centre"
            )

    def require_person(self) -> None:
        """Raise `Forbidden` for the installation's own token: whoever holds it would be his own second person."""
        if self.user == TOKEN_USER:
            raise Forbidden(
                "应急令牌不能代替第二个人，请用本人账号登录 / a second person signs in by name",
                code="second_person",
            )

    def narrowed(self, *roles: str) -> Principal:
        """He as a holder of these roles: with only the centres in which he has one of them.

        Else whoever is lead of one centre and butler of another would see all of both.
        """
        if not self.rights or not roles:
            return self
        wanted = {*roles, "admin"}
        centres = {centre for role, centre in self.rights if role in wanted}
        return replace(
            self, centres=None if None in centres else frozenset(c for c in centres if c is not None)
        )

    def sees(self, centre_id: uuid.UUID) -> bool:
        return self.centres is None or centre_id in self.centres

    def require_centre(self, centre_id: uuid.UUID) -> None:
        """Raise `Forbidden` for writing into a centre that is not the caller's."""
        if not self.sees(centre_id):
            raise Forbidden("this service centre is not yours", code="foreign_centre")


SYSTEM = Principal(user=SYSTEM_USER, roles=frozenset({"admin"}), centres=None)
"""The scheduler, the command line and the check-in pipeline: acts for nobody and sees everything."""


def within(principal: Principal, centre_id: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """The condition that keeps a query inside the caller's centres."""
    if principal.centres is None:
        return true()
    return centre_id.in_(principal.centres)
