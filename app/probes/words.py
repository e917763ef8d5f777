"""Codes in the words that people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

STATE: Mapping[str, tuple[str, str]] = {
    "planned": ("quiet", "待测试"),
    "sent": ("busy", "正在测试"),
    "reached": ("good", "联系上"),
    "not_reached": ("unknown", "没联系上"),
    "inconclusive": ("quiet", "测试无效"),
    "missed": ("quiet", "没有执行"),
}
"""State → kind of badge and word. "Not reached" is no verdict, so it is not red."""

CAUSE: Mapping[str, str] = {"scheduled": "随机测试", "report": "客户反映", "person": "人工测试"}

REASON: Mapping[str, str] = {
    "unreachable": "没有回应",
    "heard": "测试期间网关读到了手机",
    "server": "网关当时连不上服务器",
    "adb_server": "网关的 adb 服务没有运行",
    "clock": "网关当时停顿过",
    "canary": "站点的对照手机也联系不上",
    "network": "网关自己的网络断了",
    "no_way": "网关不知道怎样联系这部手机",
    "unauthorized": "手机没有允许网关调试",
    "busy": "手机或网关正忙",
    "adb_down": "网关的 adb 服务没有运行",
    "timeout": "手机有回应但没有在时限内答完",
    "dropped": "手机有回应但中途断开",
    "protocol": "手机的回答不完整",
    "too_large": "手机的回答过大",
    "identity": "手机没有说出自己的身份",
    "other_phone": "那个地址上是另一部手机",
    "interrupted": "网关在测试中途重启",
    "internal": "网关出错",
    "cut_short": "几次尝试没有做完",
    "undated": "网关重启过，尝试的时刻不明",
    "bad_detail": "网关的回报看不懂",
    "not_taken": "没有网关按时取走",
    "late": "服务器或站点当时不可信，没有发出",
    "retired": "手机已停用",
    "refused": "网关不做这种测试",
    "unknown_kind": "网关版本太旧",
    "expired": "网关没有按时开始",
    "failed": "网关没有回报",
    "cancelled": "命令被取消",
    "superseded": "被新的测试取代",
}


JOURNAL: Mapping[str, tuple[str, str, str]] = {
    "kept": ("good", "在记", "手机自己的日志在运行：正常关机能被证明"),
    "none": ("bad", "没有", "一直读得到，却没有取到日志：关机将无从证明，请看网关日志"),
    "unknown": ("unknown", "未知", "最近没有读到，或刚开始读，还说不准"),
}
"""State → kind of badge, word, and what it means."""


def reason(code: str | None) -> str:
    """A code that has no words is shown as it is: better than nothing to the one who looks for it."""
    return "" if code is None else REASON.get(code, code)


FOR_PAGES: Mapping[str, Mapping[str, object] | Callable[[str | None], str]] = {
    "state_words": STATE,
    "cause_words": CAUSE,
    "reason_word": reason,
    "journal_words": JOURNAL,
}
