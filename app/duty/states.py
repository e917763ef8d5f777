"""The lives of a delegation and of an excuse. `advance` alone moves a state; what is in no table cannot happen."""

from __future__ import annotations

from enum import StrEnum

from app.kernel.errors import Conflict


class Delegation(StrEnum):
    PROPOSED = "proposed"
    """Nobody has accepted: the giver answers."""
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    """Its end came before an answer."""
    RETURNED = "returned"
    """Ended early by one of the two; what was until then holds."""
    ENDED = "ended"
    """Its end came, or one of the two left his post."""
    VOIDED = "voided"
    """Entered by mistake: counts for nothing, from its beginning on."""


class DelegationEvent(StrEnum):
    ACCEPT = "accept"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"
    RETURN = "return"
    END = "end"
    VOID = "void"


class Excuse(StrEnum):
    PENDING = "pending"
    """Excuses nothing until another person approves."""
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    """Ended by hand: holds until then."""
    VOIDED = "voided"


class ExcuseEvent(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    CLOSE = "close"
    VOID = "void"


_D, _DE, _E, _EE = Delegation, DelegationEvent, Excuse, ExcuseEvent

DELEGATION_NEXT: dict[tuple[str, str], str] = {
    (_D.PROPOSED, _DE.ACCEPT): _D.ACCEPTED,
    (_D.PROPOSED, _DE.DECLINE): _D.DECLINED,
    (_D.PROPOSED, _DE.WITHDRAW): _D.WITHDRAWN,
    (_D.PROPOSED, _DE.LAPSE): _D.LAPSED,
    (_D.ACCEPTED, _DE.RETURN): _D.RETURNED,
    (_D.ACCEPTED, _DE.END): _D.ENDED,
    **{(state, _DE.VOID): _D.VOIDED for state in (_D.ACCEPTED, _D.RETURNED, _D.ENDED)},
}
EXCUSE_NEXT: dict[tuple[str, str], str] = {
    (_E.PENDING, _EE.APPROVE): _E.APPROVED,
    (_E.PENDING, _EE.REJECT): _E.REJECTED,
    (_E.PENDING, _EE.WITHDRAW): _E.WITHDRAWN,
    (_E.APPROVED, _EE.CLOSE): _E.CLOSED,
    **{(state, _EE.VOID): _E.VOIDED for state in (_E.APPROVED, _E.CLOSED)},
}

OPEN_DELEGATIONS = (Delegation.PROPOSED, Delegation.ACCEPTED)
IN_FORCE_DELEGATIONS = (Delegation.ACCEPTED, Delegation.RETURNED, Delegation.ENDED)
"""Whose span counts, be it over or not."""
IN_FORCE_EXCUSES = (Excuse.APPROVED, Excuse.CLOSED)


def advance(state: Delegation | Excuse, event: DelegationEvent | ExcuseEvent) -> str:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    table = DELEGATION_NEXT if isinstance(state, Delegation) else EXCUSE_NEXT
    after = table.get((state, event))
    if after is None:
        raise Conflict(
            f"现在的状态（{STATE_WORDS[type(state).__name__, state]}）不能这样处理，请刷新 / "
            f"{state}: cannot {event}",
            code="duty_state",
        )
    return after


STATE_WORDS: dict[tuple[str, str], str] = {
    ("Delegation", _D.PROPOSED): "等待接受",
    ("Delegation", _D.ACCEPTED): "已接受",
    ("Delegation", _D.DECLINED): "已拒绝",
    ("Delegation", _D.WITHDRAWN): "已撤回",
    ("Delegation", _D.LAPSED): "过期未接受",
    ("Delegation", _D.RETURNED): "已归还",
    ("Delegation", _D.ENDED): "已结束",
    ("Delegation", _D.VOIDED): "已作废",
    ("Excuse", _E.PENDING): "等待批准",
    ("Excuse", _E.APPROVED): "已批准",
    ("Excuse", _E.REJECTED): "未批准",
    ("Excuse", _E.WITHDRAWN): "已撤回",
    ("Excuse", _E.CLOSED): "已结束",
    ("Excuse", _E.VOIDED): "已作废",
}
