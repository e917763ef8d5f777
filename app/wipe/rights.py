"""Which acts a wipe offers to a caller: what he is shown to press. Each act looks again for itself."""

from __future__ import annotations

from app.kernel.tenancy import Principal
from app.wipe.model import Wipe
from app.wipe.rules import BY_HAND
from app.wipe.states import BEFORE_ORDER, State
from app.wipe.tools import APPROVERS, APPROVERS_FOR_LEADS, ASKERS, PERFORMERS

_S = State


def acts_of(principal: Principal, wipe: Wipe) -> frozenset[str]:
    """Names of acts, as the forms post them."""
    user, state, centre = principal.user, wipe.state, wipe.centre_id
    asks, performs = principal.may(centre, *ASKERS), principal.may(centre, *PERFORMERS)
    leads = principal.may(centre, *APPROVERS)
    found: set[str] = set()
    if asks and state == _S.DRAFT:
        found |= {"fill", "request"}
    if asks and state in BEFORE_ORDER:
        found.add("cancel")
    if asks and state in (_S.REQUESTED, _S.APPROVED, _S.ARMED) and (user == wipe.requested_by or leads):
        found.add("withdraw")
    if state == _S.REQUESTED:
        found |= _deciding(principal, wipe)
    if performs and state == _S.ARMED and user not in (wipe.approved_by, wipe.second_by):
        found |= {"guide", "release"} if wipe.strategy == "test_harness" else {"guide"}
    if (performs or leads) and state == _S.QUEUED:
        found.add("recall")
    if (
        performs
        and wipe.done_by == BY_HAND
        and user == wipe.released_by
        and state in (_S.DELIVERED, _S.SILENT)
    ):
        found.add("report")
    if leads and state == _S.FAILED:
        found.add("retry")
    return frozenset(found)


def _deciding(principal: Principal, wipe: Wipe) -> set[str]:
    """Another person than who asked, and than who approved first."""
    user, centre = principal.user, wipe.centre_id
    if user == wipe.requested_by:
        return set()
    found = {"refuse"} if principal.may(centre, *APPROVERS_FOR_LEADS) else set()
    approvers = APPROVERS_FOR_LEADS if wipe.asked_by_lead else APPROVERS
    if principal.may(centre, *approvers) and user != wipe.approved_by:
        found.add("approve")
    return found
