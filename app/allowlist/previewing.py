"""A preview without a draft: for programs, portion by portion, and for the command line, all at once."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.allowlist import fleet_store
from app.allowlist.comparing import SUBJECT, compared
from app.allowlist.comparison_rules import PhoneChange, Tally
from app.allowlist.drafting import checked
from app.allowlist.layering import Place, require_writer, tree_for, tree_of
from app.allowlist.origins import Node
from app.kernel.errors import NotFound
from app.kernel.tenancy import Principal
from app.policy import Policy, PolicyFiles, effective


@dataclass(frozen=True)
class Portion:
    """Some phones, judged; `next` None: these were the last."""

    total: int
    judged: int
    never_read: int
    rules_sha256: str
    moves: list[dict[str, Any]]
    phones: list[PhoneChange]
    next: uuid.UUID | None


def preview(
    session: Session,
    principal: Principal,
    files: PolicyFiles,
    place: Place,
    body: Mapping[str, Any],
    *,
    after: uuid.UUID | None,
    limit: int,
    now: dt.datetime,
) -> Portion:
    """What this layer would do to the next phones. Writes nothing. Raise as `begin` of a draft does."""
    require_writer(principal, place)
    rules = checked(session, files, place, body)
    ids = fleet_store.next_phones(session, rules.after, after, limit)
    changes = compared(session, rules, ids, now)
    tally = Tally()
    tally.add(changes)
    moves = [{"before": b, "after": a, "phones": n} for (b, a), n in sorted(tally.moves.items())]
    return Portion(
        fleet_store.count_phones(session, rules.after), tally.phones, tally.never_read, rules.sha256, moves,
        [change for change in changes if change.changed], ids[-1] if len(ids) == limit else None,
    )  # fmt: skip


def explain(
    session: Session, principal: Principal, files: PolicyFiles, centre_id: uuid.UUID, brand: str, model: str
) -> tuple[Policy, Node]:
    """The policy of a centre and the tree that tells who set what. Raise `NotFound` for a foreign centre."""
    if not principal.sees(centre_id):
        raise NotFound("没有这个服务中心 / no such service centre")
    policy = effective(session, files, SUBJECT, centre_id)
    return policy, tree_for(tree_of(session, files, centre_id), brand, model)
