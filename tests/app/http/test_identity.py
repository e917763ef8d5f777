"""Roles: who is let in where, and that a misspelt filter is told."""

from __future__ import annotations

from typing import Any

import pytest

from app.http.access import Access
from app.http.identity import authorise
from app.kernel.errors import Forbidden, Unauthenticated
from app.kernel.tenancy import Principal

_FOR_LEADS = Access("roles", ("lead", "operations"))


def _with(*roles: str) -> Principal:
    return Principal("u", frozenset(roles), frozenset())


@pytest.mark.parametrize("roles", [("lead",), ("butler", "operations"), ("admin",)])
def test_a_role_that_is_named_and_the_admin_are_let_in(roles: tuple[str, ...]) -> None:
    authorise(_FOR_LEADS, _with(*roles))


@pytest.mark.parametrize("roles", [("butler",), ("it", "auditor", "finance"), ()])
def test_no_other_role_is(roles: tuple[str, ...]) -> None:
    with pytest.raises(Forbidden):
        authorise(_FOR_LEADS, _with(*roles))


def test_nobody_is_not_let_in() -> None:
    with pytest.raises(Unauthenticated):
        authorise(_FOR_LEADS, None)
    authorise(Access("public"), None)


@pytest.mark.parametrize("path", ["agents", "commands", "compliance", "handsets", "sightings"])
def test_a_misspelt_filter_is_told_not_dropped(client: Any, path: str) -> None:
    answer = client.get(f"/api/v1/{path}?centre=1&statte=queued")
    assert answer.status_code == 422
    assert "statte" in {error["field"] for error in answer.get_json()["errors"]}
