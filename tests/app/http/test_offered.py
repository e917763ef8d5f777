"""What a page offers, its reader may do: each role walks from its menu over every kind of page of a demo centre.

A button that answers 403 is a dead end, and teaches people to distrust the others.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.http.access import declared_access
from app.kernel.db import db
from app.kernel.tenancy import ROLES
from app.registry.model import Employee, ServiceCentre

_A_KIND_OF_PAGE = 2
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


class _Offers(HTMLParser):
    """Links as ("GET", path), forms as (method, path), without what follows the path."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        target = named.get("href" if tag == "a" else "action") if tag in ("a", "form") else None
        if target and target.startswith("/"):
            method = (named.get("method") or "get").upper() if tag == "form" else "GET"
            self.found.add((method, target.partition("#")[0]))


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What a page offers does not depend on the database: one kind will do."""
    return sqlite_url


@pytest.fixture
def demo(app: Flask) -> dict[str, Any]:
    runner = app.test_cli_runner()
    for args in (["demo", "seed"], ["incidents", "settle"]):
        ran = runner.invoke(args=args)
        assert ran.exit_code == 0, ran.output
    with app.app_context():
        centre = db.session.scalars(select(ServiceCentre.id)).one()
        employee = db.session.scalars(select(Employee.id).where(Employee.name == "陈雨桐")).one()
        db.session.remove()
    return {"centre": centre, "employee": employee}


def _may(app: Flask, role: str, method: str, target: str) -> bool:
    endpoint, _ = app.url_map.bind("").match(target.partition("?")[0], method=method)
    declared = declared_access(app, endpoint, method)
    return declared is not None and (declared.kind != "roles" or role in declared.roles)


@pytest.mark.parametrize("role", [role for role in ROLES if role != "admin"])
def test_no_page_offers_what_its_reader_may_not_do(app: Flask, demo: Any, as_user: Any, role: str) -> None:
    caller = as_user(role, demo["centre"], employee=demo["employee"] if role == "butler" else None)
    waiting, seen, kinds = deque(["/my" if role == "butler" else "/"]), set[str](), Counter[str]()
    wrong = []
    while waiting:
        target = waiting.popleft()
        kind = _UUID.sub("*", target.partition("?")[0])
        if target in seen or kinds[kind] >= _A_KIND_OF_PAGE:
            continue
        seen.add(target)
        kinds[kind] += 1
        answer = caller.get(target)
        if answer.status_code != 200:
            wrong.append(f"{target} -> {answer.status_code}")
        if answer.mimetype != "text/html":
            continue
        offers = _Offers()
        offers.feed(answer.text)
        for method, path in sorted(offers.found):
            if not _may(app, role, method, path):
                wrong.append(f"{target} offers {method} {path}")
            elif method == "GET":
                waiting.append(path)
    assert wrong == []
    assert len(kinds) > (8 if role == "butler" else 20), sorted(kinds)
