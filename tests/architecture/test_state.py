"""No state hides in modules: every object is built once in the bootstrap and passed in."""

from __future__ import annotations

import ast
from functools import cache

from tests.architecture.source import dotted, hold, product

# Classes that may be called while a module is imported: they make values, types or descriptions.
_HARMLESS = {
    "CommandGroup",
    "Blueprint",
    # prometheus_client keeps one registry a process, by design.
    "Counter",
    "Fen",
    "Gauge",
    "Histogram",
    "MappingProxyType",
    "NamedTuple",
    "Namespace",
    "NewType",
    "ParamSpec",
    "Path",
    # Flask-SQLAlchemy's registry of tables: its engines and sessions live in the app that it is given to.
    "SQLAlchemy",
    "Struct",
    "TypeVar",
    # Configured once, holds nothing.
    "JSONDecoder",
    "JSONEncoder",
    "ZoneInfo",
}
# Functions that hand out something live.
_LIVE = {
    "build_runtime",
    "connect",
    "create_app",
    "create_engine",
    "open",
    "scoped_session",
    "sessionmaker",
    "socket",
}


def test_no_global_statement() -> None:
    hold(
        "A function changes no module: pass the object in instead of `global`:",
        (
            f"{module.at(node)} global {', '.join(node.names)}"
            for module in product()
            for node in module.nodes
            if isinstance(node, ast.Global)
        ),
    )


def test_no_singletons_at_module_level() -> None:
    hold(
        "A live object at module level is shared by everyone and by every test; build it in app/bootstrap.py"
        " (or the agent's main) and pass it on:",
        (
            f"{module.at(node)} = {dotted(call.func)}(…)"
            for module in product()
            for node in module.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for call in [node.value]
            if isinstance(call, ast.Call) and not _harmless(call)
        ),
    )


def test_no_mutable_container_grows_at_module_level() -> None:
    hold(
        "A module's list, dict or set is a constant: UPPER_CASE, and nothing writes to it:",
        (
            f"{module.at(node)} {target.id}"
            for module in product()
            for node in module.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            and isinstance(
                node.value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp
            )
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name) and not _is_constant(target.id)
        ),
    )


def _is_constant(name: str) -> bool:
    return name.lstrip("_").isupper() or name in {"__all__", "__table_args__"}


def _harmless(call: ast.Call) -> bool:
    name = dotted(call.func).rpartition(".")[2]
    if name in _LIVE:
        return False
    is_class = name.lstrip("_")[:1].isupper()
    return not is_class or name in _HARMLESS or name in _frozen() or name.endswith("Schema")


@cache
def _frozen() -> set[str]:
    """Frozen dataclasses and named tuples of the whole product: values, whoever makes them."""
    return {
        node.name
        for module in product()
        for node in module.tree.body
        if isinstance(node, ast.ClassDef)
        and (
            any("frozen=True" in ast.unparse(decorator) for decorator in node.decorator_list)
            or any(dotted(base).rpartition(".")[2] == "NamedTuple" for base in node.bases)
        )
    }
