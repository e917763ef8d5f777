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
    if state == "running":
        return Word("running", reason, _code(detail.get("stage")), cleared)
    if state == "succeeded":
        accepted = detail.get("outcome") == "accepted"
        return Word("accepted" if accepted else "unknown", reason, None, cleared)
    if state in _NOTHING_STATES:
        return Word("nothing", reason or state, None, cleared)
    return Word("unknown", reason or "failed", None, cleared)


def _code(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= 40 and value.isascii() else None


def over(since: dt.datetime | None, now: dt.datetime, span: dt.timedelta) -> bool:
    """Whether a span has passed since then; also when that instant is not known, or lies ahead of the clock."""
    return since is None or now < since or now - since > span
