"""What `agent adopt` shows and asks: the proposed record, and what the phone could not tell of itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

from agent.logs import printable
from agent.parsers.identity import is_imei

_T = TypeVar("_T")

WayBack = Literal["usb_dock", "tap", "none"]
WAYS_BACK: dict[str, str] = {
    "usb_dock": "USB 底座：重启后经 USB 自动恢复",
    "tap": "需有人在手机上点一下才恢复",
    "none": "没有办法自动恢复",
}
_NO_IMEI = {"none", "无"}
_MAX_TAG = 64


class WrongAnswer(Exception):
    """A value that cannot be taken; the text says why. Asked again at a terminal, fatal on a command line."""


class Quit(Exception):
    """The person does not want to go on."""


@dataclass(frozen=True)
class Given:
    """What the command line said; what is None or empty is asked for."""

    asset_tag: str | None
    imei: tuple[str, ...]
    way_back: str | None
    assume_yes: bool


@dataclass(frozen=True)
class Proposal:
    """The record as the person confirmed it."""

    identity: dict[str, Any]
    asset_tag: str
    imei: tuple[str, ...]
    way_back: WayBack


def complete(identity: dict[str, Any], given: Given) -> Proposal:
    """Show what was read, ask for the rest, have it confirmed. Raise `WrongAnswer`, `Quit`."""
    told = tuple(identity.get("imei") or ())
    _show_identity(identity)
    tag = _value(given.asset_tag, "资产编号 · asset tag", "--asset-tag", check_tag)
    imei = _imei(given.imei, told)
    way = _value(given.way_back, f"重启后怎样恢复连接 · way back\n{_ways()}\n", "--way-back", check_way)
    proposal = Proposal(identity, tag, imei, way)
    _show_rest(proposal)
    if not given.assume_yes and _ask("以上无误，登记这部手机？[y/N] ") not in {"y", "Y", "yes", "是"}:
        raise Quit
    return proposal


def check_tag(text: str) -> str:
    tag = text.strip()
    if not tag or len(tag) > _MAX_TAG or not tag.isprintable():
        raise WrongAnswer(f"资产编号须为 1 到 {_MAX_TAG} 个可见字符 · 1 to {_MAX_TAG} printable characters")
    return tag


def check_way(text: str) -> WayBack:
    if text.strip() not in WAYS_BACK:
        raise WrongAnswer(f"请填 {'、'.join(WAYS_BACK)} 之一 · one of these")
    return cast(WayBack, text.strip())


def check_imei(text: str) -> tuple[str, ...]:
    """IMEIs as typed from `*#06#`, apart by blanks or commas; `none` for a device without."""
    words = text.replace(",", " ").replace("，", " ").split()
    if len(words) == 1 and words[0].lower() in _NO_IMEI:
        return ()
    if not 1 <= len(words) <= 2:
        raise WrongAnswer("请填一个或两个 IMEI；没有则填 none · one or two IMEIs, or none")
    for word in words:
        if not is_imei(word):
            raise WrongAnswer(
                f"{printable(word)} 不是 IMEI：须为 15 位数字且校验位正确 · wrong check digit or length"
            )
    return tuple(dict.fromkeys(words))


def _imei(given: tuple[str, ...], told: tuple[str, ...]) -> tuple[str, ...]:
    """What the phone told counts; what a person adds must not contradict it."""
    if not given and told:
        return told
    return _value(
        " ".join(given) or None,
        "IMEI 读不出来，请在手机拨号盘输入 *#06# 后照抄（没有则填 none）· type the IMEI shown by *#06#",
        "--imei",
        lambda text: _beside(check_imei(text), told),
    )


def _beside(typed: tuple[str, ...], told: tuple[str, ...]) -> tuple[str, ...]:
    if not set(told) <= set(typed):
        raise WrongAnswer(f"手机自己报的 IMEI 是 {'、'.join(told)}，与所填不符 · the phone says otherwise")
    return typed


def _value(given: str | None, question: str, option: str, check: Callable[[str], _T]) -> _T:
    if given is not None:
        return check(given)
    if not sys.stdin.isatty():
        raise WrongAnswer(f"缺少 {option} · {option} is missing")
    while True:
        try:
            return check(_ask(f"{question}: "))
        except WrongAnswer as exc:
            sys.stdout.write(f"  ✗ {exc}\n")


def _ask(question: str) -> str:
    sys.stdout.write(question)
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line:
        raise Quit
    return line.strip()


def _ways() -> str:
    return "\n".join(f"  {name:<9}{meaning}" for name, meaning in WAYS_BACK.items())


def _show_identity(identity: dict[str, Any]) -> None:
    def told(*names: str) -> str:
        return (
            printable(" ".join(str(identity[n]) for n in names if identity.get(n) is not None)) or "读不出来"
        )

    _line("序列号 · serial", told("serial"))
    _line("品牌型号 · model", told("brand", "model"))
    _line("安卓版本 · Android", told("android_release"))
    _line("安全补丁 · patch", told("security_patch"))


def _show_rest(proposal: Proposal) -> None:
    _line("资产编号 · asset tag", proposal.asset_tag)
    _line("IMEI", "、".join(proposal.imei) or "无")
    _line("重启后 · way back", WAYS_BACK[proposal.way_back])
    _line("将写入手机 · will set", "adb_allowed_connection_time = 0（ADB 授权永不过期）")


def _line(name: str, value: str) -> None:
    sys.stdout.write(f"  {name}: {value}\n")
