"""The life of a wipe, and what is known in each of its states. `advance` alone moves one.

Acknowledged is not erased: only what was read, or seen, after the order tells that, and only a second person says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from app.kernel.errors import Conflict


class State(StrEnum):
    DRAFT = "draft"
    REQUESTED = "requested"
    APPROVED = "approved"
    ARMED = "armed"
    QUEUED = "queued"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    SILENT = "silent"
    INSPECTED = "inspected"
    VERIFIED = "verified"
    CERTIFIED = "certified"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"
    UNVERIFIED = "unverified"


class Event(StrEnum):
    REQUEST = "request"
    WITHDRAW = "withdraw"
    """By who asked: back to the draft."""
    REFUSE = "refuse"
    """By who should have approved: back to the draft, with the reason."""
    APPROVE = "approve"
    ARM = "arm"
    """The cooling-off is over."""
    RELEASE = "release"
    """Somebody at the phone sends the order: a command is queued for the gateway."""
    DELIVER = "deliver"
    """It leaves for the gateway in this moment."""
    GUIDE = "guide"
    """Somebody at the phone begins to reset it by hand."""
    STOP = "stop"
    """Nothing was done, and it is known that nothing was."""
    ACKNOWLEDGE = "acknowledge"
    """Android took the order, or the person says that he carried it out."""
    SILENCE = "silence"
    """The order may have been carried out, and may not."""
    INSPECT = "inspect"
    """Something was read, or seen, of the phone after the order."""
    VERIFY = "verify"
    FAIL = "fail"
    """What was found shows that the phone was not erased."""
    CONTEST = "contest"
    """Something that was found later contradicts."""
    CERTIFY = "certify"
    RETRY = "retry"
    """It is proved not erased: it may be released again under the same approval."""
    CANCEL = "cancel"
    LAPSE = "lapse"
    """Its time is over before anything was ordered."""
    GIVE_UP = "give_up"
    """The days in which it should have been inspected are over."""


S, E = State, Event

BEFORE_ORDER = (S.DRAFT, S.REQUESTED, S.APPROVED, S.ARMED, S.QUEUED)
"""Nothing has left for the phone."""
AT_PHONE = (S.DELIVERED, S.ACKNOWLEDGED, S.SILENT)
"""The phone may be erased, and nobody has looked."""
INSPECTABLE = (*AT_PHONE, S.INSPECTED, S.UNVERIFIED)
ENDED = (S.CERTIFIED, S.CANCELLED, S.EXPIRED, S.FAILED, S.UNVERIFIED)
"""Another wipe of the same phone may be opened."""
OPEN = tuple(state for state in S if state not in ENDED)
UNGUARDED = (S.DRAFT, S.REQUESTED, S.APPROVED, S.ARMED, S.CANCELLED, S.EXPIRED, S.FAILED)
"""Nothing is under way and nothing was erased: a lock that was cleared for an order is missed."""

NEXT: Mapping[tuple[State, Event], State] = {
    (S.DRAFT, E.REQUEST): S.REQUESTED,
    (S.REQUESTED, E.WITHDRAW): S.DRAFT,
    (S.REQUESTED, E.REFUSE): S.DRAFT,
    (S.APPROVED, E.WITHDRAW): S.DRAFT,
    (S.ARMED, E.WITHDRAW): S.DRAFT,
    (S.REQUESTED, E.APPROVE): S.APPROVED,
    (S.APPROVED, E.ARM): S.ARMED,
    (S.ARMED, E.RELEASE): S.QUEUED,
    (S.ARMED, E.GUIDE): S.DELIVERED,
    (S.QUEUED, E.DELIVER): S.DELIVERED,
    # Silent, too: an agent that was cut off tells late that it did nothing, or that Android took the order.
    **{(state, E.STOP): S.ARMED for state in (S.QUEUED, S.DELIVERED, S.SILENT)},
    **{(state, E.ACKNOWLEDGE): S.ACKNOWLEDGED for state in (S.DELIVERED, S.SILENT)},
    **{(state, E.SILENCE): S.SILENT for state in (S.DELIVERED, S.ACKNOWLEDGED)},
    **{(state, E.INSPECT): S.INSPECTED for state in INSPECTABLE},
    (S.INSPECTED, E.VERIFY): S.VERIFIED,
    (S.INSPECTED, E.FAIL): S.FAILED,
    (S.VERIFIED, E.CONTEST): S.INSPECTED,
    (S.VERIFIED, E.CERTIFY): S.CERTIFIED,
    (S.FAILED, E.RETRY): S.ARMED,
    # What has left for the phone is not taken back: to call it cancelled would be a guess.
    **{(state, E.CANCEL): S.CANCELLED for state in BEFORE_ORDER},
    **{(state, E.LAPSE): S.EXPIRED for state in (S.DRAFT, S.REQUESTED, S.APPROVED, S.ARMED)},
    **{(state, E.GIVE_UP): S.UNVERIFIED for state in (S.ACKNOWLEDGED, S.SILENT, S.INSPECTED)},
}


def advance(state: State, event: Event) -> State:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    after = NEXT.get((state, event))
    if after is None:
        raise Conflict(
            f"现在的状态（{WORDS[state]}）不能这样处理，请刷新 / a wipe that is {state} cannot {event}",
            code="wipe_state",
        )
    return after


WORDS: Mapping[str, str] = {
    S.DRAFT: "草稿", S.REQUESTED: "待批准", S.APPROVED: "已批准，冷静期", S.ARMED: "可以执行", S.QUEUED: "等待网关",
    S.DELIVERED: "指令已发出", S.ACKNOWLEDGED: "手机已接受指令", S.SILENT: "结果不明", S.INSPECTED: "待第二人确认",
    S.VERIFIED: "已验证", S.CERTIFIED: "已出证明", S.CANCELLED: "已取消", S.EXPIRED: "已过期", S.FAILED: "没有清除",
    S.UNVERIFIED: "无法证实",
}  # fmt: skip
KNOWN: Mapping[str, str] = {
    S.DRAFT: "手机没有任何变化。",
    S.REQUESTED: "手机没有任何变化，等另一人批准。",
    S.APPROVED: "已由另一人批准，冷静期内什么都不会发生。",
    S.ARMED: "可以执行；还没有指令发出，手机没有任何变化。",
    S.QUEUED: "指令在服务器上等网关来取，手机没有任何变化。",
    S.DELIVERED: "指令已经离开服务器（或有人正在手机上操作），手机可能正在清除，也可能还没有开始。",
    S.ACKNOWLEDGED: "手机（或操作的人）说已经开始清除。这还不证明数据已经清除。",
    S.SILENT: "指令可能执行了，也可能没有，现在没人知道。",
    S.INSPECTED: "已有清除之后的检查结果，等第二人确认。",
    S.VERIFIED: "第二人已确认数据已清除，证明还没有出。",
    S.CERTIFIED: "数据已清除，并有可以离线核验的证明。",
    S.CANCELLED: "在发出指令之前取消，手机没有任何变化。",
    S.EXPIRED: "批准或执行的期限已过，指令没有发出，手机没有任何变化。",
    S.FAILED: "检查表明数据没有清除，手机里还有原来的内容。",
    S.UNVERIFIED: "指令发出过，但没有证据表明数据已清除。请当作没有清除对待。",
}
_TRIED: Mapping[str, str] = {
    S.ARMED: "可以执行；执行过而没有清除，原来的内容还在手机里。",
    S.CANCELLED: "已取消；执行过而没有清除，原来的内容还在手机里。",
    S.EXPIRED: "期限已过；执行过而没有清除，原来的内容还在手机里。",
}
_UNLOCKED = "没有清除，但网关为清除去掉过锁屏密码：手机现在可能没有锁，原来的内容谁都能看。"


def known(state: str, *, tries: int, lock_cleared: bool) -> str:
    """What is known in a state, for people. Of a wipe that was released before it is not said that nothing was."""
    if lock_cleared and state in (*BEFORE_ORDER, S.CANCELLED, S.EXPIRED):
        return _UNLOCKED
    return (_TRIED.get(state) if tries else None) or KNOWN[state]


TO_DO: Mapping[str, str] = {
    S.DRAFT: "填完清单，由 IT、运营或主管提交。",
    S.REQUESTED: "由另一位主管（主管申请的，也可以是运营）核对后用验证器批准，或退回。",
    S.APPROVED: "等冷静期结束；发现不对可以撤回或取消。",
    S.ARMED: "IT 把手机接到网关上，核对资产编号和 IMEI 后执行；也可以按步骤手工恢复出厂。",
    S.QUEUED: "保持手机与网关连接；几分钟内没有发出会自动回到“可以执行”。",
    S.DELIVERED: "不要拔线、不要断电，等几分钟；没有回音会变成“结果不明”。",
    S.ACKNOWLEDGED: "等手机重新开机，然后检查：能连上的自动读取，连不上的由第二人当面检查并拍照。",
    S.SILENT: "到手机旁看一眼并做检查；检查表明没有清除，才能再执行一次。不要凭猜测再发指令。",
    S.INSPECTED: "由没有参与执行的主管确认检查结果。",
    S.VERIFIED: "由执行人和检查人签字，出具数据销毁证明。",
    S.CERTIFIED: "按证明上写的去向处理手机。",
    S.CANCELLED: "需要时重新申请。",
    S.EXPIRED: "仍要清除的，重新申请。",
    S.FAILED: "弄清原因后可以再执行一次，或改为手工恢复出厂；手机锁好，不要交给别人。",
    S.UNVERIFIED: "手机锁好，不要交给别人。仍可以补做检查，或重新申请清除。",
}
