"""Which acts a case offers to a caller: what he is shown to press. Each act looks again for itself."""

from __future__ import annotations

import datetime as dt

from app.hardware.model import DeductionOrder, HardwareCase, HardwareReplacement
from app.hardware.rules import day_of
from app.hardware.states import APPEALABLE, CASE_NEXT, Appeal, Case, CaseEvent, Order
from app.hardware.tools import DECIDERS, FINANCE, REPORTERS
from app.kernel.tenancy import Principal


def acts_of(
    principal: Principal,
    case: HardwareCase,
    order: DeductionOrder | None,
    offer: HardwareReplacement | None,
    now: dt.datetime,
    *,
    has_user: bool,
) -> frozenset[str]:
    """Names of acts, as the forms post them. `has_user`: who answers can sign in, and speaks for himself."""
    own = principal.employee is not None and principal.employee == case.employee_id
    desk = principal.may(case.centre_id, *DECIDERS)
    decides = desk and not own
    found: set[str] = set()
    if case.employee_id is not None and (own or desk):
        found |= _for_person(case, now, speaks=own or not has_user)
    if case.kind == "loss" and case.state not in (Case.FOUND, Case.DROPPED):
        found |= {"lost"} if own or principal.may(case.centre_id, *REPORTERS) else set()
    if decides:
        found |= _for_deciders(principal, case, order, offer)
    if principal.may(case.centre_id, *REPORTERS):
        if case.state == Case.REPAIR and not own:
            found.add("repair")
        if case.kind == "loss" and not own and (case.state, CaseEvent.FIND) in CASE_NEXT:
            found.add("find")
    takes = principal.may(case.centre_id, *FINANCE) and not own and not _may_fall(case, now)
    if takes and order is not None and order.state == Order.OPEN and principal.user != order.ordered_by:
        found.add("take")
    return frozenset(found)


def _may_fall(case: HardwareCase, now: dt.datetime) -> bool:
    """An appeal waits, or may still come: nothing is taken before."""
    open_still = case.appeal == Appeal.NONE and case.appeal_until is not None and now < case.appeal_until
    return open_still or case.appeal == Appeal.FILED


def _for_person(case: HardwareCase, now: dt.datetime, *, speaks: bool) -> set[str]:
    found: set[str] = set()
    if speaks and case.state == Case.REPORTED and case.statement is None:
        found.add("state")
    if case.state == Case.DEMANDED:
        found.add("offer")
        if speaks or (case.due_on is not None and day_of(now) > case.due_on):
            found.add("refuse")
    in_time = case.appeal_until is not None and now < case.appeal_until
    if (
        speaks
        and case.payer == "person"
        and case.state in APPEALABLE
        and case.appeal == Appeal.NONE
        and in_time
    ):
        found.add("appeal")
    return found


def _for_deciders(
    principal: Principal, case: HardwareCase, order: DeductionOrder | None, offer: HardwareReplacement | None
) -> set[str]:
    found: set[str] = set()
    if case.state == Case.REPORTED:
        found |= {"judge", "drop"}
    if case.state == Case.REPAIR:
        found.add("drop")
    if offer is not None and offer.offered_by != principal.user:
        found |= {"reject"} if offer.verdict == "lower" else {"accept", "reject"}
    if case.state == Case.BUYING:
        found.add("buy")
    earlier = {case.judged_by, case.appealed_by, order.ordered_by if order else None}
    if case.appeal == Appeal.FILED and case.state in APPEALABLE and principal.user not in earlier:
        found.add("decide")
    return found
