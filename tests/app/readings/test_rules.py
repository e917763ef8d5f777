"""The order in which readings come changes nothing that is known in the end."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.readings.rules import contradicts, dated, merge_tags, supersedes

NOW = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)


def test_nothing_is_dated_in_the_future_or_without_an_age() -> None:
    assert dated(NOW, 0) == NOW
    assert dated(NOW, 1_500_000) == NOW - dt.timedelta(seconds=1.5)
    assert dated(NOW, None) is None


def test_a_new_tag_is_asked_for_until_its_content_comes() -> None:
    merge = merge_tags({}, {"users": "a"}, (), 10)
    assert (merge.known, merge.fresh, merge.wanted) == ({}, [], ["users"])
    merge = merge_tags({}, {"users": "a"}, ("users",), 10)
    assert (merge.known, merge.fresh, merge.wanted) == ({"users": ["a", 10]}, ["users"], [])
    merge = merge_tags(merge.known, {"users": "a"}, ("users",), 20)
    assert (merge.known, merge.fresh, merge.wanted) == ({"users": ["a", 20]}, [], [])


def test_a_late_tag_undoes_nothing_that_was_confirmed_later() -> None:
    known = merge_tags({"users": ["a", 10]}, {"users": "a"}, (), 30).known
    merge = merge_tags(known, {"users": "b"}, ("users",), 20)
    assert (merge.known, merge.fresh, merge.wanted) == ({"users": ["a", 30]}, [], [])


_READINGS = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from("ab")), min_size=1, max_size=4, unique_by=lambda r: r[0]
)


@given(_READINGS)
def test_any_order_ends_with_the_newest_content(readings: list[tuple[int, str]]) -> None:
    newest = max(readings)
    for order in itertools.permutations(readings):
        known: dict[str, list[Any]] = {}
        for at, tag in order:
            known = merge_tags(known, {"users": tag}, ("users",), at).known
        assert known == {"users": [newest[1], newest[0]]}


@given(_READINGS)
def test_any_order_ends_with_the_newest_head(readings: list[tuple[int, str]]) -> None:
    for order in itertools.permutations(readings):
        head: tuple[int | None, str | None, int | None] = (None, None, None)
        for at, boot in order:
            if supersedes(at, boot, at, *head):
                head = (at, boot, at)
        assert head[:2] == max(readings)


def test_within_one_instant_the_longer_run_of_the_same_boot_stands() -> None:
    assert supersedes(5, "b", 11, 5, "b", 10)
    assert not supersedes(5, "b", 10, 5, "b", 10)
    assert not supersedes(5, "c", 11, 5, "b", 10)


@pytest.mark.parametrize(
    ("identity", "imeis", "field"),
    [
        ({}, ("1", "2"), None),
        ({"imei": None}, ("1",), None),
        ({"imei": []}, ("1",), None),
        ({"imei": ["1"]}, (), None),
        ({"imei": ["2", "9"]}, ("1", "2"), None),
        ({"imei": ["9"]}, ("1", "2"), "identity.imei"),
        ({"serial": "S1"}, (), None),
        ({"serial": "S2"}, (), "identity.serial"),
        ({"serial": "S2", "imei": ["1"]}, ("1",), "identity.serial"),
    ],
)
def test_what_contradicts_the_registry(
    identity: dict[str, Any], imeis: tuple[str, ...], field: str | None
) -> None:
    assert contradicts(identity, "S1", imeis) == field
