"""The words and colours of this room's pages and sheets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.hardware import states
from app.hardware.disposing import CAUSES as DISPOSAL_CAUSES
from app.hardware.documents import PAYERS, life_text, yuan
from app.hardware.judging import WAYS
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
LIFE_OF: Mapping[str | None, str] = {
    "receipt": "从首次领用起", "purchase": "没有领用记录，从购买日起", None: "没有领用和购买记录",
}  # fmt: skip
FOR_PAGES: Mapping[str, Any] = {
    "state_words": STATE,
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
}
