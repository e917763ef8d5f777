"""What codes of this room are called, for people."""

from __future__ import annotations

from collections.abc import Mapping

from app.compliance import SEVERITY_WORDS, title_of
from app.remedy.rules import NOT_INSPECTED

WHY: Mapping[str, str] = {
    "due": "期限已到，仍未整改",
    "unread": "长时间读不到，不能判断",
    "protected": "网关在手机上看到它受保护（例如短信、桌面、输入法、设备管理员或系统应用），没有动它",
    "unchanged": "手机拒绝了卸载、停用和暂停：应用还在",
    "unclear": "网关没有说清结果：可能已移除，也可能没有",
    "still_there": "网关说已移除，但之后的读取仍看到它",
    "not_read": "网关说已移除，但之后一直没有读到手机，不能核实",
    "other_identity": "之后读到的手机系统标识不同（可能换了手机，或被重置过），不能核实",
    "failed": "网关没有完成移除",
    "refused": "网关拒绝了这条指令",
    "expired": "期限内没有网关能执行这条指令",
    "cancelled": "移除指令被取消",
    "no_answer": "网关接了指令，一直没有回音",
    "blocked": "到了移除的时间，但有事项挡着",
    "not_sent": "发出前复核没有通过，没有发出",
}
"""Why a case is a task."""
STEPS: Mapping[str, str] = {
    "open": "发现", "fail": "不合规，通知管家", "ease": "回到宽限期", "tell": "通知", "tell_lead": "通知主管",
    "ask": "转人工处理", "order": "下令移除", "next": "继续下一个用户空间", "send": "指令发给网关",
    "resend": "指令再次发给同一网关", "postpone": "网关暂时不能执行", "word": "网关回报", "late_word": "网关迟到的回报",
    "done": "网关已执行，等读取核实",
    "stop": "没有移除", "cancel": "取消移除", "verify": "读取核实：已移除", "go": "读取核实：已消除",
    "exempt": "已批准例外", "leave": "手机已离开", "dismiss": "搁置", "restore": "下令恢复",
    "bring_back": "已恢复", "keep": "没有恢复", "return": "再次出现", "unknown": "读不到了", "known": "又读到了",
}  # fmt: skip
REASONS: Mapping[str, str] = {
    "role_sms": "它是短信应用", "role_dialer": "它是电话应用", "role_home": "它是桌面",
    "role_assistant": "它是语音助手", "role_browser": "它是浏览器", "input_method": "它是输入法",
    "device_owner": "它管理这台设备",
    "profile_owner": "它管理工作资料", "device_admin": "它是设备管理员", "system_app": "它是系统应用",
    "needed": "管家手机自己要用它", "web_view": "系统显示网页要用它", "not_read": "读不到它是不是受保护，所以没有动",
    "vendor_setting": "手机不允许：打开 开发者选项 → USB 调试（安全设置）后再试", "device_policy": "被设备管理策略禁止",
    "not_permitted": "系统不允许", "failed": "手机报告失败", "needs_tap": "手机上要点一次确认",
    "comes_back": "移除后马上又回来了", "lied": "手机说成功了，但什么也没有变",
    "refused": "手机拒绝了", "only_updates": "只卸载了更新，系统自带的那一份还在", "user_restricted": "用户限制不允许",
    "user_not_readable": "读不到那个用户空间", "app_pinned": "应用正被固定在屏幕上", "vendor_refuses": "厂家系统不允许",
    "not_supported": "系统不支持", "unread": "没有读懂手机的回答", "words": "没有读懂手机的回答",
    "full_uninstall": "已完全卸载，要重新安装", "user_not_there": "手机上没有这个用户空间",
    "expect": "接上的手机系统标识和下令时不同：可能是另一台改成了它的序列号，或它被重置过。没有动它",
    "other_phone": "接上的是另一台手机", "identity": "没有读到手机的身份",
    "interrupted": "执行到一半中断，会再试", "contradicts_itself": "回报和它自己看到的不一致",
    "plaintext": "连接没有加密：请用 USB 或无线调试接上", "unreachable": "连不上手机",
    "unauthorized": "手机没有允许调试", "timeout": "手机没有及时回应", "busy": "手机正忙",
}  # fmt: skip
"""What a gateway gives as its reason, where known."""
OUTCOMES: Mapping[str, str] = {
    "uninstalled": "已卸载", "gone": "手机上已没有", "disabled": "已停用", "suspended": "已暂停使用",
    "protected": "受保护，没有动", "unchanged": "没有变化", "unknown": "结果不明", "restored": "已恢复",
}  # fmt: skip


def reason_words(reason: str) -> str:
    return REASONS.get(reason, reason)


def code_words(code: str) -> str:
    return "有内容一直读不到" if code == NOT_INSPECTED else title_of(code)


def severity_words(severity: str) -> str:
    """A severity that a later version knows is shown as it is called."""
    return SEVERITY_WORDS[severity][1] if severity in SEVERITY_WORDS else severity
