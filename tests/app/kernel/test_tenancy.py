"""Who may do what where; and who is nobody's second person."""

from __future__ import annotations

import uuid

import pytest

from app.kernel.actors import TOKEN_USER
from app.kernel.errors import Forbidden
from app.kernel.tenancy import Principal

HERE, THERE = uuid.uuid4(), uuid.uuid4()


def test_the_installations_token_is_no_second_person() -> None:
    with pytest.raises(Forbidden, match="second person"):
        Principal(TOKEN_USER, frozenset({"admin"}), None).require_person()
    Principal("somebody", frozenset({"lead"}), frozenset()).require_person()


def test_a_role_holds_where_it_was_given() -> None:
    rights = frozenset({("lead", HERE), ("butler", THERE)})
    who = Principal("u", frozenset({"lead", "butler"}), frozenset({HERE, THERE}), rights=rights)
    assert who.may(HERE, "lead")
    assert not who.may(THERE, "lead")
    assert who.narrowed("lead").centres == {HERE}
    with pytest.raises(Forbidden):
        who.require_role(THERE, "lead")


def test_a_company_wide_role_holds_in_every_centre() -> None:
    who = Principal("u", frozenset({"finance"}), None, rights=frozenset({("finance", None)}))
    assert who.may(THERE, "finance")
    assert who.narrowed("finance").centres is None
