"""What the month's ruling does to receipts: a cancelled month is not reimbursed, a reinstated one is seen again."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.allowance import claim_store
from app.allowance.rules import LineState
from app.allowance.states import Event, State
from app.audit import AuditEvent, record
from app.kernel.tenancy import Principal
from app.ledger import reverse


def follow(
    session: Session,
    principal: Principal,
    centre_id: uuid.UUID,
    employee_id: uuid.UUID,
    month: str,
    state: LineState,
    now: dt.datetime,
) -> None:
    """Bring the approved receipts of a person's month into line with its state; run again it changes nothing."""
    if state is LineState.CANCELLED:
        for claim in claim_store.of_month(session, centre_id, employee_id, month, State.APPROVED):
            if claim.entry_id is not None:
                reverse(session, principal, claim.entry_id, f"R02：{month} 已取消，充值不予报销", now)
            changes = {"reversed_for": "R02", "entry_id": None, "approved_fen": None}
            claim_store.move(session, claim, Event.REVERSE, now, **changes)
            _note(session, principal, centre_id, claim.id, "allowance.claim_reversed", now)
    if state is LineState.PAYABLE:
        for claim in claim_store.of_month(session, centre_id, employee_id, month, State.REVERSED):
            # The same receipt may have been filed anew meanwhile: then that one goes on.
            free = claim_store.used(
                session, claim.receipt_sha256, claim.receipt_number, claim.paid_on, besides=claim.id
            )
            if claim.reversed_for == "R02" and free is None:
                claim_store.move(
                    session, claim, Event.REOPEN, now, reversed_for=None, decided_by=None, decided_at=None
                )
                _note(session, principal, centre_id, claim.id, "allowance.claim_reopened", now)


def _note(
    session: Session,
    principal: Principal,
    centre_id: uuid.UUID,
    claim_id: uuid.UUID,
    action: str,
    now: dt.datetime,
) -> None:
    record(
        session,
        AuditEvent(
            at=now, actor=principal.user, action=action, object=f"topup_claim:{claim_id}", centre_id=centre_id
        ),
    )
