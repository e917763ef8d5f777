"""Which stored incident each computed one is."""

from __future__ import annotations

import itertools

from app.incidents.rules import HitFact, Verdict, causes_of, match


def verdict(start: int, end: int, *hits: int, kind: str = "a") -> Verdict:
    told = tuple(HitFact(at, "dial_test", "x", "powered_off", False) for at in hits)
    return Verdict(kind, "confirmed", start, end, "e", "2026-11", told, (), ())


def test_each_finds_itself() -> None:
    stored = [(verdict(0, 10), True), (verdict(20, 30), True)]
    assert match(stored, [verdict(21, 30), verdict(0, 9)]).same == {0: 1, 1: 0}


def test_one_that_has_nothing_in_common_is_new_and_the_other_is_left() -> None:
    found = match([(verdict(0, 10), True)], [verdict(11, 20)])
    assert (found.same, found.joined, found.parted) == ({}, {}, {})


def test_two_become_one_and_the_one_with_more_in_common_stays() -> None:
    stored = [(verdict(0, 10, 5), True), (verdict(20, 40, 22, 30), True)]
    found = match(stored, [verdict(0, 40, 5, 22, 30)])
    assert (found.same, found.joined) == ({0: 1}, {0: 0})


def test_one_becomes_two() -> None:
    found = match([(verdict(0, 40, 5, 30, 31), True)], [verdict(0, 10, 5), verdict(25, 40, 30, 31)])
    assert (found.same, found.parted) == ({1: 0}, {0: 0})


def test_a_hit_outside_the_off_time_is_in_common_too() -> None:
    """A call two minutes before the proved off-time was an incident of its own before the proof came."""
    found = match([(verdict(98, 98, 98, kind="b"), True)], [verdict(100, 200, 98)])
    assert found.same == {0: 0}


def test_one_that_counts_comes_before_one_that_is_gone() -> None:
    stored = [(verdict(0, 10, 5, 6), False), (verdict(8, 12), True)]
    assert match(stored, [verdict(0, 12, 5, 6)]).same == {0: 1}
    assert match(stored[:1], [verdict(0, 12, 5, 6)]).same == {0: 0}


def test_the_order_of_what_is_computed_makes_no_difference() -> None:
    stored = [(verdict(0, 10, 1), True), (verdict(12, 30, 20), True), (verdict(40, 41, 40), False)]
    computed = [verdict(0, 13, 1), verdict(14, 30, 20), verdict(39, 42, 40)]
    told = []
    for order in itertools.permutations(range(3)):
        found = match(stored, [computed[n] for n in order])
        told.append({order[n]: m for n, m in found.same.items()})
    assert told == [{0: 0, 1: 1, 2: 2}] * 6


def test_causes() -> None:
    assert causes_of({"boots": "1", "policy": "p"}, {"boots": "2", "policy": "p"}) == ["boots"]
    assert causes_of({"boots": "1", "policy": "p"}, {"boots": "1", "policy": "p"}) == ["time"]
    assert causes_of({"boots": "1", "policy": "p"}, {"boots": "2", "policy": "q"}) == ["boots", "policy"]
