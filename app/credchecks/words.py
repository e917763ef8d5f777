"""What is shown of items and cases."""

from __future__ import annotations

from collections.abc import Mapping

from app.credchecks.model import CheckItem
from app.credchecks.rules import SECRET
from app.credchecks.states import CASE_WORDS, FINDING_WORDS, ITEM_WORDS, ROUND_WORDS, Case, Item

SOURCE_WORDS: Mapping[str, str] = {
    "typed": "输入核对", "phone": "手机上核对", "attested": "现场查看", "entered": "登记", "system": "系统",
}  # fmt: skip
BADGES: Mapping[str, str] = {
    Item.OPEN: "busy", Item.MATCH: "good", Item.MISMATCH: "bad", Item.NOT_REACHABLE: "unknown",
    Item.UNFILED: "unknown", Item.WAIVING: "busy", Item.WAIVED: "quiet",
}  # fmt: skip
CASE_BADGES: Mapping[str, str] = {
    Case.OPENED: "busy", Case.STATED: "busy", Case.SILENT: "unknown", Case.DECIDED: "bad", Case.APPEALED: "busy",
    Case.ANSWERED: "bad", Case.CLOSED: "quiet", Case.DROPPED: "quiet",
}  # fmt: skip
EVENT_WORDS: Mapping[str, str] = {
    "match": "一致", "mismatch": "不一致", "unreachable": "无法核对", "file": "已备案，待核对", "lack": "未备案",
    "ask_waiver": "申请免核对", "waive": "免核对", "grant_waiver": "批准免核对", "refuse_waiver": "不批准免核对",
    "reopen": "重新核对", "retire": "已停用",
}  # fmt: skip
OF_WORDS: Mapping[str, str] = {"handset": "手机", "number": "号码", "wechat": "微信号"}
FOR_PAGES = {
    "item_words": ITEM_WORDS, "badges": BADGES, "source_words": SOURCE_WORDS, "case_words": CASE_WORDS,
    "case_badges": CASE_BADGES, "finding_words": FINDING_WORDS, "round_words": ROUND_WORDS,
    "event_words": EVENT_WORDS, "of_words": OF_WORDS,
}  # fmt: skip


def item_word(item: CheckItem) -> str:
    """A screen lock that does not match is 未备案, nobody's fault: its butler may change it himself (R07)."""
    if item.state == Item.MISMATCH and item.area == SECRET and item.of == "handset":
        return "不一致（未备案）"
    return ITEM_WORDS[item.state]
