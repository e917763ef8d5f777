"""The kinds of group robots that are taken: WeCom, DingTalk, Feishu, Lark, and JSON to a server of one's own.

Each is asked by name: the library's own look-up would load a hundred others, and take addresses of any of them.
Only when there is a robot, too: the library takes 19 MB in every web process.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any
from urllib.parse import quote

from app.settings import LOOPBACK_HOSTS

MAX_CHARS = 1000
# The word for people; the library's module and class.
_PLUGINS: dict[str, tuple[str, str, str]] = {
    "wecombot": ("企业微信", "wecombot", "NotifyWeComBot"),
    "dingtalk": ("钉钉", "dingtalk", "NotifyDingTalk"),
    "feishu": ("飞书", "feishu", "NotifyFeishu"),
    "lark": ("Lark", "lark", "NotifyLark"),
    "jsons": ("JSON", "custom_json", "NotifyJSON"),
    "json": ("JSON", "custom_json", "NotifyJSON"),
}
# The addresses that the makers' own pages show.
_WEBHOOKS = {
    "wecombot": re.compile(r"https://qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=([0-9A-Za-z-]+)"),
    "dingtalk": re.compile(r"https://oapi\.dingtalk\.com/robot/send\?access_token=([0-9A-Za-z]+)"),
    "feishu": re.compile(r"https://open\.feishu\.cn/open-apis/bot/v2/hook/([0-9A-Za-z-]+)/?"),
    "lark": re.compile(r"https://open\.larksuite\.com/open-apis/bot/v2/hook/([0-9A-Za-z-]+)/?"),
}


def normal_url(text: str, signing: str = "") -> str | None:
    """An apprise URL of a kind that is taken, from one or from a maker's webhook; None for anything else."""
    text = text.strip()
    if not text.isprintable() or len(text) > MAX_CHARS:
        return None
    for kind, webhook in _WEBHOOKS.items():
        if found := webhook.fullmatch(text):
            secret = f"{quote(signing.strip(), safe='')}@" if kind == "dingtalk" and signing.strip() else ""
            text = f"{kind}://{secret}{found[1]}"
    if _in_the_clear(text):
        return None
    return text if robot_of(text) is not None else None


def robot_of(url: str) -> Any:
    """The library's sender for such a URL, None where it is none."""
    known = _PLUGINS.get(_kind(url))
    if known is None:
        return None
    _, module, name = known
    plugin = getattr(import_module(f"apprise.plugins.{module}"), name)
    parts = plugin.parse_url(url)
    try:
        return plugin(**parts) if parts else None
    except TypeError:  # what the library raises for a part that will not do
        return None


def hint_of(url: str) -> str:
    """Kind and last characters: enough to tell two robots apart, too little to speak as one."""
    tail = re.sub(r"[^0-9A-Za-z]", "", url.partition("?")[0])[-4:]
    return f"{_PLUGINS[_kind(url)][0]} …{tail}"


def _kind(url: str) -> str:
    return url.partition("://")[0].lower()


def _in_the_clear(url: str) -> bool:
    """Whether the words would cross the network unencrypted, beyond this machine."""
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
    return _kind(url) == "json" and host not in LOOPBACK_HOSTS
