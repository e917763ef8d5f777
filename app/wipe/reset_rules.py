"""Whether a reading is of this phone and of this order, and what shows that a reset happened. Plain values only.

The phone's wall clock is never believed alone: what it dated counts only where the kernel's own uptime, or a reading
before the order, shows that nobody set it meanwhile.
"""

from __future__ import annotations

import datetime as dt

from app.wipe.evidence_rules import Evidence
from app.wipe.fact_rules import Fact, Limits, Look, Order, Verdict, Weight


def counts(order: Order, look: Look, typed_imei: str | None) -> bool:
    """Whether it is a reading of this very phone since the order."""
    basis = (_same_phone(order, look.evidence, typed_imei), _after_order(order, look))
    return all(fact.verdict is Verdict.PASS for fact in basis)


def reset_facts(
    order: Order, before: Look | None, look: Look, typed_imei: str | None, limits: Limits
) -> tuple[Fact, ...]:
    """Whether it is this phone, read after the order, and whether a reset happened since."""
    former = before.evidence if before is not None else None
    return (
        _same_phone(order, look.evidence, typed_imei),
        _after_order(order, look),
        _reset_entry(order, before, look, limits),
        _new_identity(order, former, look.evidence),
        _rebooted(order, former, look, limits),
        _boot_count(former, look.evidence, limits),
        _first_boot(order, look, limits),
    )


def typed_identity(order: Order, typed: str | None) -> Fact:
    """By the IMEI that a person read from `*#06#`."""
    if typed is None:
        return _basis("same_phone", "就是这部手机", "没有核对 IMEI", Verdict.UNKNOWN)
    if typed in order.imeis:
        return _basis("same_phone", "就是这部手机", f"*#06# 显示的 IMEI 一致：{typed}", Verdict.PASS)
    return _basis("same_phone", "就是这部手机", f"*#06# 显示的 IMEI 不是这部手机的：{typed}", Verdict.FAIL)


def _basis(code: str, words: str, value: str, verdict: Verdict) -> Fact:
    return Fact(code, words, value, verdict, Weight.BASIS)


def _same_phone(order: Order, told: Evidence, typed: str | None) -> Fact:
    words = "就是这部手机"
    if order.serial is not None and told.serial is not None and told.serial != order.serial:
        return _basis("same_phone", words, f"读到的序列号是 {told.serial}", Verdict.FAIL)
    if told.imei and not set(told.imei) & set(order.imeis):
        return _basis("same_phone", words, f"读到的 IMEI 是 {'、'.join(told.imei)}", Verdict.FAIL)
    if not told.imei and typed is not None and typed not in order.imeis:
        return typed_identity(order, typed)
    if order.serial is None or told.serial is None:
        return _basis("same_phone", words, "序列号读不到，或不是这部手机独有的", Verdict.UNKNOWN)
    if told.imei:
        return _basis("same_phone", words, f"序列号 {told.serial} 与 IMEI 一致", Verdict.PASS)
    if typed is not None:
        value = f"序列号 {told.serial} 一致，IMEI 由第二人从 *#06# 核对：{typed}"
        return _basis("same_phone", words, value, Verdict.PASS)
    if told.android_id is not None and told.android_id == order.android_id:
        # Nobody chooses it, and it goes with a reset: so this is the phone, and shows that it was not erased.
        return _basis("same_phone", words, "序列号和系统标识都与清除前一致", Verdict.PASS)
    return _basis("same_phone", words, "序列号一致，IMEI 读不到也没有人核对", Verdict.UNKNOWN)


def _after_order(order: Order, look: Look) -> Fact:
    late = look.earliest >= order.at
    value = "在指令之后读取" if late else "不能证明是在指令之后读取的"
    return _basis("after_order", "读取时间", value, Verdict.PASS if late else Verdict.UNKNOWN)


def _proof(code: str, words: str, value: str, verdict: Verdict) -> Fact:
    return Fact(code, words, value, verdict, Weight.PROOF)


def _reset_entry(order: Order, before: Look | None, look: Look, limits: Limits) -> Fact:
    """`reboot,factory_reset,E`, dated by the server's time of the reading less the phone's own age of the entry."""
    code, words, told = "reset_entry", "开机历史里的恢复出厂", look.evidence
    if told.boot_reasons is None or told.phone_now_s is None:
        return _proof(code, words, "读不到", Verdict.UNKNOWN)
    place = next(
        (i for i, row in enumerate(told.boot_reasons) if "factory_reset" in row.reason.split(",")), None
    )
    if place is None:
        return _proof(code, words, "没有恢复出厂的记录", Verdict.UNKNOWN)
    since = told.boot_reasons[place].at
    if since is None:
        return _proof(code, words, "有恢复出厂的记录，没有时间", Verdict.UNKNOWN)
    age = dt.timedelta(seconds=told.phone_now_s - since)
    doubt = _clock_doubt(before, look, place, age, limits)
    if doubt:
        return _proof(code, words, doubt, Verdict.UNKNOWN)
    first, last = look.earliest - age, look.latest - age
    if first >= order.at - limits.clock:
        return _proof(code, words, "有，发生在指令之后", Verdict.PASS)
    if last < order.at - limits.clock:
        return _proof(code, words, "有，但发生在指令之前", Verdict.FAIL)
    return _proof(code, words, "有，先后分不清", Verdict.UNKNOWN)


def _clock_doubt(before: Look | None, look: Look, place: int, age: dt.timedelta, limits: Limits) -> str:
    """Why the phone's clock dates nothing here; empty when it does."""
    told = look.evidence
    assert told.boot_reasons is not None
    dated = [row.at for row in told.boot_reasons if row.at is not None]
    if dated != sorted(dated, reverse=True) or age < -limits.clock:
        return "手机时钟调过，时间不可信"
    up = None if told.uptime_s is None else dt.timedelta(seconds=told.uptime_s)
    if up is not None and place == 0:
        # The present boot is the first since the reset: the kernel counted its time, whatever the clock was set to.
        return "" if abs(age - up) <= limits.first_boot else "手机时钟在重置后调过，时间不可信"
    if up is not None and age < up - limits.clock:
        return "手机时钟调过，时间不可信"
    shift = _shift(before, look)
    if shift is None:
        return "手机时钟无从印证"
    return "" if shift <= limits.clock else "手机时钟在前后两次读取之间调过"


def _shift(before: Look | None, look: Look) -> dt.timedelta | None:
    """By how much the phone's clock moved against the server's between the two readings, at the most."""
    if before is None or before.evidence.phone_now_s is None or look.evidence.phone_now_s is None:
        return None
    gone = dt.timedelta(seconds=look.evidence.phone_now_s - before.evidence.phone_now_s)
    return max(abs(gone - (look.latest - before.earliest)), abs(gone - (look.earliest - before.latest)))


def _new_identity(order: Order, former: Evidence | None, told: Evidence) -> Fact:
    """Android makes `android_id` anew with /data, and at no other time."""
    code, words = "new_identity", "系统标识（android_id）"
    known = {order.android_id, former.android_id if former is not None else None} - {None}
    if told.android_id is None or not known:
        return _proof(code, words, "重置前或重置后没有读到", Verdict.UNKNOWN)
    if told.android_id in known:
        return _proof(code, words, "与清除前相同", Verdict.FAIL)
    return _proof(code, words, "与清除前不同", Verdict.PASS)


def _started(look: Look) -> tuple[dt.datetime, dt.datetime] | None:
    """The present boot's start, at the earliest and the latest, by the kernel's uptime."""
    if look.evidence.uptime_s is None:
        return None
    up = dt.timedelta(seconds=look.evidence.uptime_s)
    return look.earliest - up, look.latest - up


def _rebooted(order: Order, former: Evidence | None, look: Look, limits: Limits) -> Fact:
    code, words = "rebooted", "指令之后重新开过机"
    known = {order.boot_id, former.boot_id if former is not None else None} - {None}
    if look.evidence.boot_id in known:
        return _proof(code, words, "还是清除前的那一次开机", Verdict.FAIL)
    started = _started(look)
    if started is None:
        return _proof(code, words, "读不到开机时长", Verdict.UNKNOWN)
    if started[1] < order.at - limits.clock:
        return _proof(code, words, "这次开机在指令之前", Verdict.FAIL)
    sure = started[0] >= order.at - limits.clock
    return _proof(code, words, "是" if sure else "先后分不清", Verdict.PASS if sure else Verdict.UNKNOWN)


def _boot_count(former: Evidence | None, told: Evidence, limits: Limits) -> Fact:
    code, words = "boot_count", "开机次数从头计"
    before = former.boot_count if former is not None else None
    if told.boot_count is None or before is None:
        return _proof(code, words, "前后没有都读到", Verdict.UNKNOWN)
    value = f"清除前 {before}，现在 {told.boot_count}"
    if told.boot_count < before:
        return _proof(code, words, value, Verdict.PASS)
    # A phone that had hardly been used may have been started as often again since.
    return _proof(code, words, value, Verdict.FAIL if before > limits.boots_after else Verdict.UNKNOWN)


def _first_boot(order: Order, look: Look, limits: Limits) -> Fact:
    """The first boot of all since a reset, begun after the order by the kernel's clock alone."""
    code, words, started = "first_boot", "重置后的第一次开机", _started(look)
    if look.evidence.boot_count != 1 or started is None:
        return _proof(code, words, "现在不是，或读不到", Verdict.UNKNOWN)
    sure = started[0] >= order.at - limits.clock
    return _proof(
        code, words, "是，在指令之后" if sure else "先后分不清", Verdict.PASS if sure else Verdict.UNKNOWN
    )
