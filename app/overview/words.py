"""Codes of the other rooms in the words that people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.compliance import FINDING_STATUS_WORDS
from app.dialling import RESULTS, WITHDRAWN
from app.incidents import STATUS_KINDS, STATUS_WORDS
from app.probes import JOURNAL_WORDS, STATE_WORDS
from app.readings import reason_words, space_words
from app.transfer import STANDING_WORDS

POWER: Mapping[str, tuple[str, str]] = {
    "on": ("good", "开机"),
    "off": ("bad", "关机"),
    "unknown": ("unknown", "未知"),
}
"""State → kind of badge and word."""
POWER_NOW: Mapping[str, tuple[str, str]] = {state: POWER[state] for state in ("on", "unknown")}
"""Off is proved only afterwards: of the present nothing but these two is known."""

VERDICT: Mapping[str, tuple[str, str]] = {
    "pass": ("good", "合规"),
    "grace": ("busy", "宽限期内"),
    "fail": ("bad", "不合规"),
    "unknown": ("unknown", "未知"),
}
FINDING: Mapping[str, tuple[str, str]] = FINDING_STATUS_WORDS
"""As those of a verdict, and 例外: a breach that was approved."""

COMMAND: Mapping[str, tuple[str, str]] = {
    "queued": ("busy", "等待网关"),
    "leased": ("busy", "已交给网关"),
    "running": ("busy", "执行中"),
    "succeeded": ("good", "已完成"),
    "failed": ("bad", "失败"),
    "not_now": ("unknown", "暂时做不到，会再试"),
    "expired": ("quiet", "已过期"),
    "cancelled": ("quiet", "已取消"),
    "superseded": ("quiet", "被新命令取代"),
}

COMMAND_KINDS: Mapping[str, str] = {
    "read_phone": "立即读取",
    "probe": "联系测试",
    "check_lock": "核对锁屏密码",
    "set_lock": "更改锁屏密码",
    "count_contacts": "清点通讯录",
    "identify_phone": "让手机亮起来",
    "inspect_phone": "读取清除证据",
    "wipe_phone": "清除全部数据",
    "transfer_data": "迁移数据",
    "stop_transfer": "停止迁移",
    "discard_copy": "销毁迁移副本",
    "remove_app": "移除应用",
    "restore_app": "恢复应用",
}

UNREACHED: Mapping[str, str] = {
    "unreachable": "连不上：手机不在网络里、已关机，或 ADB 未开",
    "unauthorized": "手机还没有允许这台电脑调试",
    "timeout": "连上了但没有在时限内回答",
    "dropped": "读取途中断开",
    "protocol": "回答的不是 ADB 协议",
    "too_large": "回答的内容过大",
    "busy": "手机或网关正忙",
    "adb_down": "网关上的 adb 服务没有运行",
    "identity": "读到的不是登记的那台手机",
}
"""None of these says that a phone is off."""

SECTIONS: Mapping[str, str] = {
    "identity": "身份",
    "power": "电源",
    "boot_reasons": "开机原因",
    "power_history": "系统开关机记录",
    "packages": "应用",
    "accounts": "账号",
    "users": "用户空间",
    "sim": "SIM 卡",
    "setup": "设置",
    "storage": "存储",
    "security": "安全",
}

SIM: Mapping[str, str] = {
    "LOADED": "正常",
    "READY": "就绪",
    "PRESENT": "已插卡",
    "ABSENT": "没有插卡",
    "NOT_READY": "未就绪",
    "PIN_REQUIRED": "等待 PIN 码",
    "PUK_REQUIRED": "已锁，等待 PUK 码",
    "NETWORK_LOCKED": "网络锁定",
    "PERM_DISABLED": "已永久停用",
    "CARD_IO_ERROR": "卡读取出错",
    "CARD_RESTRICTED": "卡受限制",
    "UNKNOWN": "未知",
}
LOCK_SCREEN: Mapping[str, str] = {"set": "已设置", "none": "没有设置", "unknown": "未知"}
WAY_BACK: Mapping[str, str] = {"usb_dock": "接 USB 底座", "tap": "在手机上点一下", "none": "没有"}


def section(name: str) -> str:
    """`packages.user10` is a part of a section: the section's word, and the part as the phone named it."""
    head, _, part = name.partition(".")
    word = SECTIONS.get(head, head)
    return f"{word}（{part}）" if part else word


ANOMALY: Mapping[str, str] = {
    "starts_differ": "同一次开机算出的开机时刻前后不一",
    "heard_before_start": "有读数早于这次开机的开机时刻",
    "outlived_shutdown": "手机记下关机之后，这次开机仍在继续",
    "boots_overlap": "两次开机的时间重叠",
}
HEALTH: Mapping[str, tuple[str, str]] = {
    "fresh": ("good", "在线"),
    "silent": ("bad", "失联"),
    "never": ("unknown", "从未上报"),
    "revoked": ("quiet", "已吊销"),
}

FOR_PAGES: Mapping[str, Mapping[str, object] | Callable[[str], str]] = {
    "power_words": POWER,
    "power_now_words": POWER_NOW,
    "verdict_words": VERDICT,
    "finding_words": FINDING,
    "command_words": COMMAND,
    "kind_words": COMMAND_KINDS,
    "moved_words": STANDING_WORDS,
    "unreached_words": UNREACHED,
    "section_word": section,
    "reason_words": reason_words,
    "space_words": space_words,
    "sim_words": SIM,
    "lock_words": LOCK_SCREEN,
    "way_back_words": WAY_BACK,
    "anomaly_words": ANOMALY,
    "health_words": HEALTH,
    "incident_words": STATUS_WORDS,
    "incident_kinds": STATUS_KINDS,
    "journal_words": JOURNAL_WORDS,
    "probe_words": STATE_WORDS,
    "dial_words": {**RESULTS, WITHDRAWN: "已撤销"},
}
