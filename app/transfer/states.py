"""The life of a transfer. `advance` alone moves a state; what the table does not hold cannot happen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from app.kernel.errors import Conflict


class State(StrEnum):
    DRAFT = "draft"
    QUEUED = "queued"
    """A gateway has been asked, and has not begun."""
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    """It had begun and is silent, or could not go on: it resumes by itself once both phones are plugged in again."""
    STOPPING = "stopping"
    """A person wants it to end, and its gateway has not said that it did: it may be at work."""
    STOPPED = "stopped"
    """It ended because somebody wanted it to, and can be gone on with."""
    ATTENTION = "attention"
    """The gateway is done, and not everything is proved to be on the new phone."""
    FAILED = "failed"
    """The order ended and nothing is known to be proved."""
    MOVED = "moved"
    """The data are verified, or their differences accepted; what is left is WeChat's own migration."""
    VERIFIED = "verified"
    ACCEPTED = "accepted"
    """Done, with what a lead accepted for a reason."""
    WAIVED = "waived"
    """Two persons say that there is nothing to move, or that it cannot be read."""
    CANCELLED = "cancelled"


class Event(StrEnum):
    START = "start"
    RUN = "run"
    """A gateway's word that it works on it."""
    POSTPONE = "postpone"
    """The gateway cannot go on now, and will try again."""
    SILENCE = "silence"
    STOP = "stop"
    HALT = "halt"
    """Its gateway said that nothing of it is at work any more, or none ever had it."""
    GO_ON = "go_on"
    """Its gateway does not know how to stop, or was not asked in time: it is at work as before."""
    DATA_VERIFIED = "data_verified"
    DATA_DIFFERS = "data_differs"
    DATA_FAILED = "data_failed"
    ACCEPT_DATA = "accept_data"
    SETTLE_VERIFIED = "settle_verified"
    SETTLE_ACCEPTED = "settle_accepted"
    WAIVE = "waive"
    CANCEL = "cancel"


S, E = State, Event
STOPPABLE = (S.QUEUED, S.RUNNING, S.INTERRUPTED)
AT_WORK = (*STOPPABLE, S.STOPPING)
"""An order of it is not yet done."""
SETTLED = (S.VERIFIED, S.ACCEPTED, S.WAIVED)
"""The old phone's data are no longer needed."""
FINAL = (*SETTLED, S.CANCELLED)
OPEN = tuple(state for state in S if state not in FINAL)
STARTABLE = (S.DRAFT, S.ATTENTION, S.FAILED, S.STOPPED)
AT_REST = (*STARTABLE, S.MOVED)
"""Nobody works on it: it can be waived."""

NEXT: Mapping[tuple[State, Event], State] = {
    **{(state, E.START): S.QUEUED for state in STARTABLE},
    **{(state, E.RUN): S.RUNNING for state in STOPPABLE},
    (S.QUEUED, E.POSTPONE): S.QUEUED,
    (S.RUNNING, E.POSTPONE): S.INTERRUPTED,
    (S.INTERRUPTED, E.POSTPONE): S.INTERRUPTED,
    (S.RUNNING, E.SILENCE): S.INTERRUPTED,
    **{(state, E.STOP): S.STOPPING for state in STOPPABLE},
    # Until its gateway has heard it goes on, and tells so; silence says neither that it stopped nor that it did not.
    **{(S.STOPPING, event): S.STOPPING for event in (E.RUN, E.POSTPONE, E.SILENCE)},
    (S.STOPPING, E.HALT): S.STOPPED,
    (S.STOPPING, E.GO_ON): S.RUNNING,
    # A late word, or a manifest that came after it, makes good what looked like a failure.
    **{(state, E.DATA_VERIFIED): S.MOVED for state in (*AT_WORK, S.STOPPED, S.ATTENTION, S.FAILED)},
    **{(state, E.DATA_DIFFERS): S.ATTENTION for state in (*AT_WORK, S.STOPPED, S.ATTENTION, S.FAILED)},
    **{(state, E.DATA_FAILED): S.FAILED for state in AT_WORK},
    (S.ATTENTION, E.ACCEPT_DATA): S.MOVED,
    (S.MOVED, E.SETTLE_VERIFIED): S.VERIFIED,
    (S.MOVED, E.SETTLE_ACCEPTED): S.ACCEPTED,
    **{(state, E.WAIVE): S.WAIVED for state in AT_REST},
    **{(state, E.CANCEL): S.CANCELLED for state in (*AT_REST, S.QUEUED, S.INTERRUPTED, S.STOPPING)},
}  # fmt: skip


def advance(state: State, event: Event) -> State:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    after = NEXT.get((state, event))
    if after is None:
        raise Conflict(
            f"现在不能这样做（{WORDS[state]}），请刷新 / a transfer that is {state} cannot {event}",
            code="transfer_state",
        )
    return after


WORDS: Mapping[str, str] = {
    S.DRAFT: "待开始",
    S.QUEUED: "等网关",
    S.RUNNING: "迁移中",
    S.INTERRUPTED: "已中断",
    S.STOPPING: "正在停止",
    S.STOPPED: "已停止",
    S.ATTENTION: "有差异",
    S.FAILED: "未成功",
    S.MOVED: "资料已迁移，待微信",
    S.VERIFIED: "已核验",
    S.ACCEPTED: "已接受",
    S.WAIVED: "免迁移",
    S.CANCELLED: "已取消",
}


class Copy(StrEnum):
    """The encrypted copy on the gateway."""

    NONE = "none"
    KEPT = "kept"
    DESTROYED = "destroyed"
    UNKNOWN = "unknown"
    """A gateway had the order and has not said what became of its copy."""


COPY_WORDS: Mapping[str, str] = {
    Copy.NONE: "没有副本",
    Copy.KEPT: "还在网关上（加密）",
    Copy.DESTROYED: "已销毁",
    Copy.UNKNOWN: "不清楚",
}
