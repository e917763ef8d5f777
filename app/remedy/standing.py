"""What the newest verdicts say, in the shape that this room works with."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.compliance import FindingView, allowlist_for, covering, current_exemptions, grouped, verdicts
from app.kernel.tenancy import SYSTEM
from app.policy import effective
from app.readings import latest_sections
from app.registry import Handset
from app.remedy.model import RemedyCase
from app.remedy.rules import Seen
from app.remedy.tools import SUBJECT, Tools

ALLOWLIST = "allowlist"


@dataclass(frozen=True)
class Judged:
    """A phone's newest verdict. `policy_sha256` None: it was never judged."""

    handset_id: uuid.UUID
    centre_id: uuid.UUID | None
    policy_sha256: str | None
    seen: tuple[Seen, ...]


def judged(session: Session, handset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Judged]:
    """Internal: asks no principal."""
    return {
        handset_id: Judged(
            handset_id, one.centre_id, one.policy_sha256, tuple(_seen(f) for f in one.findings)
        )
        for handset_id, one in verdicts(session, SYSTEM, handset_ids).items()
    }


def _seen(finding: FindingView) -> Seen:
    return Seen(
        finding.code, finding.subject, str(finding.status), finding.severity or "medium",
        finding.evidence, finding.zh, finding.first_seen, finding.grace_until,
    )  # fmt: skip


def by_present_policy(session: Session, tools: Tools, one: Judged, centre_id: uuid.UUID) -> bool:
    """Whether the verdict was made by the list that holds now: one that changed may allow what it forbade."""
    return one.policy_sha256 == effective(session, tools.policies, ALLOWLIST, centre_id).sha256


def prescribed(session: Session, tools: Tools, phone: Handset) -> frozenset[str]:
    """The packages of the work apps of this phone: by what is written of it, and by what it says of itself, which it is
    judged by; the two may be spelt differently.
    """
    policy = effective(session, tools.policies, ALLOWLIST, phone.centre_id)
    told = latest_sections(session, [phone.id], ["identity"]).get(phone.id, {}).get("identity") or {}
    kinds = {(phone.brand, phone.model), (told.get("brand"), told.get("model"))}
    return frozenset(name for kind in kinds for name in allowlist_for(policy, *kind).apps)


def never_removed(tools: Tools, body: Mapping[str, Any]) -> frozenset[str]:
    """What no order removes: a centre may add to the company's list, it cannot shorten it."""
    return frozenset(body["never"]) | frozenset(tools.policies.latest(SUBJECT).body["never"])


def exempted(session: Session, case: RemedyCase, now: dt.datetime) -> bool:
    """Whether an exemption covers its finding now, also one that no verdict has seen yet."""
    known = grouped(current_exemptions(session, [case.centre_id], now))
    return covering(known, case.centre_id, case.handset_id, case.code, case.subject, now) is not None
