"""Every route declares who may call it; a route without a declaration does not start the server.

`@access(PUBLIC)`, `@access(AGENT)`, `@access(HALF)`, or `@access("operations", "lead")`; `admin` may always.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, current_app

from app.kernel.tenancy import ROLES

F = TypeVar("F", bound=Callable[..., Any])
PUBLIC = "public"
AGENT = "agent"
HALF = "half"
"""Only for somebody whose password was right and who is not yet let in: the second step of signing in."""
SIGNED_IN = ROLES
"""Any role at all."""
STAFF = tuple(role for role in ROLES if role != "butler")
"""For what shows a whole centre: a butler sees his own, and not what his colleagues did."""


@dataclass(frozen=True)
class Access:
    """`roles` is empty for public routes and for agents, whose signature is checked by `app/fleet`.

    With `late_transaction` the view parses first and calls `open_write()` itself: a large upload must not hold the
    database's only write lock while it is read. With `if_match` it calls `expected_version()`.
    """

    kind: str
    roles: tuple[str, ...] = ()
    late_transaction: bool = False
    if_match: bool = False


def access(*who: str, late_transaction: bool = False, if_match: bool = False) -> Callable[[F], F]:
    """Declare who may call a view function or method. Raise `ValueError` for a role that does not exist."""
    if who in ((PUBLIC,), (AGENT,), (HALF,)):
        declared = Access(who[0], (), late_transaction, if_match)
    else:
        unknown = set(who) - set(ROLES)
        if unknown or not who:
            raise ValueError(f"no such role: {sorted(unknown)}")
        declared = Access("roles", tuple(who), late_transaction, if_match)

    def mark(view: F) -> F:
        view.__access__ = declared  # type: ignore[attr-defined]
        return view

    return mark


def declared_access(app: Flask, endpoint: str, method: str) -> Access | None:
    """The declaration of a route, on its function or on the method of its class."""
    view = app.view_functions[endpoint]
    view_class = getattr(view, "view_class", None)
    if view_class is not None:
        name = "get" if method == "HEAD" and not hasattr(view_class, "head") else method.lower()
        view = getattr(view_class, name, view)
    found = getattr(view, "__access__", None)
    if found is None and endpoint.rsplit(".", maxsplit=1)[-1] == "static":
        found = Access(kind=PUBLIC)
    return found


def undeclared_routes(app: Flask) -> list[str]:
    """Routes that nobody decided on, as `METHOD rule`."""
    missing = []
    for rule in app.url_map.iter_rules():
        methods = sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})
        missing += [f"{m} {rule.rule}" for m in methods if declared_access(app, rule.endpoint, m) is None]
    return missing


def current_access(endpoint: str, method: str) -> Access | None:
    return declared_access(current_app, endpoint, method)
