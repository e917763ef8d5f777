"""Whether an erased phone is empty, and what its reading does not cover. Plain values only."""

from __future__ import annotations

import datetime as dt

from app.wipe.evidence_rules import Evidence
from app.wipe.fact_rules import Fact, Limits, Look, Order, Verdict, Weight


def state_facts(order: Order, before: Look | None, look: Look, limits: Limits) -> tuple[Fact, ...]:
    """Whether the phone is empty now, what supports that, and what is not covered."""
    told, former = look.evidence, before.evidence if before is not None else None
    return (
        _accounts(told),
        _users(told),
        _packages(former, told, limits),
        _media(former, told, limits),
        _lock(told),
        _encryption(told),
        _sd(order, told),
        _storage(former, told),
        _installs(order, look, limits),
        _harness(told),
        _sim(order, told),
        _said("esim", "eSIM", order.esim, "eSIM 号码已删除", "eSIM 读不到，不在本证明范围"),
    )


def _state(code: str, words: str, value: str, verdict: Verdict) -> Fact:
    return Fact(code, words, value, verdict, Weight.STATE)


def _accounts(told: Evidence) -> Fact:
    if told.accounts is None:
        return _state("accounts", "手机上的账号", "读不到", Verdict.UNKNOWN)
    none = told.accounts == 0
    value = "没有账号" if none else f"还有 {told.accounts} 个账号"
    return _state("accounts", "手机上的账号", value, Verdict.PASS if none else Verdict.FAIL)


def _users(told: Evidence) -> Fact:
    if not told.users:
        return _state("users", "系统用户", "读不到", Verdict.UNKNOWN)
    one = told.users == (0,)
    value = "只有机主" if one else f"还有其他用户或分身：{'、'.join(map(str, told.users))}"
    return _state("users", "系统用户", value, Verdict.PASS if one else Verdict.FAIL)


def _packages(former: Evidence | None, told: Evidence, limits: Limits) -> Fact:
    code, words = "packages", "第三方应用"
    if told.third_party is None:
        return _state(code, words, "读不到", Verdict.UNKNOWN)
    preset = limits.presets.get((told.brand or "").casefold())
    strange = told.third_party - (preset or frozenset())
    if not strange:
        return _state(code, words, "没有，或只有出厂预装的", Verdict.PASS)
    shown = f"{len(strange)} 个：{'、'.join(sorted(strange)[:5])}"
    if preset is None:
        return _state(code, words, f"{shown}（这个品牌的预装清单没有登记）", Verdict.UNKNOWN)
    survived = former is not None and former.third_party is not None and bool(strange & former.third_party)
    if survived:
        return _state(code, words, f"不属于预装，清除前就有：{shown}", Verdict.FAIL)
    return _state(code, words, f"不属于预装：{shown}", Verdict.UNKNOWN)


def _media(former: Evidence | None, told: Evidence, limits: Limits) -> Fact:
    """Few files may be the factory's, but not where there were no more of them before: a reset that leaves them."""
    code, words = "media", "存储里的文件"
    if told.media_files is None:
        return _state(code, words, "读不到", Verdict.UNKNOWN)
    value = f"{told.media_files} 个"
    before = None if former is None else former.media_files
    if told.media_files and before is not None and told.media_files >= before:
        many = told.media_files > limits.media_ok
        return _state(code, words, f"{value}，不比清除前少", Verdict.FAIL if many else Verdict.UNKNOWN)
    if told.media_files <= limits.media_ok:
        return _state(code, words, value, Verdict.PASS)
    many = told.media_files > limits.media_many
    return _state(code, words, value, Verdict.FAIL if many else Verdict.UNKNOWN)


def _lock(told: Evidence) -> Fact:
    """A lock that is set was set since, or never went: which, nobody can tell from it."""
    values = {"none": ("没有设置", Verdict.PASS), "set": ("设置了锁屏", Verdict.UNKNOWN)}
    value, verdict = values.get(told.lock_screen or "", ("读不到", Verdict.UNKNOWN))
    return _state("lock", "锁屏密码", value, verdict)


def _encryption(told: Evidence) -> Fact:
    """Only of an encrypted partition does a reset destroy the data and not merely the way to it."""
    values = {
        "file": ("按文件加密", Verdict.PASS),
        "full": ("整盘加密", Verdict.PASS),
        "none": ("数据分区没有加密，重置后仍可能被专业手段恢复", Verdict.UNKNOWN),
    }
    value, verdict = values.get(told.encryption or "", ("读不到", Verdict.UNKNOWN))
    return _state("encryption", "数据分区加密", value, verdict)


def _sd(order: Order, told: Evidence) -> Fact:
    code, words = "sd", "SD 卡"
    if told.volumes is None:
        return _said(code, words, order.sd, "已取出或已清除", "读不到，不在本证明范围")
    if any(volume.kind == "sd" for volume in told.volumes):
        return _state(code, words, _still_there(order.sd), Verdict.UNKNOWN)
    return Fact(code, words, "没有插卡", Verdict.PASS, Weight.COVER)


def _still_there(answer: str) -> str:
    """The certificate holds what people answered, too: without a word both would be read as true."""
    told = {"yes": "现场回答“已取出”，而", "not_applicable": "现场回答“不适用”，而"}.get(answer, "")
    return f"{told}{'清除后读到' if told else ''}卡还在手机里，不在本证明范围"


def _said(code: str, words: str, answer: str, done: str, open_: str) -> Fact:
    """What only the people at the phone can tell."""
    values = {"yes": f"{done}（现场人员确认）", "not_applicable": "没有（现场人员确认）"}
    if answer in values:
        return Fact(code, words, values[answer], Verdict.PASS, Weight.COVER)
    return Fact(code, words, open_, Verdict.UNKNOWN, Weight.COVER)


_SIM_THERE = frozenset({"LOADED", "READY", "PIN_REQUIRED", "PUK_REQUIRED", "NETWORK_LOCKED"})


def _sim(order: Order, told: Evidence) -> Fact:
    if told.sims and any(state.upper() in _SIM_THERE for state in told.sims):
        return Fact("sim", "SIM 卡", _still_there(order.sim), Verdict.UNKNOWN, Weight.COVER)
    return _said("sim", "SIM 卡", order.sim, "已取出", "没有确认，不在本证明范围")


def _support(code: str, words: str, value: str, verdict: Verdict) -> Fact:
    return Fact(code, words, value, verdict, Weight.SUPPORT)


def _storage(former: Evidence | None, told: Evidence) -> Fact:
    code, words = "storage", "已用空间"
    now, then = _used(told), None if former is None else _used(former)
    if now is None or then is None:
        return _support(code, words, "前后没有都读到", Verdict.UNKNOWN)
    value = f"清除前 {then / 1e9:.1f} GB，现在 {now / 1e9:.1f} GB"
    return _support(code, words, value, Verdict.PASS if now < then else Verdict.UNKNOWN)


def _used(told: Evidence) -> int | None:
    if told.data_total_bytes is None or told.data_free_bytes is None:
        return None
    return max(told.data_total_bytes - told.data_free_bytes, 0)


def _installs(order: Order, look: Look, limits: Limits) -> Fact:
    """Supports only: vendors ship apps whose first installation is dated to the factory."""
    code, words, told = "installs", "应用首次安装时间", look.evidence
    if told.first_install_oldest_s is None or told.phone_now_s is None:
        return _support(code, words, "读不到", Verdict.UNKNOWN)
    age = dt.timedelta(seconds=told.phone_now_s - told.first_install_oldest_s)
    after = look.earliest - age >= order.at - limits.clock
    return _support(
        code,
        words,
        "都在指令之后" if after else "有更早的，可能是出厂预装",
        Verdict.PASS if after else Verdict.UNKNOWN,
    )


def _harness(told: Evidence) -> Fact:
    code, words = "test_harness", "测试模式"
    if told.test_harness is None:
        return _support(code, words, "读不到", Verdict.UNKNOWN)
    if told.test_harness:
        return _support(
            code, words, "处于测试模式：再做一次普通的恢复出厂之前，不能交给别人使用", Verdict.UNKNOWN
        )
    return _support(code, words, "没有", Verdict.PASS)


def by_hand(code: str, words: str, value: str, verdict: Verdict) -> Fact:
    return Fact(code, words, value, verdict, Weight.STATE)


def old_key() -> Fact:
    """Goes with a normal reset, and never stands alone."""
    return Fact("old_key", "原调试授权", "重置后拒绝了网关原来的密钥", Verdict.PASS, Weight.SUPPORT)
