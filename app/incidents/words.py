"""An incident in words for people, in Shanghai's time and without anybody's name. Plain values only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from app.incidents.rules import HitFact, Verdict

_SHANGHAI = dt.timezone(dt.timedelta(hours=8))
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MINUTE = 60_000_000
STATUS: Mapping[str, str] = {
    "refuted": "不成立",
    "confirmed": "成立",
    "excused": "免责",
    "suspected": "待查",
    "undecided": "待定",
}
STATUS_KIND: Mapping[str, str] = {
    "refuted": "good",
    "confirmed": "bad",
    "excused": "quiet",
    "suspected": "unknown",
    "undecided": "unknown",
}
STATUS_MEANS: Mapping[str, str] = {
    "refuted": "当时手机已证明开机，或疑点不足，或负责人认定不成立",
    "confirmed": "关机已证明，或由负责人认定",
    "excused": "在保养或维修时段内",
    "suspected": "有人反映关机，手机尚未再次读到，等待证据",
    "undecided": "证据不足以认定，等待负责人决定",
}


def meaning(status: str, kind: str, *, decided: bool) -> str:
    """Why an incident stands as it does. `STATUS_MEANS` names each way to a status; who reads one page asks which."""
    if decided and status in ("refuted", "confirmed"):
        return f"由负责人或复核人认定{STATUS[status]}，理由见下面的“决定与申诉”"
    if status == "confirmed":
        return (
            "手机自身的记录证明了关机"
            if kind == "a"
            else "拨测听到“已关机”，前后两次读取相隔不久，其间手机重新启动过"
        )
    if status == "refuted":
        return "当时手机已证明开机，或没有证明的时间太短，不足以算关机"
    return STATUS_MEANS[status]


STATE: Mapping[str, str] = {
    "waiting": "等待结论",
    "ruled": "按证据得出",
    "decided": "负责人已决定",
    "appealed": "申诉待复核",
    "final": "已复核，终结",
}
KIND: Mapping[str, str] = {"a": "证明的关机", "b": "有人反映"}
SOURCE: Mapping[str, str] = {
    "dial_test": "拨测：已关机",
    "customer_report": "客户反映联系不上",
    "probe_failed": "系统探测未达",
}
SOURCE_MEANS: Mapping[str, str] = {
    "dial_test": "运营人员人工拨打听到“已关机”。它提出疑问；是否真的关机，以手机自身记录为准",
    "customer_report": "经工作人员核实住户身份的客户反映。分量较轻，同一户一次事件只算一次",
    "probe_failed": "观测点自检通过时未能联系到手机。单独不说明关机，只在已证明的关机时段内算一次命中",
}


def shanghai(us: int) -> dt.datetime:
    return (_EPOCH + dt.timedelta(microseconds=us)).astimezone(_SHANGHAI)


def clock(us: int) -> str:
    """`11月20日 13:05`."""
    at = shanghai(us)
    return f"{at.month}月{at.day}日 {at:%H:%M}"


def month_words(month: str) -> str:
    year, number = month.split("-")
    return f"{year}年{int(number)}月"


def length(us: int) -> str:
    """`5 小时 15 分钟`; anything is at least one minute."""
    minutes = max(us // _MINUTE, 1)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} 分钟"
    return f"{hours} 小时 {rest} 分钟" if rest else f"{hours} 小时"


def span_words(verdict: Verdict) -> str:
    """When it was, short enough for a title."""
    if verdict.end - verdict.start < _MINUTE:
        return clock(verdict.start)
    first, last = shanghai(verdict.start), shanghai(verdict.end)
    until = f"{last:%H:%M}" if first.date() == last.date() else clock(verdict.end)
    return f"{clock(verdict.start)}—{until}"


def evidence_words(verdict: Verdict) -> list[str]:
    """What there is against the phone, a line each."""
    lines = [
        f"手机自身的记录证明：{clock(start)} 关机，至 {clock(end)} 再次启动，共 {length(end - start)}。"
        for start, end in verdict.off
    ]
    return lines + [hit_words(hit) for hit in verdict.hits]


def hit_words(hit: HitFact) -> str:
    excused = "（在保养或维修时段内，不计）" if hit.excused else ""
    return f"{clock(hit.at)} {SOURCE[hit.source]}{excused}。"


def strike_words(months: Iterable[str]) -> str:
    """`记 2 次：2026年11月 2 次。` of one person's strikes; empty without any."""
    counted: dict[str, int] = {}
    for month in months:
        counted[month] = counted.get(month, 0) + 1
    if not counted:
        return ""
    return "计入：" + "、".join(f"{month_words(month)} {n} 次" for month, n in sorted(counted.items())) + "。"


POLICY: Mapping[str, str] = {
    "min_off_minutes": "短于此（分钟）算重启",
    "merge_minutes": "相隔短于此（分钟）合并为一次",
    "hit_within_minutes": "命中的前后范围（分钟）",
    "beat_within_minutes": "观测点自检的有效期（分钟）",
    "strikes": "一个月满几次取消补贴",
    "strike_every_hours": "一直关机时再次计次的间隔（小时）",
    "needs_hit": "须有拨测或反映命中才计次",
    "unproved_hours": "前后两次读取相隔的上限（小时）",
    "unmet_days": "待查转待定（天）",
}
"""The values of policy `uptime` that decide a penalty."""


def change_words(told: Mapping[str, object] | None) -> str:
    """A verdict of the history in short: its status and strikes."""
    if told is None:
        return "无"
    strikes = told.get("strikes")
    number = len(strikes) if isinstance(strikes, list) else 0
    status = STATUS.get(str(told.get("status")), "")
    return f"{status}，计 {number} 次" if number else status
