"""The lives of a round, of one item of it and of a case. `advance` alone moves a state."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from app.kernel.errors import Conflict


class Round(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class RoundEvent(StrEnum):
    CLOSE = "close"


class Item(StrEnum):
    OPEN = "open"
    MATCH = "match"
    MISMATCH = "mismatch"
    NOT_REACHABLE = "not_reachable"
    UNFILED = "unfiled"
    """No such password is filed: there is nothing to compare with."""
    WAIVING = "waiving"
    """A waiver was asked for: a second person decides."""
    WAIVED = "waived"


class ItemEvent(StrEnum):
    MATCH = "match"
    MISMATCH = "mismatch"
    UNREACHABLE = "unreachable"
    FILE = "file"
    """What was not filed is now."""
    LACK = "lack"
    """Open again, and not filed."""
    ASK_WAIVER = "ask_waiver"
    WAIVE = "waive"
    GRANT_WAIVER = "grant_waiver"
    REFUSE_WAIVER = "refuse_waiver"
    REOPEN = "reopen"
    """What a person had entered was a mistake."""
    RETIRE = "retire"
    """The part was retired, or left the centre, before it was checked."""


class Case(StrEnum):
    OPENED = "opened"
    """Waits for the butler's statement."""
    STATED = "stated"
    SILENT = "silent"
    """His time for a statement is over, or nobody held the post."""
    DECIDED = "decided"
    APPEALED = "appealed"
    ANSWERED = "answered"
    """The second person's word on the appeal: the last one."""
    CLOSED = "closed"
    DROPPED = "dropped"
    """Checked again before anybody was told, and it matched: it had been mistyped."""


class CaseEvent(StrEnum):
    STATE = "state"
    LAPSE = "lapse"
    CLEAR = "clear"
    """Decided: nothing to blame anybody for."""
    BLAME = "blame"
    """Decided: an unauthorised change. Only after he could say something."""
    APPEAL = "appeal"
    UPHOLD = "uphold"
    OVERTURN = "overturn"
    CLOSE = "close"
    DROP = "drop"


class Finding(StrEnum):
    UNAUTHORISED = "unauthorised"
    EXPLAINED = "explained"
    RECORD_WRONG = "record_wrong"


_I, _IE, _C, _CE = Item, ItemEvent, Case, CaseEvent
ROUND_NEXT: dict[tuple[str, str], str] = {(Round.OPEN, RoundEvent.CLOSE): Round.CLOSED}
ITEM_NEXT: dict[tuple[str, str], str] = {
    # A real check counts whatever was entered before it: the password was compared.
    **{(state, _IE.MATCH): _I.MATCH for state in _I},
    **{(state, _IE.MISMATCH): _I.MISMATCH for state in _I},
    (_I.OPEN, _IE.UNREACHABLE): _I.NOT_REACHABLE,
    (_I.UNFILED, _IE.FILE): _I.OPEN,
    (_I.OPEN, _IE.LACK): _I.UNFILED,
    **{(state, _IE.ASK_WAIVER): _I.WAIVING for state in (_I.OPEN, _I.NOT_REACHABLE, _I.UNFILED)},
    **{(state, _IE.WAIVE): _I.WAIVED for state in (_I.OPEN, _I.NOT_REACHABLE, _I.UNFILED)},
    (_I.WAIVING, _IE.GRANT_WAIVER): _I.WAIVED,
    (_I.WAIVING, _IE.REFUSE_WAIVER): _I.OPEN,
    **{(state, _IE.REOPEN): _I.OPEN for state in (_I.MATCH, _I.MISMATCH, _I.NOT_REACHABLE, _I.WAIVED)},
    **{(state, _IE.RETIRE): _I.WAIVED for state in (_I.OPEN, _I.NOT_REACHABLE, _I.UNFILED, _I.WAIVING)},
}
CASE_NEXT: dict[tuple[str, str], str] = {
    (_C.OPENED, _CE.STATE): _C.STATED,
    (_C.SILENT, _CE.STATE): _C.STATED,
    (_C.OPENED, _CE.LAPSE): _C.SILENT,
    **{(state, _CE.CLEAR): _C.DECIDED for state in (_C.OPENED, _C.STATED, _C.SILENT)},
    **{(state, _CE.BLAME): _C.DECIDED for state in (_C.STATED, _C.SILENT)},
    (_C.DECIDED, _CE.APPEAL): _C.APPEALED,
    (_C.APPEALED, _CE.UPHOLD): _C.ANSWERED,
    (_C.APPEALED, _CE.OVERTURN): _C.ANSWERED,
    **{(state, _CE.CLOSE): _C.CLOSED for state in (_C.DECIDED, _C.ANSWERED)},
    (_C.OPENED, _CE.DROP): _C.DROPPED,
    (_C.SILENT, _CE.DROP): _C.DROPPED,
}
UNSETTLED = (Item.OPEN, Item.WAIVING)
"""A round with one of these cannot close."""
OPEN_CASES = (Case.OPENED, Case.STATED, Case.SILENT, Case.DECIDED, Case.APPEALED, Case.ANSWERED)
ITEM_WORDS: Mapping[str, str] = {
    _I.OPEN: "待核对", _I.MATCH: "一致", _I.MISMATCH: "不一致", _I.NOT_REACHABLE: "无法核对", _I.UNFILED: "未备案",
    _I.WAIVING: "免核对待批准", _I.WAIVED: "免核对",
}  # fmt: skip
CASE_WORDS: Mapping[str, str] = {
    _C.OPENED: "等待管家说明", _C.STATED: "已说明，待处理", _C.SILENT: "未说明，待处理", _C.DECIDED: "已认定",
    _C.APPEALED: "已申诉，待复核", _C.ANSWERED: "已复核", _C.CLOSED: "已结案", _C.DROPPED: "已撤销",
}  # fmt: skip
FINDING_WORDS: Mapping[str, str] = {
    Finding.UNAUTHORISED: "擅自更改",
    Finding.EXPLAINED: "有正当原因",
    Finding.RECORD_WRONG: "备案记录有误",
}
ROUND_WORDS: Mapping[str, str] = {Round.OPEN: "进行中", Round.CLOSED: "已结束"}
_TABLES: dict[type[StrEnum], tuple[dict[tuple[str, str], str], Mapping[str, str]]] = {
    Round: (ROUND_NEXT, ROUND_WORDS),
    Item: (ITEM_NEXT, ITEM_WORDS),
    Case: (CASE_NEXT, CASE_WORDS),
}


def advance(state: Round | Item | Case, event: RoundEvent | ItemEvent | CaseEvent) -> str:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    table, words = _TABLES[type(state)]
    after = table.get((state, event))
    if after is None:
        raise Conflict(
            f"现在的状态（{words[state]}）不能这样处理，请刷新 / {state}: cannot {event}", code="round_state"
        )
    return after
