"""The words and colours of the wipe's pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.transfer import STANDING_WORDS
from app.wipe import states
from app.wipe.chain_rules import COLOURS, LIVE
from app.wipe.noting import STEPS
from app.wipe.rules import ANSWERS, CHECKLIST, DESTINATIONS, MUST, STRATEGIES, reason_words

STATE: Mapping[str, tuple[str, str]] = {
    state: (COLOURS[state], states.WORDS[state]) for state in states.State
}
LOCK: Mapping[str, str] = {"set": "设了锁屏", "none": "没有锁屏", "unknown": "锁屏未知"}
HINTS: Mapping[str, str] = {
    "accounts": "重置以后还绑着账号的手机会锁住，谁也用不了。",
    "frp": "见品牌说明里的“账号和激活锁”。",
    "sd": "恢复出厂不清除存储卡；没有卡槽的选“不适用”。",
    "sim": "卡跟号码走，不随手机处理。",
    "esim": "没有 eSIM 的选“不适用”。",
    "backup": "数据迁移核对通过的就是“已确认”。",
    "label": "拿起手机看背面的标签。",
}
FOR_PAGES: Mapping[str, Any] = {
    "wipe_words": STATE,
    "wipe_known": states.known,
    "wipe_todo": states.TO_DO,
    "wipe_unguarded": states.UNGUARDED,
    "wipe_live": LIVE,
    "wipe_steps": STEPS,
    "strategies": STRATEGIES,
    "destinations": DESTINATIONS,
    "checklist_items": CHECKLIST,
    "checklist_hints": HINTS,
    "checklist_must": MUST,
    "answers": ANSWERS,
    "lock_words": LOCK,
    "moved_words": STANDING_WORDS,
    "reason_words": reason_words,
}
