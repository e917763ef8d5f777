"""From grants and deputies to what a person may do. Plain values only."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass


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
