"""Codes in the words that people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

REASON: Mapping[str, str] = {
    "silent": "没有消息",
    "server": "连不上服务器",
    "adb_server": "adb 服务没有运行",
    "clock": "停顿或休眠过",
    "canary": "对照手机联系不上",
    "network": "自己的网络断了",
    "paused": "停机或停顿",
    "site_quiet": "多部手机同时失去联系",
    "intake_low": "收到的上报明显少于平时",
    "unknown": "自检未通过",
}


def reason(code: str) -> str:
    return REASON.get(code, code)


FOR_PAGES: Mapping[str, Callable[[str], str]] = {"reason_word": reason}
