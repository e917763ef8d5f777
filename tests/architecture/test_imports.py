"""Who may know whom, where import-linter's contracts cannot say it."""

from __future__ import annotations

import ast

from tests.architecture.source import Module, dotted, hold, imports, is_module, modules, product, rooms

# The last word of a file's name says what it is: `tie_service` is a service, `gateway_pages` are pages.
_EDGES = {"api", "pages", "jobs", "cli"}
_WEB = {"flask", "flask_smorest", "werkzeug", "click"}
_FRAMEWORKS = _WEB | {"marshmallow"}
_QUERIES = {f"sqlalchemy.{verb}" for verb in ("select", "insert", "update", "delete", "text")}
# What a file of a room may touch beyond the rule for its name, and why.
_EXCEPTIONS = {
    # The wire's signatures are over the request's own bytes and headers.
    ("app.fleet.signatures", "flask"),
    ("app.fleet.signatures", "app.http"),
    # docs/wire.md fixes a status for each refusal of an agent, which no domain error carries.
    ("app.fleet.refusals", "app.http"),
    # The blind check for other rooms' edges: its transactions are the request's, as is who asks.
    ("app.escrow.entry", "flask"),
    ("app.escrow.entry", "app.http"),
    ("app.escrow.entry", "app.runtime"),
    # Other rooms' services ask for a month or a trace and know nothing of the policy that it is ruled by.
    ("app.incidents.months", "app.runtime"),
    ("app.incidents.tracing", "app.runtime"),
    # A hook is called by the check-in, which knows nothing of the policies of the room that it serves.
    ("app.wipe.inspect_hook", "app.runtime"),
    ("app.wipe.hook", "app.runtime"),
    ("app.transfer.hooks", "app.runtime"),
    ("app.remedy.hook", "app.runtime"),
    # What is typed, and a code, are counted apart from the request that brings them, for all edges of the room.
    ("app.wipe.entry", "flask"),
    ("app.wipe.entry", "app.http"),
    ("app.wipe.entry", "app.runtime"),
}


def test_the_kernel_knows_no_room_and_no_web() -> None:
    hold(
        "app/kernel imports nothing of app/ but itself, and nothing of the web:",
        (
            f"{module.at(node)} imports {name}"
            for module in modules("app/kernel")
            for node, name in imports(module)
            if (name.startswith("app.") and not name.startswith("app.kernel"))
            or name.split(".")[0] in _FRAMEWORKS
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
            if module.room and not module.is_package
            for node, name in imports(module)
            if _too_much(module, name)
        ),
    )


def test_edges_do_not_query() -> None:
    hold(
        "api, pages, jobs and cli call the service; queries belong in the store:",
        (
            f"{module.at(node)} imports {name}"
            for module in modules("app")
            if module.room and _role(module) in _EDGES
            for node, name in imports(module)
            if name in _QUERIES or (_role(module) in {"api", "cli"} and _is_store(name))
        ),
    )


def test_only_the_edge_commits() -> None:
    hold(
        "One transaction a request, a job or a command, ended where it began: services never commit:",
        (
            f"{module.at(node)} {dotted(node.func)}()"
            for module in modules("app")
            if module.name not in {"app.http.transaction", "app.scheduler", "app.cli"}
            and _role(module) != "cli"
            for node in module.nodes
            if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] == "commit"
        ),
    )


def test_rooms_do_not_need_each_other_in_a_circle() -> None:
    needs: dict[str, set[str]] = {room: set() for room in rooms()}
    for module in modules("app"):
        if module.room:
            needs[module.room] |= {
                name.split(".")[1] for _, name in imports(module) if name.startswith("app.")
            }
    left = {room: needed & needs.keys() - {room} for room, needed in needs.items()}
    while free := {room for room, needed in left.items() if not needed}:
        left = {room: needed - free for room, needed in left.items() if room not in free}
    hold("A room that is needed by another needs it neither directly nor through others:", left)


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


def _role(module: Module) -> str:
    return module.path.stem.rpartition("_")[2]


def _is_store(name: str) -> bool:
    return any(part == "store" or part.endswith("_store") for part in name.split(".")[2:])


def _too_much(module: Module, name: str) -> bool:
    """Whether a room's file imports what is not for a file of its name."""
    role, top = _role(module), name.partition(".")[0]
    if {(module.name, top), (module.name, ".".join(name.split(".")[:2]))} & _EXCEPTIONS:
        return False
    if role in {"rules", "states"}:
        return top in _FRAMEWORKS | {"sqlalchemy", "time"} or name.startswith("app.kernel.clock")
    if role in _EDGES:
        return False
    if role == "schemas":
        return top in _WEB or name.startswith("app.runtime")
    return top in _FRAMEWORKS or name.startswith(("app.http", "app.runtime", "app.bootstrap"))


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
