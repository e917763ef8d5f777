"""Why a part of a phone could not be read, for people. An agent tells it in English; a newer agent may tell what is not
known here, which is shown as it came."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "a line of the boot history was not understood": "开机记录里有一行看不懂",
        "a role's holder was not understood": "看不懂默认应用是哪一个",
        "an app's time is missing": "有应用没有安装时间",
        "an app's time was not understood": "看不懂应用的安装时间",
        "more than one device owner": "管理设备的程序不止一个",
        "more than one where one is due": "本应只有一个，却不止一个",
        "neither of its sources could be read": "两处来源都读不到",
        "no package was listed": "一个应用也没有列出",
        "no part of it could be read": "全部读不到",
        "no setting was listed": "一项设置也没有列出",
        "no user was listed": "一个用户空间也没有列出",
        "no user's packages could be read": "没有一个用户空间的应用能读到",
        "not available on this phone": "这部手机没有此功能",
        "not set": "没有设置",
        "not told before Android 10": "安卓 10 以前的手机不提供",
        "not understood": "看不懂手机的回答",
        "permission denied": "手机不允许读取",
        "settings or properties could not be read": "读不到设置或系统属性",
        "the Android version is not known": "不知道安卓版本",
        "the accounts listed are not those counted": "列出的账号与个数不符",
        "the answer is no IMEI": "手机的回答不是 IMEI",
        "the battery's values are overridden on the phone": "手机上的电池数值被人为改过",
        "the owner was not understood": "看不懂由哪个程序管理",
        "the phone did not send it": "手机没有回答",
        "the phone does not say": "手机没有说明",
        "the phone does not say (no modem, or it is not up yet)": "手机没有说明（没有电话模块，或还没有就绪）",
        "the phone does not say how this user has it": "手机没有说明这个用户空间里的状态",
        "the phone does not say whether it is installed": "手机没有说明是否已安装",
        "the phone does not say whether it is there": "手机没有说明是否存在",
        "the phone is still booting": "手机还在开机",
        "the phone keeps no boot count": "手机不记开机次数",
        "the phone keeps no history of boots": "手机不记开机经过",
        "the phone lists it and denies it": "手机前后说法不一",
        "the phone says two things of it": "手机前后说法不一",
        "the phone tells none of its own": "手机没有自己的序列号",
        "the phone's properties contradict each other": "手机的属性互相矛盾",
        "the properties or settings could not be read": "读不到系统属性或设置",
        "the settings could not be read": "读不到设置",
        "the user's roles are not listed": "没有列出默认应用",
        "timed out on the phone": "手机上超时",
        "truncated": "手机的回答不完整",
    }
)
_PATTERNS = (
    (re.compile(r"the command failed \((-?\d+)\)"), r"手机上的命令失败（\1）"),
    (re.compile(r"the phone's error: (.+)"), r"手机报错：\1"),
    (re.compile(r"missing for (\d+) of (\d+) packages"), r"\2 个应用里有 \1 个没有读到"),
    (re.compile(r"(\d+) of them were not whole"), r"有 \1 项不完整"),
)


def reason_words(reason: str) -> str:
    """In Chinese where it is known, else as the agent told it."""
    if reason in _WORDS:
        return _WORDS[reason]
    for pattern, words in _PATTERNS:
        found = pattern.fullmatch(reason)
        if found:
            return found.expand(words)
    return reason
