"""Every route × every role, and × what is another centre's: nobody gets in who is not named, nothing foreign comes out.

New routes are walked by themselves: the list is the application's own map, the bodies are made from the OpenAPI
document, and what is foreign are the rows of a whole demo centre.
"""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Uuid, event, func, select
from werkzeug.routing import Rule

from app.http.access import Access, declared_access
from app.kernel.db import Base, begin_write, db
from app.kernel.tenancy import ROLES
from app.people.model import RoleGrant
from app.registry.model import ServiceCentre
from tests.app.http.bodies import body_for, form_for

_PARAMETER = re.compile(r"<(?:(?P<kind>[a-z]+)(?:\((?P<choices>[^)]*)\))?:)?(?P<name>[a-z_]+)>")
_WORDS = {
    "name": "handsets", "file_format": "csv", "resource": "handsets", "subject": "allowlist", "scope": "centre",
    "month": "2026-11", "code": "x", "kind": "delegation", "day": "2026-11-22",
}  # fmt: skip
_WORD = re.compile(r"\w+")
_SAFE = ("GET",)
# Kept for all centres alike; nothing in them belongs to one.
_SHARED = {"audit_event", "idempotency", "outbox_message"}
_DEMO_WORDS = ("张晓岚", "李文博", "王思远", "陈雨桐", "GJ-000", "锦绣小", "王女士")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What a route lets whom see does not depend on the database: one kind will do."""
    return sqlite_url


@pytest.fixture
def foreign(app: Flask, org: Any) -> dict[str, list[uuid.UUID]]:
    """The ids of the demo centre's rows by table: all of it is foreign to who works in `org.centre`."""
    seeded = app.test_cli_runner().invoke(args=["demo", "seed"])
    assert seeded.exit_code == 0, seeded.output
    with app.app_context():
        centre = db.session.scalars(select(ServiceCentre.id).where(ServiceCentre.code == "JXHY")).one()
        found = {"service_centre": [centre]}
        for table in _centre_tables():
            if "id" in table.c and isinstance(table.c.id.type, Uuid):
                rows = db.session.scalars(select(table.c.id).where(table.c.centre_id == centre)).all()
                if rows:
                    found[table.name] = list(rows)
        db.session.remove()
    assert len(found) > 8, sorted(found)
    return found


def _centre_tables() -> list[Any]:
    return [
        table
        for table in Base.metadata.sorted_tables
        if "centre_id" in table.c and table.name not in _SHARED and table.name != RoleGrant.__tablename__
    ]


def _routes(app: Flask) -> Iterator[tuple[Rule, str, Access]]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            declared = declared_access(app, rule.endpoint, method)
            if declared is not None and declared.kind == "roles":
                yield rule, method, declared


def _path(rule: Rule, row_id: object) -> str:
    def fill(match: re.Match[str]) -> str:
        if match["kind"] == "uuid" or match["name"].endswith("_id"):
            return str(row_id)
        if match["kind"] == "int":
            return "1"
        if match["kind"] == "any":
            return _WORDS.get(match["name"], match["choices"].partition(",")[0])
        return _WORDS.get(match["name"], "x")

    return _PARAMETER.sub(fill, rule.rule)


def test_a_role_that_is_not_named_gets_into_no_route(app: Flask, org: Any, as_user: Any) -> None:
    callers = {role: as_user(role, None if role == "admin" else org.centre) for role in ROLES}
    let_in, refused = [], 0
    for rule, method, declared in _routes(app):
        for role in set(ROLES) - set(declared.roles) - {"admin"}:
            answer = callers[role].open(_path(rule, uuid.uuid4()), method=method)
            first = rule.rule == "/" and answer.status_code == 303
            if answer.status_code != 403 and not first:
                let_in.append(f"{role}: {method} {rule.rule} -> {answer.status_code}")
            refused += 1
    assert let_in == []
    assert refused > 100


def test_nobody_gets_into_a_route_for_somebody(app: Flask, anonymous: Any) -> None:
    open_to_all = [
        f"{method} {rule.rule}"
        for rule, method, _ in _routes(app)
        if anonymous.open(_path(rule, uuid.uuid4()), method=method).status_code != 401
    ]
    assert open_to_all == []


def test_who_has_every_role_in_one_centre_reads_nothing_of_another(
    app: Flask, org: Any, foreign: Any, as_user: Any
) -> None:
    caller = as_user("lead", org.centre, rights=[(r, org.centre) for r in ROLES if r != "admin"])
    every_id = {str(row) for rows in foreign.values() for row in rows}
    leaks = []
    for rule, method, _ in _routes(app):
        if method not in _SAFE:
            continue
        takes_id = _path(rule, "x") != _path(rule, "y")
        tables = _looked_in(app, rule, foreign, caller.get) if takes_id else ["service_centre"]
        for row_id in (foreign[table][0] for table in tables):
            for query in ("", f"?centre={row_id}", f"?centre_id={row_id}") if not takes_id else ("",):
                answer = caller.get(_path(rule, row_id) + query)
                shown = _shown(answer)
                told = [w for w in _DEMO_WORDS if w in shown]
                told += [i for i in every_id if i in shown and i != str(row_id)]
                if told or (takes_id and answer.status_code == 200 and "audit" not in rule.rule):
                    leaks.append(f"GET {_path(rule, row_id)}{query} -> {answer.status_code} {told[:3]}")
    assert leaks == []


def test_who_has_every_role_in_one_centre_changes_nothing_of_another(
    app: Flask, org: Any, foreign: Any, as_user: Any
) -> None:
    caller = as_user("lead", org.centre, rights=[(r, org.centre) for r in ROLES if r != "admin"])
    document = caller.get("/api/v1/openapi.json").get_json()
    before = _rows_of(app, foreign["service_centre"][0])
    tried, wrong = 0, []
    for rule, method, _ in _routes(app):
        if method in _SAFE or rule.rule == "/session/end":
            continue
        if rule.rule.startswith("/api/"):
            sent = {"json": body_for(document, rule.rule, method, foreign)}
        else:
            sent = {"data": form_for(foreign)}
        act = partial(caller.open, method=method, headers={"If-Match": '"v1"'}, **sent)
        takes_id = _path(rule, "x") != _path(rule, "y")
        for table in _looked_in(app, rule, foreign, act) if takes_id else ["service_centre"]:
            path = _path(rule, foreign[table][0])
            answer = act(path)
            tried += 1
            if answer.status_code >= 500:
                wrong.append(f"{method} {path} ({table}) -> {answer.status_code}")
    after = _rows_of(app, foreign["service_centre"][0])
    changed = [name for name in before if before[name] != after[name]]
    assert (changed, wrong) == ([], [])
    assert tried > 200


def test_a_role_in_one_centre_is_none_in_another(app: Flask, org: Any, as_user: Any) -> None:
    """Lead here and butler there: he leads only here, though he belongs to both."""
    both = as_user("lead", org.centre, rights=[("butler", org.other_centre)])
    assert [c["id"] for c in both.get("/api/v1/centres").json["items"]] == [str(org.centre)]
    assert "翠湖天地" not in both.get("/registry/centres").text


def _looked_in(
    app: Flask, rule: Rule, foreign: Mapping[str, Any], ask: Callable[[str], object]
) -> Collection[str]:
    """In which tables a route looks for the id in its path: all, when none is seen. An id of any other table is to it
    like the made-up one that is tried here."""
    nobody, found = uuid.uuid4(), set[str]()

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if nobody.hex in repr(parameters):
            found.update(foreign.keys() & set(_WORD.findall(statement)))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        ask(_path(rule, nobody))
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return found or foreign


def _shown(answer: Any) -> str:
    """The text of an answer; of a workbook that of all its parts."""
    raw: bytes = answer.get_data()
    if not raw.startswith(b"PK"):
        return raw.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(raw)) as book:
        return "".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())


def _rows_of(app: Flask, centre: uuid.UUID) -> dict[str, Any]:
    """Every row of a centre, and how many rows the tables without a centre have."""
    with app.app_context():
        session = begin_write(db.session())
        found: dict[str, Any] = {
            table.name: sorted(
                map(repr, session.execute(select(table).where(table.c.centre_id == centre)).all())
            )
            for table in _centre_tables()
        }
        for name in ("company", "district", "service_centre", "app_user", "role_grant", "deputy"):
            found[f"{name} (count)"] = session.scalar(
                select(func.count()).select_from(Base.metadata.tables[name])
            )
        session.rollback()
        db.session.remove()
    return found
