"""What evidence after a wipe is worth: verified, erased with warnings, unverified or failed. Plain values only.

A fact passes, fails or is unknown; unknown never helps. `docs/wipe.md` has the table.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.wipe.fact_rules import Fact, Limits, Look, Order, Verdict, Weight
from app.wipe.reset_rules import counts, reset_facts, typed_identity
from app.wipe.state_rules import by_hand, old_key, state_facts

EMPTY = ("accounts", "users", "packages", "media")
"""What shows that a phone holds nobody's data; two of them at least are read before anything is certified."""
_MIN_EMPTY = 2


class Grade(StrEnum):
    VERIFIED = "verified"
    WARNINGS = "warnings"
    UNVERIFIED = "unverified"
    FAILED = "failed"


GRADE_WORDS: Mapping[Grade, str] = {
    Grade.VERIFIED: "已核实清除",
    Grade.WARNINGS: "已清除，有保留事项",
    Grade.UNVERIFIED: "无法核实",
    Grade.FAILED: "没有清除干净",
}
CERTIFIABLE = (Grade.VERIFIED, Grade.WARNINGS)


@dataclass(frozen=True)
class Manual:
    """What somebody saw on the phone with his own eyes. `seen`: each key of `SEEN` yes, no or unknown.

    Empty: he read off the IMEI alone. `typed_imei`: as he read it from `*#06#`; `photos` how many he took.
    """

    at: dt.datetime
    typed_imei: str | None
    seen: Mapping[str, str]
    photos: int


SEEN: Mapping[str, str] = {
    "welcome": "开机停在欢迎（设置向导）画面",
    "no_lock": "没有要求输入锁屏密码",
    "no_data": "看不到原来的账号、照片、应用或聊天记录",
    "storage": "存储页面显示的已用空间与新机相当",
}
_MUST_SEE = ("welcome", "no_lock", "no_data")


@dataclass(frozen=True)
class Graded:
    """`facts` in the order in which they are told."""

    grade: Grade
    facts: tuple[Fact, ...]

    @property
    def warnings(self) -> tuple[Fact, ...]:
        """What keeps it from being verified, or what a reader must know beside."""
        return tuple(
            f for f in self.facts if f.verdict is not Verdict.PASS and f.weight is not Weight.SUPPORT
        )


def grade(
    order: Order,
    before: Look | None,
    after: Sequence[Look | Manual],
    limits: Limits,
    *,
    key_refused: bool = False,
) -> Graded:
    """Judge all inspections of one order. The newest reading of this very phone counts and the newest look by hand;
    what lies before the order counts never. `key_refused`: the gateway's old key was refused after it.
    """
    hands = [one for one in after if isinstance(one, Manual) and one.at >= order.at]
    hand = max((one for one in hands if one.seen), key=lambda one: one.at, default=None)
    looks = [one for one in after if isinstance(one, Look)]
    mine = [one for one in looks if counts(order, one, _typed(one, hands, looks))]
    chosen = max(mine or looks, key=lambda one: one.latest, default=None)
    support = (old_key(),) if key_refused else ()
    if chosen is None:
        return Graded(Grade.UNVERIFIED, support) if hand is None else _by_hand(order, hand, limits, support)
    facts = (
        *reset_facts(order, before, chosen, _typed(chosen, hands, looks), limits),
        *state_facts(order, before, chosen, limits),
        *support,
    )
    read = Graded(_grade_read(facts), facts)
    return read if hand is None else _both(read, chosen, hand, _by_hand(order, hand, limits, ()))


def _typed(look: Look, hands: Sequence[Manual], looks: Sequence[Look]) -> str | None:
    """The IMEI that somebody read off the phone of this reading: after it, or after another of the same boot.

    Who read one off before says nothing of it: another phone may have been plugged in since.
    """
    boot = look.evidence.boot_id
    same = [one.latest for one in looks if boot is not None and one.evidence.boot_id == boot]
    since = min([look.latest, *same])
    told = [one for one in hands if one.typed_imei is not None and one.at >= since]
    return max(reversed(told), key=lambda one: one.at).typed_imei if told else None


def _grade_read(facts: Sequence[Fact]) -> Grade:
    by_code = {fact.code: fact for fact in facts}

    def passes(*codes: str) -> bool:
        return all(by_code[code].verdict is Verdict.PASS for code in codes)

    def has(verdict: Verdict, weight: Weight) -> bool:
        return any(f.verdict is verdict and f.weight is weight for f in facts)

    if not passes("same_phone", "after_order"):
        return Grade.UNVERIFIED
    if has(Verdict.FAIL, Weight.STATE):
        return Grade.FAILED
    if has(Verdict.FAIL, Weight.PROOF):
        # Told both ways, nobody knows: only without any sign of a reset is it surely not done.
        told = passes("reset_entry") or passes("new_identity") or passes("boot_count")
        return Grade.UNVERIFIED if told else Grade.FAILED
    dated = passes("reset_entry") or passes("first_boot")
    empty = sum(passes(code) for code in EMPTY)
    if dated and passes("new_identity", "rebooted") and all(
        fact.verdict is Verdict.PASS for fact in facts if fact.weight is Weight.STATE
    ):  # fmt: skip
        return Grade.VERIFIED
    told = dated or passes("new_identity", "boot_count", "rebooted")
    return Grade.WARNINGS if told and empty >= _MIN_EMPTY else Grade.UNVERIFIED


def _by_hand(order: Order, hand: Manual, limits: Limits, support: tuple[Fact, ...]) -> Graded:
    """At best with warnings: eyes and photographs date nothing and read no identity of the system."""
    identity = typed_identity(order, hand.typed_imei)
    photos = by_hand(
        "photos",
        "检查照片",
        f"{hand.photos} 张（至少 {limits.photos} 张）",
        Verdict.PASS if hand.photos >= limits.photos else Verdict.UNKNOWN,
    )
    facts = tuple(
        by_hand(f"seen_{key}", words, _ANSWERS[_answer(hand, key)], _SEEN_VERDICTS[_answer(hand, key)])
        for key, words in SEEN.items()
    )
    told = {key: _answer(hand, key) for key in SEEN}
    if identity.verdict is not Verdict.PASS:
        found = Grade.UNVERIFIED
    elif any(told[key] == "no" for key in ("no_lock", "no_data")):
        found = Grade.FAILED
    elif photos.verdict is Verdict.PASS and all(told[key] == "yes" for key in _MUST_SEE):
        found = Grade.WARNINGS
    else:
        found = Grade.UNVERIFIED
    return Graded(found, (identity, *facts, photos, *support))


_ANSWERS = {"yes": "是", "no": "否", "unknown": "没有看到"}
_SEEN_VERDICTS = {"yes": Verdict.PASS, "no": Verdict.FAIL, "unknown": Verdict.UNKNOWN}


def _answer(hand: Manual, key: str) -> str:
    told = hand.seen.get(key, "unknown")
    return told if told in _ANSWERS else "unknown"


def _both(read: Graded, look: Look, hand: Manual, seen: Graded) -> Graded:
    """The phone was read and looked at. What was seen later and contradicts makes the reading worth nothing; what was
    merely not read is made good by what was seen, but never beyond warnings.
    """
    known = {fact.code for fact in read.facts}
    facts = read.facts + tuple(fact for fact in seen.facts if fact.code not in known)
    later = hand.at >= look.earliest
    if seen.grade is Grade.FAILED and later:
        return Graded(Grade.FAILED, facts)
    if read.grade is Grade.UNVERIFIED and seen.grade is Grade.WARNINGS and not _contradicted(read.facts):
        return Graded(Grade.WARNINGS, facts)
    return Graded(read.grade, facts)


def _contradicted(facts: Sequence[Fact]) -> bool:
    return any(f.verdict is Verdict.FAIL and f.weight is not Weight.SUPPORT for f in facts)


def contests(graded: Graded) -> bool:
    """Whether what was found after a certificate tells against the erasure itself. Accounts and pictures do not: the
    phone may be in use again by then.
    """
    by_code = {fact.code: fact.verdict for fact in graded.facts}
    if by_code.get("same_phone") is not Verdict.PASS or by_code.get("after_order") is not Verdict.PASS:
        return False
    return any(f.verdict is Verdict.FAIL and f.weight is Weight.PROOF for f in graded.facts)


def facts_to_plain(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """As JSON values, for rows, pages and certificates."""
    return [
        {
            "code": f.code,
            "words": f.words,
            "value": f.value,
            "verdict": str(f.verdict),
            "weight": str(f.weight),
        }
        for f in facts
    ]
