"""Who may file and check: operations, lead and IT of the centre; what policy leaves to him, who has the phone (R07)."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.escrow.rules import kinds_of
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import PolicyFiles, effective
from app.registry import holder_of

FILERS = ("operations", "lead", "it")


def require_filer(
    session: Session,
    principal: Principal,
    centre: uuid.UUID,
    handset_id: uuid.UUID | None,
    kind_name: str,
    *,
    policies: PolicyFiles,
    now: dt.datetime,
) -> None:
    """Raise `Forbidden` unless he is of the centre's desk, or has the phone now and may file this kind himself."""
    if not principal.may(centre, *FILERS) and handset_id is not None:
        kind = kinds_of(effective(session, policies, "escrow", centre).body).get(kind_name)
        if kind is not None and kind.holder_files and has_phone(session, principal, handset_id, now):
            return
    principal.require_role(centre, *FILERS)


def has_phone(session: Session, principal: Principal, handset_id: uuid.UUID, now: dt.datetime) -> bool:
    """Whether he holds the post that the phone belongs to now."""
    if principal.employee is None:
        return False
    # Asked for everybody: where the phone is does not depend on which centres he may look at.
    custody = holder_of(session, SYSTEM, handset_id, now)
    return custody is not None and custody.employee_id == principal.employee
