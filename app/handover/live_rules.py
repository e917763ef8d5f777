"""What a reading proves of a phone in somebody's hand: pass, fail or unknown. Plain values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

PASS, FAIL, UNKNOWN = "pass", "fail", "unknown"


@dataclass(frozen=True)
class Fact:
    result: str
    words: str
    stale: bool = False


def identity_fact(
    identity: Mapping[str, Any] | None, serial: str, imeis: Sequence[str], *, refused: bool
) -> Fact:
    """Serial, and the IMEIs where both the phone and the registry tell them."""
    if refused:
        return Fact(FAIL, "读到的是另一台手机")
    if not identity or not identity.get("serial"):
        return Fact(UNKNOWN, "没有读到序列号")
    if identity["serial"] != serial:
        return Fact(FAIL, f"序列号是 {identity['serial']}，与登记不符")
    read = [str(imei) for imei in identity.get("imei") or []]
    if not read or not imeis:
        return Fact(PASS, "序列号一致；IMEI 没有读到或没有登记")
    if set(read).isdisjoint(imeis):
        return Fact(FAIL, "序列号一致，IMEI 与登记不符")
    return Fact(PASS, "序列号和 IMEI 一致")


def battery_fact(percent: int | None, enough: int) -> Fact:
    if percent is None:
        return Fact(UNKNOWN, "没有读到电量")
    return Fact(PASS if percent >= enough else FAIL, f"{percent}%")


def compliance_fact(status: str, findings: int) -> Fact:
    """`findings`: how many are no pass. What is in grace is no breach yet and no pass either: it must be looked at."""
    if status == "grace":
        return Fact(UNKNOWN, f"已检查：{findings} 项要改，还在宽限期内，不算通过，也不算不合规")
    words = {PASS: "没有发现问题", FAIL: f"{findings} 项不合规或待查", UNKNOWN: "还不能判断"}
    return Fact(status, words[status])


def power_fact(state: str) -> Fact:
    return Fact(PASS, "已证明开机") if state == "on" else Fact(UNKNOWN, "现在没有开机的证明")


def timely(fact: Fact, at: dt.datetime | None, since: dt.datetime) -> Fact:
    """What was read before `since` proves nothing of now: unknown, with what it said then."""
    if at is None:
        return Fact(UNKNOWN, "没有读到过")
    if at >= since:
        return fact
    if fact.result == UNKNOWN:
        return replace(fact, stale=True)
    return Fact(UNKNOWN, f"读取时间太早（当时：{fact.words}）", stale=True)
