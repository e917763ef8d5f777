"""Who of the new phone is who of the old one, and what he lacks."""

from __future__ import annotations

from agent.transfer.people.card import DEFAULT, EMAIL, NAME, NOTE, PHONE, PLACE, Card, Row
from agent.transfer.people.match import fill, match, source_of


def card(number: int, name: str = "", *phones: str, note: str = "", **more: object) -> Card:
    rows = [Row(NAME, {"data1": name})] if name else []
    rows += [Row(PHONE, {"data1": phone, "data2": "2"}, 100 + place) for place, phone in enumerate(phones)]
    rows += [Row(NOTE, {"data1": note}, 50)] if note else []
    return Card(number, rows, bool(more.get("starred")), bool(more.get("photo")), str(more.get("source", "")))


def test_what_android_works_out_by_itself_makes_no_difference() -> None:
    one = Row.read(PHONE, {"data1": "+86 139-0000-1111", "data2": "2", "data4": "+8613900001111"}, 1)
    assert one.key() == Row.read(PHONE, {"data1": "+8613900001111", "data2": "2"}, 9).key()
    whole = Row.read(PLACE, {"data1": "路 1 号 苏州", "data4": "路 1 号", "data7": "苏州"}, 1)
    assert (
        whole.key()
        == Row.read(PLACE, {"data1": "苏州, 路 1 号", "data4": "路 1 号", "data7": "苏州"}, 2).key()
    )
    assert Row.read(PLACE, {"data1": "路"}, 1).key() == Row.read(PLACE, {"data4": "路"}, 1).key()


def test_every_other_column_makes_one() -> None:
    base = card(0, "甲", "138", note="x")
    for other in (
        card(0, "乙", "138", note="x"),
        card(0, "甲", "139", note="x"),
        card(0, "甲", "138", note="y"),
        card(0, "甲", "138", "138", note="x"),
        card(0, "甲", "138", note="x", starred=True),
        card(0, "甲", "138", note="x", photo=True),
    ):
        assert other.digest() != base.digest()
    default = Row.read(EMAIL, {"data1": "a", DEFAULT: "1"}, 1)
    assert default.key() != Row.read(EMAIL, {"data1": "a", DEFAULT: "0"}, 1).key()


def test_equal_ones_are_paired_one_by_one() -> None:
    old = [card(0, "甲", "138"), card(1, "甲", "138"), card(2, "甲", "138")]
    found = match(old, {11: card(11, "甲", "138"), 12: card(12, "甲", "138")}, set(), "t")
    assert (found.same, found.missing, found.extra) == ({0: 11, 1: 12}, [2], 0)


def test_those_who_were_there_count_only_when_they_are_equal() -> None:
    new = {11: card(11, "甲", "138"), 12: card(12, "乙", "139", note="mine")}
    found = match([card(0, "甲", "138"), card(1, "乙", "139")], new, {11, 12}, "t")
    assert (found.same, found.partly, found.missing, found.extra) == ({0: 11}, {}, [1], 0)


def test_of_two_equal_ones_ours_is_taken_first() -> None:
    found = match([card(0, "甲")], {11: card(11, "甲"), 12: card(12, "甲")}, {11}, "t")
    assert (found.same, found.extra) == ({0: 12}, 0)


def test_ours_that_lost_something_are_found_again() -> None:
    old = [card(0, "甲", "138", note="long"), card(1, "甲", "139"), card(2, "乙", "137")]
    new = {
        11: card(11, "甲", "139", note="added"),
        12: card(12, "甲", "138"),
        13: card(13, "乙"),
        14: card(14, "丙", "1"),
    }
    found = match(old, new, set(), "t")
    assert (found.partly, found.missing, found.extra) == ({0: 12, 1: 11, 2: 13}, [], 1)


def test_somebody_of_the_same_name_with_other_numbers_is_somebody_else() -> None:
    found = match([card(0, "甲", "138")], {11: card(11, "甲", "139")}, set(), "t")
    assert (found.partly, found.missing, found.extra) == ({}, [0], 1)


def test_a_mark_of_ours_is_found_whatever_it_holds() -> None:
    new = {11: card(11, source=source_of("t", 0)), 12: card(12, source=source_of("other", 1))}
    found = match([card(0, "甲", "138"), card(1, "乙")], new, set(), "t")
    assert (found.partly, found.missing) == ({0: 11}, [1])


def test_fill_changes_what_is_near_and_takes_nothing_away() -> None:
    old = card(0, "甲", "138", "139", note="whole", starred=True, photo=True)
    new = card(9, "甲", "138", note="who", photo=False)
    lack = fill(old, new)
    assert [row.values["data1"] for row in lack.add] == ["139"]
    assert [(there.id, wanted.values["data1"]) for there, wanted in lack.change] == [(50, "whole")]
    assert (lack.star, lack.photo, lack.extra) == (True, True, [])
    assert [row.values["data1"] for row in fill(card(0, "甲"), new).extra] == ["138", "who"]
