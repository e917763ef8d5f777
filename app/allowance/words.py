"""The words of this room, for pages, notices and sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.allowance.rules import SHANGHAI, LineState
from app.allowance.states import State
from app.kernel.clock import from_rfc3339
from app.kernel.money import format_yuan

LINE: Mapping[str, tuple[str, str]] = {
    LineState.PAYABLE: ("good", "照发"),
    LineState.CANCELLED: ("bad", "取消"),
    LineState.HELD: ("unknown", "待定"),
}
CLAIM: Mapping[str, tuple[str, str]] = {
    State.FILED: ("busy", "待审"),
    State.APPROVED: ("good", "已批准"),
    State.REJECTED: ("bad", "已驳回"),
    State.WITHDRAWN: ("quiet", "已撤回"),
    State.REVERSED: ("unknown", "已冲回"),
}
ACCOUNT: Mapping[str, str] = {
    "grant": "话费补贴",
    "cancellation": "取消补贴",
    "topup": "充值报销",
    "R05": "手机赔付扣款",
}
MATTER: Mapping[str, str] = {"strike": "关机成立", "suspected": "待查", "undecided": "待定"}


def yuan(fen: int) -> str:
    """`¥12.30`, `-¥12.30`."""
    return ("-¥" if fen < 0 else "¥") + format_yuan(abs(fen))


def minute(text: str) -> str:
    """An instant in RFC 3339 as `2026-10-12 10:00` in Shanghai."""
    return from_rfc3339(text).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def reasons(state: str, strikes: int, suspected: int, undecided: int) -> str:
    """Why a line is what it is, in words for the person concerned."""
    waiting = "，".join(
        part
        for part in (f"{suspected} 次待查" if suspected else "", f"{undecided} 次待定" if undecided else "")
        if part
    )
    if state == LineState.CANCELLED:
        return f"当月 {strikes} 次关机成立（R02），取消当月补贴，话费自理"
    if state == LineState.HELD:
        struck = f"{strikes} 次关机成立，" if strikes else ""
        return f"{struck}另有 {waiting}，定案后再发"
    told = [f"{strikes} 次关机成立，未达取消次数" if strikes else "", waiting and f"另有 {waiting}"]
    return "；".join(part for part in told if part) or "无关机记录"


def shares_text(shares: Sequence[Mapping[str, Any]], posts: Mapping[str, str]) -> str:
    """`一号片区管家 20 天 ¥32.26`."""
    parts = (f"{posts.get(s['post'], '岗位')} {s['days']} 天 {yuan(s['fen'])}" for s in shares)
    return "；".join(parts)


FOR_PAGES = {
    "line_words": LINE,
    "claim_words": CLAIM,
    "account_words": ACCOUNT,
    "matter_words": MATTER,
    "yuan": yuan,
    "minute": minute,
    "reasons": reasons,
    "shares_text": shares_text,
}
