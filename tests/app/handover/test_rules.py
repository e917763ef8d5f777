"""What changed between two records: pure, and never a blame where one of them does not say."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.handover.live_rules import (
    Fact,
    battery_fact,
    compliance_fact,
    identity_fact,
    power_fact,
    timely,
)
from app.handover.rules import (
    CONDITIONS,
    LIABLE,
    ChangeKind,
    InCustody,
    ItemState,
    Stretch,
    blamed,
    custody_between,
    difference,
    item_hindrances,
)

K = ChangeKind
NOON = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
states = st.builds(
    ItemState,
    key=st.sampled_from("abcd"),
    category=st.just("accessory"),
    name=st.sampled_from(["充电器", "𬭚䶮"]),
    identifier=st.sampled_from(["", "1", "2"]),
    condition=st.sampled_from([*CONDITIONS, "unknown", "", "gone"]),
    words=st.just(""),
    present=st.sampled_from([True, False, None]),
)
records = st.lists(states, max_size=4, unique_by=lambda item: item.key)


def item(present: bool | None = True, condition: str = "good", identifier: str = "1") -> ItemState:
    return ItemState("k", "handset", "手机", identifier, condition, "", present)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (item(), item(), K.SAME),
        (item(), item(False, ""), K.MISSING),
        (item(), item(True, "cracked"), K.WORSE),
        (item(True, "worn"), item(True, "new"), K.BETTER),
        (item(), item(True, "worn"), K.WORN),
        (item(True, "worn"), item(True, "scratched"), K.WORSE),
        (item(False, ""), item(), K.BETTER),
        (item(False, ""), item(False, ""), K.SAME),
        (item(), item(identifier="2"), K.CHANGED),
        (item(), item(True, "cracked", "2"), K.CHANGED),
        (item(), item(identifier=""), K.SAME),
        (None, item(), K.NEW),
        (None, item(False, ""), K.UNKNOWN),
        (None, item(None, ""), K.UNKNOWN),
        (item(), None, K.UNKNOWN),
        (item(False, ""), None, K.SAME),
        (item(None, ""), item(False, ""), K.UNKNOWN),
        (item(), item(None, ""), K.UNKNOWN),
        (item(True, "unknown"), item(True, "broken"), K.UNKNOWN),
        (item(), item(True, "unknown"), K.UNKNOWN),
        (item(True, "old_code"), item(True, "broken"), K.UNKNOWN),
        (item(True, "old_code"), item(True, "old_code"), K.SAME),
    ],
)
def test_each_kind(before: ItemState | None, after: ItemState | None, kind: ChangeKind) -> None:
    (change,) = difference([before] if before else [], [after] if after else [])
    assert change.kind is kind


@given(records, records)
def test_each_thing_of_either_record_is_told_once(before: list[ItemState], after: list[ItemState]) -> None:
    changes = difference(before, after)
    assert sorted(c.key for c in changes) == sorted({i.key for i in before} | {i.key for i in after})
    assert [c.key for c in changes[: len(after)]] == [i.key for i in after]


@given(records)
def test_nothing_changes_against_itself(record: list[ItemState]) -> None:
    assert {c.kind for c in difference(record, record)} <= {K.SAME, K.UNKNOWN}


@given(records, records)
def test_nobody_is_blamed_on_what_a_record_does_not_say(
    before: list[ItemState], after: list[ItemState]
) -> None:
    for change in difference(before, after):
        if change.kind in LIABLE:
            assert change.before is not None
            assert change.after is not None
            assert change.before.present is True
            assert change.after.present is not None


@given(records, records, st.integers(0, 3), st.booleans())
def test_what_is_said_less_of_blames_nobody_more(
    before: list[ItemState], after: list[ItemState], at: int, older: bool
) -> None:
    """Taking an answer away from either record never makes somebody liable who was not."""
    blind = [replace(i, present=None) if n == at else i for n, i in enumerate(before if older else after)]
    vague = difference(blind, after) if older else difference(before, blind)
    sure = {c.key for c in difference(before, after) if c.kind in LIABLE}
    assert {c.key for c in vague if c.kind in LIABLE} <= sure


@given(records, records)
def test_worse_and_better_are_each_others_mirror(before: list[ItemState], after: list[ItemState]) -> None:
    kept = [i for i in before if i.present and any(j.key == i.key and j.present for j in after)]
    kept_after = [j for j in after if any(i.key == j.key for i in kept)]
    mirror = {K.WORSE: K.BETTER, K.WORN: K.BETTER, K.BETTER: K.WORSE}
    there = {c.key: c.kind for c in difference(kept, kept_after)}
    back = {c.key: c.kind for c in difference(kept_after, kept)}
    back = {key: K.WORSE if kind is K.WORN else kind for key, kind in back.items()}
    assert back == {key: mirror.get(kind, kind) for key, kind in there.items()}


def test_a_centres_own_order_of_conditions() -> None:
    (change,) = difference([item(True, "a")], [item(True, "b")], scale=("b", "a"))
    assert change.kind is K.BETTER


ZHANG, LI = uuid.uuid4(), uuid.uuid4()
RECEIVED = InCustody(ZHANG, "张三", NOON, None)


@pytest.mark.parametrize(
    ("stretches", "known"),
    [
        ([], True),
        ([Stretch(ZHANG, "张三", NOON, None)], True),
        ([Stretch(None, "", NOON, None)], True),
        ([Stretch(LI, "李四", NOON - HOUR, NOON)], True),
        ([Stretch(LI, "李四", NOON + 5 * HOUR, None)], True),
        ([Stretch(ZHANG, "张三", NOON, NOON + HOUR), Stretch(LI, "李四", NOON + HOUR, None)], False),
        ([Stretch(LI, "李四", NOON - HOUR, NOON + HOUR)], False),
    ],
)
def test_custody_between_two_records(stretches: list[Stretch], known: bool) -> None:
    found = custody_between(RECEIVED, stretches, NOON + 5 * HOUR)
    assert (found.since, found.until) == (NOON, NOON + 5 * HOUR)
    assert found.employee_id == (ZHANG if known else None)


def test_the_lead_had_it_and_somebody_was_registered_meanwhile() -> None:
    lead = InCustody(None, "负责人", NOON, None)
    assert custody_between(lead, [Stretch(None, "", NOON, None)], None).name == "负责人"
    found = custody_between(lead, [Stretch(LI, "李四", NOON + HOUR, None)], None)
    assert found.name.startswith("无法确定")


def test_only_what_changed_is_somebodys() -> None:
    changes = difference([item()], [item(False, "")]) + difference([item()], [item()])
    assert [c.in_custody_of for c in blamed(changes, RECEIVED)] == [RECEIVED, None]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (item(), None),
        (item(True, "unknown"), None),
        (item(True, ""), "condition"),
        (item(True, "gone"), "condition"),
        (item(False, ""), "words"),
        (replace(item(False, ""), words="丢了"), None),
        (item(None, ""), "not_answered"),
        (replace(item(None, ""), words="在宿舍，没看到"), None),
    ],
)
def test_what_a_list_must_say(state: ItemState, code: str | None) -> None:
    assert [h.code for h in item_hindrances([state], CONDITIONS)] == ([code] if code else [])


def test_an_empty_list_is_none() -> None:
    assert [h.code for h in item_hindrances([], CONDITIONS)] == ["no_items"]


@pytest.mark.parametrize(
    ("identity", "imeis", "refused", "result"),
    [
        ({"serial": "S1", "imei": ["1"]}, ["1", "2"], False, "pass"),
        ({"serial": "S1", "imei": []}, ["1"], False, "pass"),
        ({"serial": "S1"}, [], False, "pass"),
        ({"serial": "S1", "imei": ["9"]}, ["1"], False, "fail"),
        ({"serial": "S2", "imei": ["1"]}, ["1"], False, "fail"),
        ({"serial": "S1", "imei": ["1"]}, ["1"], True, "fail"),
        ({"serial": None}, ["1"], False, "unknown"),
        ({}, ["1"], False, "unknown"),
        (None, ["1"], False, "unknown"),
    ],
)
def test_identity(identity: dict[str, object] | None, imeis: list[str], refused: bool, result: str) -> None:
    assert identity_fact(identity, "S1", imeis, refused=refused).result == result


def test_battery_compliance_and_power() -> None:
    assert [battery_fact(p, 20).result for p in (None, 0, 19, 20, 100)] == [
        "unknown", "fail", "fail", "pass", "pass",
    ]  # fmt: skip
    assert [compliance_fact(s, 1).result for s in ("pass", "fail", "unknown")] == ["pass", "fail", "unknown"]
    assert compliance_fact("grace", 2) == Fact(
        "unknown", "已检查：2 项要改，还在宽限期内，不算通过，也不算不合规"
    )
    assert [power_fact(s).result for s in ("on", "off", "unknown")] == ["pass", "unknown", "unknown"]


def test_an_old_reading_is_no_test() -> None:
    fact = Fact("fail", "3%")
    assert timely(fact, NOON, NOON) == fact
    old = timely(fact, NOON - HOUR, NOON)
    assert (old.result, old.stale) == ("unknown", True)
    assert "3%" in old.words
    assert timely(Fact("unknown", "x"), NOON - HOUR, NOON).stale
    assert timely(fact, None, NOON) == Fact("unknown", "没有读到过")
