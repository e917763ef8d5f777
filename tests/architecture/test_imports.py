"""Who may know whom, where import-linter's contracts cannot say it."""

from __future__ import annotations

import ast

from tests.architecture.source import Module, dotted, hold, imports, is_module, modules, product, rooms

# What a file of a room must not touch, by the file's name. `*` after a name: also what lies below it.
_INNER = {"flask", "flask_smorest", "marshmallow", "werkzeug", "click"}
_FORBIDDEN = {
    "rules": _INNER | {"sqlalchemy", "time"},
    "states": _INNER | {"sqlalchemy", "time"},
    "model": _INNER,
    "store": _INNER,
    "service": _INNER,
    "events": _INNER,
    "errors": _INNER | {"sqlalchemy"},
}
_EDGES = {"api", "pages", "jobs", "cli"}
_QUERIES = {f"sqlalchemy.{verb}" for verb in ("select", "insert", "update", "delete", "text")}


def test_the_kernel_knows_no_room_and_no_web() -> None:
    hold(
        "app/kernel imports nothing of app/ but itself:",
        (
            f"{module.at(node)} imports {name}"
            for module in modules("app/kernel")
            for node, name in imports(module)
            if name.startswith("app.") and not name.startswith("app.kernel")
        ),
    )


def test_rooms_meet_only_at_the_door() -> None:
    hold(
        "A room uses of another room only what that room's __init__ exports (`from app.other import name`):",
        (
            f"{module.at(node)} imports {name}"
            for module in modules("app")
            if module.room or module.name.startswith("app.http")
            for node, name in imports(module)
            if _passes_by_the_door(module, name)
        ),
    )


def test_a_file_touches_only_what_its_name_allows() -> None:
    hold(
        "What a line touches picks the file (rules: plain values; store: queries; api: translation …):",
        (
            f"{module.at(node)} imports {name}"
            for module in modules("app")
            if module.room
            for node, name in imports(module)
            if name.split(".")[0] in _FORBIDDEN.get(module.path.stem, set())
        ),
    )


def test_edges_do_not_query() -> None:
    hold(
        "api, pages, jobs and cli call the service; queries belong in the store:",
        (
            f"{module.at(node)} imports {name}"
            for module in modules("app")
            if module.room and module.path.stem in _EDGES
            for node, name in imports(module)
            if name in _QUERIES
        ),
    )


def test_the_agent_never_needs_the_simulator() -> None:
    lazy = {
        id(node)
        for module in modules("agent")
        if module.name == "agent.main"
        for function in module.nodes
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    hold(
        "Simulated phones are for tests: only agent.main imports agent.simulator, and inside a function:",
        (
            f"{module.at(node)} imports {name}"
            for module in modules("agent")
            if not module.name.startswith("agent.simulator")
            for node, name in imports(module)
            if name.startswith("agent.simulator") and id(node) not in lazy
        ),
    )


def test_a_room_says_what_it_exports() -> None:
    hold(
        "A room's __init__ that offers something names it in __all__:",
        (
            f"{module.at(module.tree)} has imports but no __all__"
            for module in product()
            if module.is_package and module.room and any(imports(module)) and not _has_all(module)
        ),
    )


def _passes_by_the_door(module: Module, name: str) -> bool:
    parts = name.split(".")
    if parts[0] != "app" or len(parts) < 3 or parts[1] not in rooms() or parts[1] == module.room:
        return False
    return len(parts) > 3 or is_module(name)


def _has_all(module: Module) -> bool:
    return any(
        isinstance(node, ast.Assign) and any(dotted(target) == "__all__" for target in node.targets)
        for node in module.tree.body
    )
