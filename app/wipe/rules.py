"""Strategies, the checklist, what is typed, and what an agent's word means. Plain values only."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

STRATEGIES: Mapping[str, str] = {
    "test_harness": "由网关下令重置（Android 10 以上，手机上没有账号）",
    "guided": "由人在手机上恢复出厂设置",
    "device_owner": "在厂商或设备管理平台的控制台下令，由人确认",
}
BY_AGENT, BY_HAND = "agent", "hand"
DESTINATIONS: Mapping[str, str] = {
    "reissue": "留用，重新发放", "storage": "入库保管", "return": "退还供应商或运营商", "recycle": "回收、报废",
}  # fmt: skip
ANSWERS: Mapping[str, str] = {"yes": "已确认", "no": "没有", "unknown": "不清楚", "not_applicable": "不适用"}
CHECKLIST: Mapping[str, str] = {
    "accounts": "手机上的账号（谷歌、厂商、微信等）已全部退出并移除",
    "frp": "“查找手机”和恢复出厂保护（FRP）已关闭",
    "sd": "存储卡（SD）已取出",
    "sim": "SIM 卡已取出",
    "esim": "eSIM 号码已转出或删除",
    "backup": "需要留存的资料已另有备份，不在本机独存",
    "label": "机身标签与资产编号一致",
}
MUST: Mapping[str, tuple[str, ...]] = {
    "accounts": ("yes", "not_applicable"),
    "frp": ("yes", "not_applicable"),
    "label": ("yes",),
    "backup": ("yes", "not_applicable"),
}
"""What must be so before it may be asked for: an account that stays locks the erased phone (FRP)."""
BEYOND_REPAIR = "beyond_repair"


@dataclass(frozen=True)
class Blocker:
    """Why a wipe may not go on. `words` say it to people, with the way out; `link` is a path, "" for none.

    `waivable`: a second approver may set it aside (a broken phone whose contract still runs).
    """

    code: str
    words: str
    link: str = ""
    waivable: bool = False


def checklist_gaps(checklist: Mapping[str, Any]) -> list[str]:
    """Items that are not answered, or not answered as they must be."""
    gaps = []
    for item in CHECKLIST:
        answer = (checklist.get(item) or {}).get("answer")
        if answer not in MUST.get(item, tuple(ANSWERS)):
            gaps.append(item)
    return gaps


def typed_right(asset_tag: str, imeis: Sequence[str], tag: str, imei6: str) -> bool:
    """Whether what was typed names this phone: the whole tag, and the last six of one of its IMEIs."""
    right = hmac.compare_digest(_plain(tag).encode(), _plain(asset_tag).encode())
    six = imei6.strip()
    ends = [hmac.compare_digest(six.encode(), imei[-6:].encode()) for imei in imeis]
    return right and len(six) == 6 and any(ends)


def _plain(text: str) -> str:
    """Case and blanks are no difference between two phones' tags."""
    return "".join(text.split()).casefold()


Meaning = Literal["running", "accepted", "nothing", "unknown"]
_NOTHING_STATES = frozenset({"refused", "not_now", "expired"})


@dataclass(frozen=True)
class Word:
    """What an agent's word on the order means. `accepted`: Android took it. `nothing`: nothing was done, and the agent
    knows that. All that is not plainly one of these is `unknown`: it may have been carried out.
    """

    meaning: Meaning
    reason: str | None
    stage: str | None = None
    lock_cleared: bool = False


def word_of(state: str, detail: Mapping[str, Any]) -> Word:
    """Of an agent's word: the queue's state and what it kept of the detail."""
    reason = _code(detail.get("reason"))
    cleared = detail.get("lock_cleared") is True or detail.get("stage") == "lock_cleared"
    # Null says that it may have been cleared: whoever is not sure guards the phone as if it were.
    cleared = cleared or ("lock_cleared" in detail and detail["lock_cleared"] is None)
    if state == "running":
        return Word("running", reason, _code(detail.get("stage")), cleared)
    if state == "succeeded":
        accepted = detail.get("outcome") == "accepted"
        return Word("accepted" if accepted else "unknown", reason, None, cleared)
    if state in _NOTHING_STATES:
        return Word("nothing", reason or state, None, cleared)
    return Word("unknown", reason or "failed", None, cleared)


REASONS: Mapping[str, str] = {
    "checked": "已核对手机",
    "lock_cleared": "已清掉锁屏密码",
    "sent": "正在下令（是否送达还不知道）",
    "other_phone": "网关接着的不是这台手机",
    "no_imei": "手机不告诉 IMEI，要在执行时输入 *#06# 显示的 IMEI",
    "identity": "认不出手机",
    "expect": "手机与执行时看到的不同（换过手机或重启过）：重新读取后再执行",
    "accounts": "手机上还有账号（或读不到）：先在手机上全部移除",
    "too_old": "手机系统太旧，不支持由网关清除：请手工恢复出厂",
    "not_supported": "手机不支持由网关清除：请手工恢复出厂",
    "no_block": "手机没有所需的分区：请手工恢复出厂",
    "lock_set": "手机有锁屏密码而没有备案：在手机上关闭锁屏，或备案后再来",
    "lock_wrong": "备案的锁屏密码不对（试了一次）",
    "lock_throttled": "手机暂时不让再试密码",
    "lock_profile": "工作资料占用锁屏密码，不能由网关清除",
    "lock_unclear": "清锁屏密码的结果不明，手机可能已没有锁",
    "bad_args": "网关看不懂指令，请更新网关程序",
    "bad_box": "网关打不开发给它的内容",
    "wrong_purpose": "网关程序或密钥不符",
    "unknown_kind": "网关程序太旧，请更新",
    "not_seen": "网关现在联系不上这台手机",
    "busy": "手机正被读取",
    "unauthorized": "手机上没有允许这台网关调试",
    "plaintext": "只有明文网络连接：请用 USB 线接到网关",
    "no_box": "网关重启过",
    "unreachable": "联系不上手机",
    "timeout": "手机没有按时回答",
    "dropped": "连接中途断开",
    "protocol": "手机的回答不合规则",
    "refused": "网关没有执行",
    "words": "手机的回答看不懂",
    "interrupted": "网关中途重启",
    "internal": "网关内部错误",
    "expired": "网关拿到时已过期",
    "adb_down": "网关的 adb 没有运行",
    "too_large": "手机的回答太长",
    "not_now": "网关现在做不了",
    "failed": "网关没有说清结果",
    "not_taken": "到时间没有网关来取，或被收回",
    "no_answer": "网关没有回音",
    "no_sign": "很久没有手机的消息",
    "recalled": "已收回",
    "not_begun": "操作的人说没有开始",
    "tampered": "记录与审计不符，没有发出",
    "identity_changed": "手机的档案改过，没有发出",
    "android_changed": "手机的系统标识与申请时不同，没有发出",
    "approver_gone": "批准的人已停用或不再有批准权，没有发出",
    "performer_gone": "执行的人已停用或不再有执行权，没有发出",
    "lock_damaged": "备案的锁屏密码打不开，没有发出",
    "stale": "执行得太久以前（可能恢复过备份），没有发出",
    "restored": "数据库比外面的检查点旧，没有发出",
    "placeholder_serial": "序列号是很多手机共用的，没有发出",
    "retired": "手机已在档案中停用，没有发出",
    "not_met": "申请之前网关没有读到过它，没有发出",
    "too_new": "网关以现在的系统标识认识它的时间还太短，没有发出",
    "identity_contradicted": "以它的序列号应答的是另一台手机，没有发出",
    "handover_open": "交接还没有完成，没有发出",
    "held": "手机被锁定，没有发出",
    "in_custody": "手机还在岗位名下，没有发出",
    "transfer_open": "数据没有迁移核对好，没有发出",
    "used_later": "迁移以后还在使用，没有发出",
    "moved_other": "迁移数据的手机系统标识不同，没有发出",
    "lost": "手机报了遗失，没有发出",
    "no_disposal": "待销毁的决定取消或换了，没有发出",
    "contract_runs": "号码合约没有到期，没有发出",
    "lock_order": "网关正在处理它的锁屏密码，没有发出",
    "checklist": "清单没有满足，没有发出",
    "cooling": "冷静期没有结束，没有发出",
    "lapsed": "批准已过期，没有发出",
    "rate_centre": "本中心 24 小时内的次数到了，没有发出",
    "rate_person": "执行的人一小时内的次数到了，没有发出",
}


def reason_words(code: str) -> str:
    """What a code is called; one that is not known stands as it is."""
    return REASONS.get(code, code)


def _code(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= 40 and value.isascii() else None


def over(since: dt.datetime | None, now: dt.datetime, span: dt.timedelta) -> bool:
    """Whether a span has passed since then; also when that instant is not known, or lies ahead of the clock."""
    return since is None or now < since or now - since > span
