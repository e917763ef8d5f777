"""Lines of the first page, apps and unread parts: plain values."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from app.overview.rules import PAGE_SIZE, SORTS, PhoneLine, Unread, Wanted, list_apps, show, unread_of

CENTRE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
NOW = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)


def line(tag: str, **changes: Any) -> PhoneLine:
    values = {
        "id": uuid.uuid4(), "centre_id": CENTRE, "centre_name": "锦绣花园", "asset_tag": tag, "serial": f"S-{tag}",
        "model": "Redmi Note 8", "post": None, "employee": None, "power": "unknown", "power_since": None,
        "last_proof_at": None, "verdict": "unknown", "failed": 0, "unsure": 0, "battery_percent": None,
        "charging": None, "contact_at": None, "gateway": None, "unreached": None, "waiting": 0,
    }  # fmt: skip
    return PhoneLine(**{**values, **changes})


def tags(lines: Any, **wanted: Any) -> list[str]:
    return [found.asset_tag for found in show(lines, Wanted(**wanted)).lines]


def test_counts_have_three_values_and_stand_before_the_filters() -> None:
    lines = [line("1", power="on"), line("2", verdict="fail"), line("3", centre_id=OTHER, power="unknown")]
    shown = show(lines, Wanted(power="on"))
    assert [found.asset_tag for found in shown.lines] == ["1"]
    assert shown.power == {"on": 1, "unknown": 2}
    assert shown.verdicts == {"fail": 1, "unknown": 2, "grace": 0, "pass": 0}
    assert (shown.found, shown.total) == (1, 3)
    assert show(lines, Wanted(centre_id=CENTRE)).power == {"on": 1, "unknown": 1}


def test_a_search_finds_all_words_anywhere() -> None:
    lines = [line("GJ-1", employee="张三", post="一号片区"), line("GJ-2", employee="张三丰"), line("GJ-3")]
    assert tags(lines, text="张三 一号") == ["GJ-1"]
    assert tags(lines, text="s-gj-3") == ["GJ-3"]
    assert tags(lines, text="note gj") == ["GJ-1", "GJ-2", "GJ-3"]
    assert tags(lines, text="没有") == []


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("tag", ["1", "2", "3"]),
        ("-tag", ["3", "2", "1"]),
        ("power", ["1", "3", "2"]),
        ("verdict", ["3", "1", "2"]),
        ("battery", ["3", "2", "1"]),
        ("contact", ["1", "3", "2"]),
        ("waiting", ["2", "1", "3"]),
        ("post", ["2", "1", "3"]),
        ("nonsense", ["1", "2", "3"]),
    ],
)
def test_sorts_put_what_needs_a_look_first_and_the_unknown_last(sort: str, order: list[str]) -> None:
    lines = [
        line("1"),
        line("2", power="on", battery_percent=50, contact_at=NOW, waiting=2, post="A", verdict="pass"),
        line("3", power="unknown", battery_percent=0, contact_at=NOW - dt.timedelta(days=1), verdict="fail"),
    ]
    assert tags(lines, sort=sort) == order


def test_every_sort_takes_lines_of_which_nothing_is_known() -> None:
    for name in SORTS:
        assert len(tags([line("1"), line("2")], sort=name)) == 2


def test_pages_are_cut_and_never_empty() -> None:
    lines = [line(f"{n:04}") for n in range(PAGE_SIZE * 2 + 1)]
    assert len(show(lines, Wanted(page=1)).lines) == PAGE_SIZE
    for page in (3, 99):
        shown = show(lines, Wanted(page=page))
        assert [found.asset_tag for found in shown.lines] == [f"{PAGE_SIZE * 2:04}"]
        assert (shown.page, shown.pages) == (3, 3)
    assert show(lines, Wanted(page=-5)).page == 1
    assert show([], Wanted()).pages == 1


def app(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "user": 0, "system": False, "installer": None, **changes}


def test_a_list_that_was_never_read_is_not_an_empty_one() -> None:
    assert not list_apps(None, "", system=False, labels={}).known
    assert list_apps([], "", system=False, labels={}).known


def test_apps_are_searched_and_the_systems_own_are_left_out() -> None:
    packages = [
        app("com.b", installer="com.Store"),
        app("com.a"),
        app("android", system=True, labels={}),
        app("x", system=None),
    ]
    shown = list_apps(packages, "", system=False, labels={})
    assert [p["name"] for p in shown.rows] == ["com.a", "com.b", "x"]
    assert (shown.total, shown.hidden) == (3, 1)
    assert [p["name"] for p in list_apps(packages, "STORE", system=True, labels={}).rows] == ["com.b"]
    many = list_apps([app(f"a{n}") for n in range(301)], "", system=False, labels={})
    assert (len(many.rows), many.more) == (300, True)


def test_only_a_whole_section_that_was_not_read_is_shown_from_earlier() -> None:
    unread = [("packages", "timeout"), ("identity.imei", "denied"), ("users", "denied")]
    assert unread_of(unread, {"packages": [], "identity": {}}) == [
        Unread("packages", "timeout", older=True),
        Unread("identity.imei", "denied", older=False),
        Unread("users", "denied", older=False),
    ]


def test_apps_are_found_by_the_name_that_people_know_and_those_with_one_come_first() -> None:
    rows = [{"name": name, "user": 0, "system": False, "installer": None} for name in ("com.a.b", "com.z.z")]
    labels = {"com.z.z": "微信"}
    assert [p["name"] for p in list_apps(rows, "", system=False, labels=labels).rows] == [
        "com.z.z",
        "com.a.b",
    ]
    assert [p["name"] for p in list_apps(rows, "微", system=False, labels=labels).rows] == ["com.z.z"]
