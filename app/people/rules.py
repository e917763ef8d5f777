"""From grants and deputies to what a person may do. Plain values only."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from app.kernel.actors import SYSTEM_USER, TOKEN_USER


@dataclass(frozen=True)
class Right:
    """A role in a centre; `centre` None is the whole company."""

    role: str
    centre: uuid.UUID | None


def effective_rights(
    own: Collection[Right], deputised: Collection[Right], absent_has: Collection[Right]
) -> frozenset[Right]:
    """Own rights, and of what one stands in for only that which the absent person holds himself: nobody can lend more
    than he has. A company-wide right of his covers each centre.
    """
    lent = {r for r in deputised if r in absent_has or Right(r.role, None) in absent_has}
    return frozenset(own) | frozenset(lent)


ROLE_WORDS = {
    "admin": "系统管理员",
    "operations": "运营",
    "lead": "管家主管",
    "it": "IT",
    "butler": "管家",
    "finance": "财务",
    "auditor": "审计",
}
_FIXED_NAMES = {SYSTEM_USER: "系统", TOKEN_USER: "应急令牌"}


def fixed_name(actor: str) -> str:
    """What to call an actor that is no user: the system, the installation's token, an agent, a command line."""
    kind, _, rest = actor.partition(":")
    if kind == "agent":
        return f"网关 {rest[-6:]}"
    if kind == "cli":
        return f"命令行 {rest}"
    return _FIXED_NAMES.get(actor, actor)
