"""The life of a remedy. `advance` alone moves a state; what the table does not hold cannot happen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from app.kernel.errors import Conflict


class State(StrEnum):
    EARLY = "early"
    """The finding is in grace, or what it would show cannot be read: no ladder runs."""
    TOLD_BUTLER = "told_butler"
    TOLD_LEAD = "told_lead"
    TASK = "task"
    """Somebody has a task with instructions: the ladder's end, or an order that did not do it."""
    ORDERED = "ordered"
    REMOVING = "removing"
    """A gateway has the order: it may be happening now."""
    CHECKING = "checking"
    """The gateway says that it is done, and looked; the next reading has to say so, too."""
    RESTORING = "restoring"
    REMOVED = "removed"
    """Shown by the gateway's look and by a reading after it, never by a word alone."""
    RESTORED = "restored"
    GONE = "gone"
    """A reading shows that the finding is no more, whoever did it."""
    EXEMPTED = "exempted"
    DISMISSED = "dismissed"
    """A person lets it rest for some days."""
    LEFT = "left"
    """The phone was retired, or belongs to another centre now."""


class Event(StrEnum):
    FAIL = "fail"
    EASE = "ease"
    """In grace again: the policy was changed, or an exemption ended."""
    TELL_LEAD = "tell_lead"
    ASK = "ask"
    ORDER = "order"
    SEND = "send"
    POSTPONE = "postpone"
    """The gateway did nothing yet, or did one user and the next one's turn has come."""
    DONE = "done"
    STOP = "stop"
    """An order ended without what it was for."""
    VERIFY = "verify"
    GO = "go"
    EXEMPT = "exempt"
    LEAVE = "leave"
    DISMISS = "dismiss"
    RESTORE = "restore"
    BRING_BACK = "bring_back"
    KEEP = "keep"
    """It could not be restored, or nobody knows."""
    RETURN = "return"
    """The finding is back, or a dismissal is over."""


S, E = State, Event

LADDER = (S.EARLY, S.TOLD_BUTLER, S.TOLD_LEAD, S.TASK)
AT_WORK = (S.ORDERED, S.REMOVING, S.CHECKING, S.RESTORING)
"""One app of a phone is in at most one case that is at work."""
OPEN = (*LADDER, *AT_WORK)
ORDERABLE = (S.TOLD_BUTLER, S.TOLD_LEAD, S.TASK)
REOPENABLE = (S.REMOVED, S.GONE, S.EXEMPTED, S.DISMISSED)

NEXT: Mapping[tuple[State, Event], State] = {
    (S.EARLY, E.FAIL): S.TOLD_BUTLER,
    **{(state, E.EASE): S.EARLY for state in ORDERABLE},
    (S.TOLD_BUTLER, E.TELL_LEAD): S.TOLD_LEAD,
    **{(state, E.ASK): S.TASK for state in (S.EARLY, S.TOLD_BUTLER, S.TOLD_LEAD)},
    **{(state, E.ORDER): S.ORDERED for state in ORDERABLE},
    # Lost on its way it goes again to the same gateway, which looks before it acts.
    **{(state, E.SEND): S.REMOVING for state in (S.ORDERED, S.REMOVING)},
    (S.REMOVING, E.POSTPONE): S.ORDERED,
    # A word that came late, on an order that was given up for lost.
    **{(state, E.DONE): S.CHECKING for state in (S.REMOVING, S.TASK)},
    **{(state, E.STOP): S.TASK for state in (S.ORDERED, S.REMOVING, S.CHECKING)},
    (S.CHECKING, E.VERIFY): S.REMOVED,
    # While a gateway acts, nothing is known: its word, or its silence, comes first.
    # Behind an order that was carried out it is only "gone", not "removed", where another phone answers now.
    **{(state, E.GO): S.GONE for state in (*LADDER, S.ORDERED, S.CHECKING)},
    **{(state, E.EXEMPT): S.EXEMPTED for state in (*LADDER, S.ORDERED, S.CHECKING)},
    **{(state, E.LEAVE): S.LEFT for state in OPEN},
    **{(state, E.DISMISS): S.DISMISSED for state in LADDER},
    (S.REMOVED, E.RESTORE): S.RESTORING,
    (S.RESTORING, E.BRING_BACK): S.RESTORED,
    (S.RESTORING, E.KEEP): S.REMOVED,
    **{(state, E.RETURN): S.EARLY for state in REOPENABLE},
}


def advance(state: State, event: Event) -> State:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    after = NEXT.get((state, event))
    if after is None:
        raise Conflict(
            f"现在的状态（{STATE_WORDS[state][1]}）不能这样处理，请刷新 / {state}: cannot {event}",
            code="remedy_state",
        )
    return after


STATE_WORDS: Mapping[str, tuple[str, str]] = {
    S.EARLY: ("quiet", "宽限中"),
    S.TOLD_BUTLER: ("unknown", "已通知管家"),
    S.TOLD_LEAD: ("unknown", "已通知主管"),
    S.TASK: ("bad", "待人工处理"),
    S.ORDERED: ("busy", "已下令移除"),
    S.REMOVING: ("busy", "正在移除"),
    S.CHECKING: ("busy", "等读取核实"),
    S.RESTORING: ("busy", "正在恢复"),
    S.REMOVED: ("good", "已移除并核实"),
    S.RESTORED: ("quiet", "已恢复"),
    S.GONE: ("good", "已消除"),
    S.EXEMPTED: ("quiet", "已批准例外"),
    S.DISMISSED: ("quiet", "已搁置"),
    S.LEFT: ("quiet", "手机已离开"),
}
"""Kind of badge and word."""
