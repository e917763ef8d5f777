"""Orders about the screen lock on a phone: their life, what an agent may answer, what people are told. Plain values.

`advance` alone moves a state. One order is at most one try at the phone; nothing but a new order makes another.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from app.kernel.errors import Conflict

CHECK, SET = "check", "set"
MOST_WRONG = 3
"""Wrong tries of one password by gateways: from the fifth on phones wait ever longer, and some erase themselves."""


class LockState(StrEnum):
    WAITING = "waiting"
    """For a gateway that has the phone by a safe way; nothing secret has left the server."""
    SENT = "sent"
    """A gateway has it and may be at it."""
    DONE = "done"
    CANCELLED = "cancelled"


class LockEvent(StrEnum):
    SEND = "send"
    POSTPONE = "postpone"
    """The gateway did nothing, and says so."""
    ANSWER = "answer"
    END = "end"
    """Without the gateway's word: nobody took it in time, or nobody knows what became of it."""
    CANCEL = "cancel"


_S, _E = LockState, LockEvent
ACTIVE = (LockState.WAITING, LockState.SENT)
NEXT: dict[tuple[LockState, LockEvent], LockState] = {
    (_S.WAITING, _E.SEND): _S.SENT,
    # Its answer was lost: the same gateway, and no other, is given it again, and knows whether it was carried out.
    (_S.SENT, _E.SEND): _S.SENT,
    (_S.SENT, _E.POSTPONE): _S.WAITING,
    (_S.WAITING, _E.POSTPONE): _S.WAITING,
    **{(state, _E.ANSWER): _S.DONE for state in ACTIVE},
    **{(state, _E.END): _S.DONE for state in ACTIVE},
    # What a gateway holds may be happening right now: to call that cancelled would be a guess.
    (_S.WAITING, _E.CANCEL): _S.CANCELLED,
}


def advance(state: LockState, event: LockEvent) -> LockState:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    after = NEXT.get((state, event))
    if after is None:
        raise Conflict(
            f"现在的状态（{STATE_WORDS[state]}）不能这样处理，请刷新 / {state}: cannot {event}",
            code="lock_state",
        )
    return after


UNKNOWN = "unknown"
_CHECKED = frozenset({"match", "mismatch", "throttled", "no_lock", "profile", "not_supported"})
_OUTCOMES: Mapping[str, frozenset[str]] = {
    CHECK: _CHECKED,
    SET: frozenset({"set", "not_set", "not_supported"}),
}


def outcome_of(what: str, state: str, detail: Mapping[str, Any]) -> tuple[str, str | None]:
    """(outcome, reason) of an agent's last word on an order; whatever is not plainly one of the known is `unknown`."""
    reason = detail.get("reason")
    reason = reason if isinstance(reason, str) else None
    if state in ("refused", "expired"):
        return state, reason
    outcome = detail.get("outcome")
    if state == "succeeded" and isinstance(outcome, str) and outcome in _OUTCOMES[what]:
        return outcome, reason
    return UNKNOWN, reason


def tells_of_force(what: str, outcome: str, reason: str | None) -> bool | None:
    """What an answer proves of the password that was in force as the order was sent: it opens, it does not, nothing."""
    if what == CHECK:
        return {"match": True, "mismatch": False}.get(outcome)
    return False if (outcome, reason) == ("not_set", "mismatch") else None


STATE_WORDS: Mapping[str, str] = {
    _S.WAITING: "等待网关", _S.SENT: "网关正在处理", _S.DONE: "已完成", _S.CANCELLED: "已取消",
}  # fmt: skip
WHAT_WORDS: Mapping[str, str] = {CHECK: "核对", SET: "改成新密码"}
OUTCOME_WORDS: Mapping[str, str] = {
    "match": "一致", "mismatch": "不一致", "throttled": "手机暂时不让再试", "no_lock": "手机没有设锁屏密码",
    "profile": "工作资料与锁屏共用密码，不能这样核对", "not_supported": "手机系统不支持（要 Android 8.1 以上）",
    "set": "已改成新密码", "not_set": "没有改成", "unknown": "结果不明", "expired": "到时间没有办成",
    "refused": "网关没有执行", "plaintext": "只有明文连接，没有执行", "stale": "密码已另有变动，没有发出",
    "damaged": "托管记录打不开，没有发出",
}  # fmt: skip
REASON_WORDS: Mapping[str, str] = {
    "plaintext": "手机只有明文网络连接，不能传密码：请把手机用 USB 插到网关上（或改用配对的无线调试）",
    "not_seen": "网关现在联系不上这部手机", "busy": "手机正被读取", "unreachable": "网关现在联系不上这部手机",
    "unauthorized": "手机上还没有允许这台网关调试", "timeout": "手机没有按时回答", "dropped": "连接中途断开",
    "interrupted": "网关中途重启", "no_answer": "网关没有回音", "mismatch": "原密码与手机上的不一致",
    "throttled": "试错太多，手机暂时不让再试", "no_lock": "手机没有设锁屏密码", "profile": "工作资料与锁屏共用密码",
    "policy": "手机的密码规则不接受新密码", "words": "手机的回答看不懂", "unverified": "改过以后核对不上",
    "other_phone": "网关接着的不是这部手机", "no_box": "网关重启过，正在重新发送",
    "unknown_kind": "网关程序太旧，请更新", "wrong_purpose": "网关程序或密钥不符", "bad_box": "网关打不开发给它的内容",
    "not_supported": "手机系统不支持（要 Android 8.1 以上）", "adb_down": "网关的 adb 没有运行",
    "identity": "认不出手机",
}  # fmt: skip
ADVICE: Mapping[tuple[str, str], str] = {
    (CHECK, "mismatch"): "手机上的密码和备案的不同：请问清现在的密码，重新备案。网关不会自己再试。",
    (CHECK, "throttled"): "请过一段时间再核对；反复试错会让手机等待更久。",
    (CHECK, "no_lock"): "请在手机上设好锁屏密码再备案。",
    (CHECK, UNKNOWN): "这次可能试过、也可能没有。网关不会自己再试；需要的话再核对一次。",
    (
        SET,
        UNKNOWN,
    ): "新旧密码都还保留。请到手机旁先试新密码、再试旧密码（各一次），然后点“已生效”或“放弃新密码”。",
    (SET, "not_set"): "手机上仍是原来的密码，新密码还在等待；弄清原因后可以再来一次。",
}


def words_of(state: str, outcome: str | None, reason: str | None) -> str:
    """What stands on the page: the outcome and why, in Chinese."""
    if outcome is None:
        return STATE_WORDS[state]
    said = OUTCOME_WORDS.get(outcome, OUTCOME_WORDS[UNKNOWN]) if state == _S.DONE else STATE_WORDS[state]
    why = REASON_WORDS.get(reason or "", "")
    return f"{said}：{why}" if why else said
