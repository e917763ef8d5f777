"""The lives of a handover and of one of its legs. `advance` alone moves a state; what is in no table cannot happen."""

from __future__ import annotations

from enum import StrEnum

from app.kernel.errors import Conflict


class Case(StrEnum):
    OPEN = "open"
    """Its kit and post are held: nobody ties them elsewhere (U06)."""
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class CaseEvent(StrEnum):
    COMPLETE = "complete"
    CANCEL = "cancel"


class Leg(StrEnum):
    WAITING = "waiting"
    """The leg before it is not done."""
    DRAFT = "draft"
    SIGNING = "signing"
    """Frozen: nothing of it changes, nobody has signed."""
    HALF_SIGNED = "half_signed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class LegEvent(StrEnum):
    BEGIN = "begin"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    """Back to the draft; the signatures that there are stay on record and count no more."""
    SIGN = "sign"
    DECLINE = "decline"
    CANCEL = "cancel"


_C, _CE, _L, _LE = Case, CaseEvent, Leg, LegEvent
_FROZEN = (Leg.SIGNING, Leg.HALF_SIGNED)

CASE_NEXT: dict[tuple[str, str], str] = {
    (_C.OPEN, _CE.COMPLETE): _C.COMPLETED,
    (_C.OPEN, _CE.CANCEL): _C.CANCELLED,
}
LEG_NEXT: dict[tuple[str, str], str] = {
    (_L.WAITING, _LE.BEGIN): _L.DRAFT,
    (_L.DRAFT, _LE.FREEZE): _L.SIGNING,
    (_L.SIGNING, _LE.SIGN): _L.HALF_SIGNED,
    (_L.HALF_SIGNED, _LE.SIGN): _L.COMPLETED,
    **{(state, _LE.UNFREEZE): _L.DRAFT for state in _FROZEN},
    **{(state, _LE.DECLINE): _L.DRAFT for state in _FROZEN},
    **{(state, _LE.CANCEL): _L.CANCELLED for state in (_L.WAITING, _L.DRAFT, *_FROZEN)},
}

FROZEN_LEGS = _FROZEN
ACTIVE_LEGS = (Leg.DRAFT, *_FROZEN)

CASE_WORDS: dict[str, str] = {_C.OPEN: "办理中", _C.COMPLETED: "已完成", _C.CANCELLED: "已取消"}
LEG_WORDS: dict[str, str] = {
    _L.WAITING: "等待上一步",
    _L.DRAFT: "清点中",
    _L.SIGNING: "待双方签字",
    _L.HALF_SIGNED: "待另一方签字",
    _L.COMPLETED: "已完成",
    _L.CANCELLED: "已取消",
}


def advance(state: Case | Leg, event: CaseEvent | LegEvent) -> str:
    """The state after the event. Raise `Conflict` (`handover_state`) when that cannot happen in this state."""
    table = CASE_NEXT if isinstance(state, Case) else LEG_NEXT
    after = table.get((state, event))
    if after is None:
        words = CASE_WORDS if isinstance(state, Case) else LEG_WORDS
        raise Conflict(
            f"现在的状态（{words[state]}）不能这样处理，请刷新 / {state}: cannot {event}",
            code="handover_state",
        )
    return after
