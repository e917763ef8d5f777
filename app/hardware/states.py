"""The lives of a case, of a replacement that is offered, of a deduction order. `advance` alone moves a state."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from app.kernel.errors import Conflict


class Case(StrEnum):
    REPORTED = "reported"
    """Nobody has decided who pays."""
    REPAIR = "repair"
    DEMANDED = "demanded"
    """The person is to bring a new phone by a date."""
    OFFERED = "offered"
    """His new phone waits for the comparison."""
    BUYING = "buying"
    """The centre buys: nobody answers, or he refused, or the date passed."""
    DEDUCTING = "deducting"
    """The centre has bought, wages pay it month by month."""
    REPAIRED = "repaired"
    REPLACED = "replaced"
    FOUND = "found"
    """What was lost is back."""
    DROPPED = "dropped"
    """Reported by mistake, or nothing came of it."""


class CaseEvent(StrEnum):
    JUDGE_REPAIR = "judge_repair"
    JUDGE_PERSON = "judge_person"
    JUDGE_CENTRE = "judge_centre"
    REPAIRED = "repaired"
    BEYOND_PERSON = "beyond_person"
    """Beyond repair, the person answers."""
    BEYOND_CENTRE = "beyond_centre"
    OFFER = "offer"
    REJECT = "reject"
    ACCEPT = "accept"
    CENTRE_BUYS = "centre_buys"
    """Refused, or the date passed."""
    BOUGHT = "bought"
    """Bought by the centre at its own cost."""
    BOUGHT_DEDUCT = "bought_deduct"
    SETTLE = "settle"
    """All of the order is taken, or it was lifted."""
    RELIEVE = "relieve"
    """The appeal is allowed: the centre pays from now on."""
    FIND = "find"
    DROP = "drop"


class Order(StrEnum):
    OPEN = "open"
    SETTLED = "settled"
    LIFTED = "lifted"
    """Taken back whole: every booking is reversed."""


class OrderEvent(StrEnum):
    SETTLE = "settle"
    LIFT = "lift"


class Offer(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class OfferEvent(StrEnum):
    ACCEPT = "accept"
    REJECT = "reject"


class Appeal(StrEnum):
    NONE = "none"
    FILED = "filed"
    ALLOWED = "allowed"
    DISMISSED = "dismissed"


class AppealEvent(StrEnum):
    FILE = "file"
    ALLOW = "allow"
    DISMISS = "dismiss"


class Disposal(StrEnum):
    WAITING = "waiting"
    """To be destroyed: nothing is destroyed here."""
    DONE = "done"
    """Its data are destroyed, with a certificate."""
    CANCELLED = "cancelled"


class DisposalEvent(StrEnum):
    FINISH = "finish"
    CANCEL = "cancel"


_C, _E = Case, CaseEvent
_RUNNING = (_C.REPORTED, _C.REPAIR, _C.DEMANDED, _C.OFFERED, _C.BUYING, _C.DEDUCTING)

CASE_NEXT: Mapping[tuple[str, str], StrEnum] = {
    (_C.REPORTED, _E.JUDGE_REPAIR): _C.REPAIR,
    (_C.REPORTED, _E.JUDGE_PERSON): _C.DEMANDED,
    (_C.REPORTED, _E.JUDGE_CENTRE): _C.BUYING,
    (_C.REPORTED, _E.DROP): _C.DROPPED,
    (_C.REPAIR, _E.REPAIRED): _C.REPAIRED,
    (_C.REPAIR, _E.BEYOND_PERSON): _C.DEMANDED,
    (_C.REPAIR, _E.BEYOND_CENTRE): _C.BUYING,
    (_C.REPAIR, _E.DROP): _C.DROPPED,
    (_C.DEMANDED, _E.OFFER): _C.OFFERED,
    (_C.DEMANDED, _E.CENTRE_BUYS): _C.BUYING,
    (_C.OFFERED, _E.ACCEPT): _C.REPLACED,
    (_C.OFFERED, _E.REJECT): _C.DEMANDED,
    (_C.BUYING, _E.BOUGHT): _C.REPLACED,
    (_C.BUYING, _E.BOUGHT_DEDUCT): _C.DEDUCTING,
    (_C.DEDUCTING, _E.SETTLE): _C.REPLACED,
    # The appeal changes who pays; where the work is not done, it goes on at the centre's cost.
    (_C.REPAIR, _E.RELIEVE): _C.REPAIR,
    (_C.DEMANDED, _E.RELIEVE): _C.BUYING,
    (_C.OFFERED, _E.RELIEVE): _C.BUYING,
    (_C.BUYING, _E.RELIEVE): _C.BUYING,
    (_C.DEDUCTING, _E.RELIEVE): _C.REPLACED,
    (_C.REPAIRED, _E.RELIEVE): _C.REPAIRED,
    (_C.REPLACED, _E.RELIEVE): _C.REPLACED,
    **{(state, _E.FIND): _C.FOUND for state in (*_RUNNING, _C.REPLACED)},
}
ORDER_NEXT: Mapping[tuple[str, str], StrEnum] = {
    (Order.OPEN, OrderEvent.SETTLE): Order.SETTLED,
    (Order.OPEN, OrderEvent.LIFT): Order.LIFTED,
    (Order.SETTLED, OrderEvent.LIFT): Order.LIFTED,
}
OFFER_NEXT: Mapping[tuple[str, str], StrEnum] = {
    (Offer.WAITING, OfferEvent.ACCEPT): Offer.ACCEPTED,
    (Offer.WAITING, OfferEvent.REJECT): Offer.REJECTED,
}
APPEAL_NEXT: Mapping[tuple[str, str], StrEnum] = {
    (Appeal.NONE, AppealEvent.FILE): Appeal.FILED,
    (Appeal.FILED, AppealEvent.ALLOW): Appeal.ALLOWED,
    (Appeal.FILED, AppealEvent.DISMISS): Appeal.DISMISSED,
}
DISPOSAL_NEXT: Mapping[tuple[str, str], StrEnum] = {
    (Disposal.WAITING, DisposalEvent.FINISH): Disposal.DONE,
    (Disposal.WAITING, DisposalEvent.CANCEL): Disposal.CANCELLED,
}
TABLES: Mapping[type[StrEnum], Mapping[tuple[str, str], StrEnum]] = {
    Case: CASE_NEXT, Order: ORDER_NEXT, Offer: OFFER_NEXT, Appeal: APPEAL_NEXT, Disposal: DISPOSAL_NEXT,
}  # fmt: skip
OPEN_CASES = _RUNNING
APPEALABLE = (_C.REPAIR, _C.DEMANDED, _C.OFFERED, _C.BUYING, _C.DEDUCTING, _C.REPAIRED, _C.REPLACED)
"""Decided, and not void."""


def advance(state: StrEnum, event: StrEnum) -> StrEnum:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    after = TABLES[type(state)].get((state, event))
    if after is None:
        raise Conflict(
            f"现在的状态（{WORDS.get(state, state)}）不能这样处理，请刷新 / {state}: cannot {event}",
            code="hardware_state",
        )
    return after


WORDS: Mapping[str, str] = {
    Case.REPORTED: "待认定", Case.REPAIR: "待维修", Case.DEMANDED: "等待赔付新机", Case.OFFERED: "新机待核对",
    Case.BUYING: "中心待购机", Case.DEDUCTING: "扣款中", Case.REPAIRED: "已修好", Case.REPLACED: "已换机",
    Case.FOUND: "已找回", Case.DROPPED: "已撤销",
}  # fmt: skip
ORDER_WORDS: Mapping[str, str] = {Order.OPEN: "执行中", Order.SETTLED: "已扣完", Order.LIFTED: "已撤销并退回"}
APPEAL_WORDS: Mapping[str, str] = {
    Appeal.NONE: "未申诉", Appeal.FILED: "申诉中", Appeal.ALLOWED: "申诉成立", Appeal.DISMISSED: "申诉不成立",
}  # fmt: skip
DISPOSAL_WORDS: Mapping[str, str] = {
    Disposal.WAITING: "待销毁", Disposal.DONE: "已销毁数据", Disposal.CANCELLED: "已取消",
}  # fmt: skip
