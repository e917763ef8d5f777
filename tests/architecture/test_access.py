"""Every route says who may call it, and what is open to everybody is a list that somebody decided on."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from app.bootstrap import build_runtime
from app.http.access import declared_access, undeclared_routes
from app.http.roles import roles_page
from app.settings import load_settings
from tests.architecture.source import ROOT, hold

# A route that needs no sign-in is added here on purpose or not at all.
_PUBLIC = {
    "GET /api/v1/docs",
    "GET /api/v1/openapi.json",
    "GET /enter",
    "GET /healthz",
    "GET /metrics",
    "GET /p/<code>",
    "GET /papers/check",
    "GET /r/<code>",
    "GET /r/<code>/sent",
    "GET /readyz",
    "GET /static/<path:filename>",
    "POST /papers/check",
    "POST /r/<code>",
    "POST /session",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    var: Path = tmp_path_factory.mktemp("var")
    return create_app(build_runtime(load_settings({"BUTLER_ENV": "test", "BUTLER_VAR_DIR": str(var)})))


def test_every_route_declares_who_may_call_it(app: Flask) -> None:
    hold("A view has @access(…) directly above its function:", undeclared_routes(app))


def test_what_is_public_was_decided(app: Flask) -> None:
    public = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}
        if (declared := declared_access(app, rule.endpoint, method)) and declared.kind == "public"
    }
    hold(
        "These routes are open to everybody; add them to _PUBLIC here only if they must be:", public - _PUBLIC
    )


def test_reading_changes_nothing(app: Flask) -> None:
    """State never changes by GET: no view answers to both a safe and a writing method."""
    hold(
        "One view function serves reading or writing, not both:",
        (
            f"{rule.rule} ({', '.join(sorted(rule.methods or set()))})"
            for rule in app.url_map.iter_rules()
            if "GET" in (rule.methods or set())
            and {"POST", "PUT", "PATCH", "DELETE"} & (rule.methods or set())
            if not hasattr(app.view_functions[rule.endpoint], "view_class")
        ),
    )


def test_the_table_of_roles_says_what_the_routes_say(app: Flask) -> None:
    page = (ROOT / "docs" / "roles.md").read_text(encoding="utf-8")
    hold(
        "docs/roles.md is older than the routes: flask --app wsgi users roles > docs/roles.md",
        set(roles_page(app).splitlines()) ^ set(page.splitlines()),
    )
