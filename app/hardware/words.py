"""The words and colours of this room's pages and sheets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.hardware import states
from app.hardware.disposing import CAUSES as DISPOSAL_CAUSES
from app.hardware.documents import PAYERS, life_text, yuan
from app.hardware.judging import WAYS
from app.hardware.loss_rules import CANNOT, OPEN, OUTCOMES, WATCH
from app.hardware.noting import STEPS
from app.hardware.repairing import RESULTS
from app.hardware.states import Case
from app.hardware.tools import CAUSES, KINDS

STATE: Mapping[str, tuple[str, str]] = {
    state: (colour, states.WORDS[state])
    for state, colour in {
        Case.REPORTED: "bad", Case.REPAIR: "busy", Case.DEMANDED: "unknown", Case.OFFERED: "busy",
        Case.BUYING: "busy", Case.DEDUCTING: "busy", Case.REPAIRED: "good", Case.REPLACED: "good",
        Case.FOUND: "good", Case.DROPPED: "quiet",
    }.items()
}  # fmt: skip
VERDICT: Mapping[str, tuple[str, str]] = {
    "ok": ("good", "不低于原机"), "lower": ("bad", "低于原机"), "unknown": ("unknown", "无法比较"),
}  # fmt: skip
NEXT: Mapping[str, str] = {
    Case.REPORTED: "先请本人陈述（本人登录后在“我的赔付”里写，没有账号的由主管、运营代写），再由主管或运营认定。",
    Case.REPAIR: "把手机送修，修好后登记结果和票据；修不好的登记后转为换机。",
    Case.DEMANDED: "等本人在期限内提交同品牌、不低于原机的新机；本人不买的，转由中心购机。",
    Case.OFFERED: "逐项看新机和原机的比较，接受或退回。",
    Case.BUYING: "由运营或主管登记中心购机的发票；由本人承担的，同时下达扣款单。",
    Case.DEDUCTING: "申诉期过后，由财务逐月确认扣款；扣完自动结束。",
}
"""What comes next in a case that is not over, whoever looks."""
LIFE_OF: Mapping[str | None, str] = {
    "receipt": "从首次领用起", "purchase": "没有领用记录，从购买日起", None: "没有领用和购买记录",
}  # fmt: skip
FOR_PAGES: Mapping[str, Any] = {
    "state_words": STATE,
    "next_words": NEXT,
    "open_cases": states.OPEN_CASES,
    "kind_words": KINDS,
    "cause_words": CAUSES,
    "payer_words": PAYERS,
    "step_words": STEPS,
    "way_words": WAYS,
    "result_words": RESULTS,
    "verdict_words": VERDICT,
    "order_words": states.ORDER_WORDS,
    "appeal_words": states.APPEAL_WORDS,
    "offer_words": {"waiting": "待核对", "accepted": "已接受", "rejected": "已退回"},
    "disposal_causes": DISPOSAL_CAUSES,
    "disposal_words": states.DISPOSAL_WORDS,
    "life_words": LIFE_OF,
    "life_text": life_text,
    "yuan": yuan,
    "loss_outcomes": OUTCOMES,
    "loss_open": OPEN,
    "loss_watch": WATCH,
    "loss_cannot": CANNOT,
}
