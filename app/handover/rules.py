"""What changed between two records of a kit, and what a list must hold before it is signed. Plain values only."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

UNKNOWN = "unknown"
CONDITIONS = ("new", "good", "worn", "scratched", "cracked", "broken")
"""From the best to the worst, as policy `handover` has them unless a centre orders otherwise."""
WEAR = "worn"
"""The condition that use alone brings about; policy may call it otherwise, the code stays."""
REASONS: Mapping[str, str] = {
    "joined": "新入职",
    "left": "离职",
    "transferred": "调岗",
    "leave": "长期休假",
    "kit_changed": "更换设备",
    "reissue": "重新领用",
    "other": "其他",
}
CATEGORIES: Mapping[str, str] = {
    "handset": "手机",
    "number": "号码",
    "wechat": "微信",
    "accessory": "配件",
    "other": "其他",
}
KIND_WORDS: Mapping[str, str] = {"issue": "领取", "handover": "移交", "return": "交还"}
SIDE_WORDS: Mapping[str, str] = {"giver": "移交人", "receiver": "接收人"}


@dataclass(frozen=True)
class ItemState:
    """A thing of a kit as one record tells it. `present` None: nobody said. `photos`: sha256s."""

    key: str
    category: str
    name: str
    identifier: str
    condition: str
    words: str
    present: bool | None
    photos: tuple[str, ...] = ()


class ChangeKind(StrEnum):
    MISSING = "missing"
    WORSE = "worse"
    WORN = "worn"
    """Worse by nothing but use: what a phone comes to in its two years is nobody's fault (R05)."""
    CHANGED = "changed"
    """Another one stands in its place: its number is another."""
    NEW = "new"
    BETTER = "better"
    """Also: it is there again."""
    SAME = "same"
    UNKNOWN = "unknown"
    """One of the two records does not say: nobody is blamed on it."""


CHANGE_WORDS: Mapping[str, str] = {
    ChangeKind.MISSING: "缺失",
    ChangeKind.WORSE: "变差",
    ChangeKind.WORN: "正常磨损",
    ChangeKind.CHANGED: "不是原物",
    ChangeKind.NEW: "新增",
    ChangeKind.BETTER: "变好",
    ChangeKind.SAME: "无变化",
    ChangeKind.UNKNOWN: "无法判断",
}
LIABLE = (ChangeKind.MISSING, ChangeKind.WORSE, ChangeKind.CHANGED)
"""What somebody may have to answer for (R04)."""


@dataclass(frozen=True)
class InCustody:
    """Who had the kit between two records, half-open; `employee_id` None for staff, and where it cannot be said."""

    employee_id: uuid.UUID | None
    name: str
    since: dt.datetime
    until: dt.datetime | None


@dataclass(frozen=True)
class Change:
    """`before`, `after`: None where that record does not have the thing."""

    kind: ChangeKind
    key: str
    name: str
    before: ItemState | None
    after: ItemState | None
    in_custody_of: InCustody | None = None


def difference(
    before: Sequence[ItemState], after: Sequence[ItemState], *, scale: Sequence[str] = CONDITIONS
) -> list[Change]:
    """One change for each thing of either record, in the order of `after`, then what only `before` has.

    `scale`: condition codes from the best to the worst; another code is compared with nothing but itself.
    """
    old = {item.key: item for item in before}
    new = {item.key: item for item in after}
    keys = [*new, *(key for key in old if key not in new)]
    return [_change(key, old.get(key), new.get(key), scale) for key in keys]


def _change(key: str, before: ItemState | None, after: ItemState | None, scale: Sequence[str]) -> Change:
    named = after or before
    assert named is not None
    return Change(_kind(before, after, scale), key, named.name, before, after)


def _kind(before: ItemState | None, after: ItemState | None, scale: Sequence[str]) -> ChangeKind:
    if before is None:
        return ChangeKind.NEW if after is not None and after.present else ChangeKind.UNKNOWN
    if after is None:
        # Taken off the list is not "gone": nobody looked for it.
        return ChangeKind.SAME if before.present is False else ChangeKind.UNKNOWN
    if before.present is None or after.present is None:
        return ChangeKind.UNKNOWN
    if before.present and after.present:
        return _kind_present(before, after, scale)
    if before.present == after.present:
        return ChangeKind.SAME
    return ChangeKind.MISSING if before.present else ChangeKind.BETTER


def _kind_present(before: ItemState, after: ItemState, scale: Sequence[str]) -> ChangeKind:
    if before.identifier and after.identifier and before.identifier != after.identifier:
        return ChangeKind.CHANGED
    if UNKNOWN in (before.condition, after.condition):
        return ChangeKind.UNKNOWN
    if before.condition == after.condition:
        return ChangeKind.SAME
    if before.condition not in scale or after.condition not in scale:
        return ChangeKind.UNKNOWN
    if scale.index(after.condition) < scale.index(before.condition):
        return ChangeKind.BETTER
    return ChangeKind.WORN if after.condition == WEAR else ChangeKind.WORSE


def blamed(changes: Iterable[Change], custody: InCustody | None) -> list[Change]:
    """The changes, each with in whose custody it came about; what did not change is nobody's."""
    quiet = (ChangeKind.SAME, ChangeKind.NEW, ChangeKind.WORN)
    return [change if change.kind in quiet else replace(change, in_custody_of=custody) for change in changes]


@dataclass(frozen=True)
class Stretch:
    """Who held the post of a phone from `since` until `until` (None: open), as the registry has it."""

    employee_id: uuid.UUID | None
    name: str
    since: dt.datetime
    until: dt.datetime | None


def custody_between(
    receiver: InCustody, stretches: Iterable[Stretch], until: dt.datetime | None
) -> InCustody:
    """Who had the kit from a record until the next one at `until` (None: it is not signed yet): who received it then.

    Unless the registry tells of somebody else meanwhile: then it is not known, for guessing costs somebody money.
    """
    held = replace(receiver, until=until)
    for stretch in stretches:
        begun = until is None or stretch.since < until
        inside = begun and (stretch.until is None or stretch.until > receiver.since)
        if inside and stretch.employee_id is not None and stretch.employee_id != receiver.employee_id:
            return replace(held, employee_id=None, name="无法确定（期间登记过其他保管人）")
    return held


@dataclass(frozen=True)
class Hindrance:
    """Why a list cannot be put up for signing. `step`: where it is mended."""

    code: str
    words: str
    step: str


def item_hindrances(items: Sequence[ItemState], codes: Sequence[str]) -> list[Hindrance]:
    """Each thing must be said to be there or not (or why that is not known), and what is there in which condition."""
    if not items:
        return [Hindrance("no_items", "清单是空的", "items")]
    found = []
    for item in items:
        if item.present is None and not item.words:
            found.append(Hindrance("not_answered", f"还没有清点：{item.name}", "items"))
        elif item.present and item.condition != UNKNOWN and item.condition not in codes:
            found.append(Hindrance("condition", f"状况没有选择：{item.name}", "items"))
        elif item.present is False and not item.words:
            found.append(Hindrance("words", f"不在场，请写明情况：{item.name}", "items"))
    return found


def labels_of(body: Mapping[str, Any]) -> dict[str, str]:
    """Conditions by their code, from the best to the worst, `unknown` last."""
    return {**{one["code"]: one["label"] for one in body["conditions"]}, UNKNOWN: "未知"}


def state_words(state: ItemState | None, labels: Mapping[str, str]) -> str:
    """`在，有划痕（右下角）`, `不在（丢失）`, `没有记录`."""
    if state is None:
        return "没有记录"
    if state.present is None:
        word = "没有清点"
    elif not state.present:
        word = "不在"
    else:
        word = f"在，{labels.get(state.condition, state.condition)}"
    return f"{word}（{state.words}）" if state.words else word
