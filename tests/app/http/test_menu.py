"""The main menu: what the caller may open, and what is his own only for somebody who has something of his own."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask

from app.http.pages import JUDGING, KIT, MANAGING, OWN, menu
from app.kernel.tenancy import Principal

CENTRE = uuid.uuid4()


def _menu(app: Flask, role: str, *, employee: bool) -> list[tuple[str, list[str]]]:
    who = Principal("u", frozenset({role}), frozenset({CENTRE}), employee=uuid.uuid4() if employee else None)
    with app.app_context():
        return [(group, [entry.label for entry in entries]) for group, entries in menu(who)]


def test_a_butler_has_his_own_in_a_few_groups_and_nothing_else(app: Flask) -> None:
    groups = dict(_menu(app, "butler", employee=True))
    assert groups[""] == ["我的手机"]
    assert groups[JUDGING] == ["我的关机事件", "我的整改", "我的委托", "我的补贴"]
    assert set(groups) <= {"", JUDGING, KIT}
    assert all(label.startswith("我的") for labels in groups.values() for label in labels)


def test_staff_who_are_employees_have_their_own_under_one_word(app: Flask) -> None:
    groups = dict(_menu(app, "lead", employee=True))
    assert "我的手机" in groups[OWN]
    assert "API" in groups[MANAGING]


@pytest.mark.parametrize("role", ["admin", "auditor", "finance", "operations"])
def test_who_is_no_employee_has_nothing_of_his_own(app: Flask, role: str) -> None:
    assert OWN not in dict(_menu(app, role, employee=False))


def test_nobody_has_no_menu(app: Flask) -> None:
    with app.app_context():
        assert menu(None) == []
