"""The list that is wanted against the one by which phones were judged last."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.allowlist import fleet_store
from app.allowlist.layering import SUBJECT
from app.compliance import Verdict, list_verdicts, verdicts
from app.kernel.paging import Page
from app.kernel.tenancy import Principal
from app.policy import Policy, PolicyFiles, effective, effective_many
from app.registry import find_handset


@dataclass(frozen=True)
class Applied:
    """`applied_*` None: the phone was never judged. `waiting`: it is to be judged anew, by what is wanted now."""

    handset_id: uuid.UUID
    tag: str
    wanted_version: int
    wanted_sha256: str
    applied_version: int | None
    applied_sha256: str | None
    at: dt.datetime | None

    @property
    def waiting(self) -> bool:
        return self.applied_sha256 != self.wanted_sha256


def applied_to(session: Session, principal: Principal, files: PolicyFiles, handset_id: uuid.UUID) -> Applied:
    """Of one phone. Raise `NotFound` for one that the caller does not see."""
    phone = find_handset(session, principal, handset_id)
    policy = effective(session, files, SUBJECT, phone.centre_id)
    return _applied(
        verdicts(session, principal, [handset_id])[handset_id], policy, _tags(session, [handset_id])
    )


def applied_in(
    session: Session,
    principal: Principal,
    files: PolicyFiles,
    centre_id: uuid.UUID,
    *,
    cursor: str | None,
    limit: int,
) -> Page[Applied]:
    """Of the judged phones of a centre, those whose verdict changed last first."""
    page = list_verdicts(session, principal, status=None, centre_id=centre_id, cursor=cursor, limit=limit)
    policies = effective_many(session, files, SUBJECT, [centre_id])
    tags = _tags(session, [verdict.handset_id for verdict in page.items])
    found = [_applied(verdict, policies[centre_id], tags) for verdict in page.items]
    return Page(found, page.next_cursor)


def _tags(session: Session, handset_ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, str]:
    return {i: tag for i, (tag, _, _) in fleet_store.tags_of(session, handset_ids).items()}


def _applied(verdict: Verdict, policy: Policy, tags: Mapping[uuid.UUID, str]) -> Applied:
    return Applied(
        verdict.handset_id, tags[verdict.handset_id], policy.version, policy.sha256,
        verdict.policy_version, verdict.policy_sha256, verdict.at,
    )  # fmt: skip
