"""The product's source as parsed modules, and how a broken rule is told."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Folders of app/ that are no rooms: what every room may use, and what is no Python.
NOT_ROOMS = frozenset({"kernel", "http", "static", "templates", "translations"})


@dataclass(frozen=True)
class Module:
    """One file. `name` is dotted; a package's is its own, without `__init__`."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def room(self) -> str | None:
        parts = self.name.split(".")
        return parts[1] if parts[0] == "app" and len(parts) > 1 and parts[1] in rooms() else None

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree: walked once, not by every test again."""
        return tuple(ast.walk(self.tree))

    def at(self, node: ast.AST) -> str:
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).glob("**/*.py"))]


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    return tuple(_load(path) for path in files(*folders))


def product() -> tuple[Module, ...]:
    """What is delivered: the server and the agent."""
    return modules("app", "agent")


@cache
def rooms() -> frozenset[str]:
    return frozenset(path.parent.name for path in (ROOT / "app").glob("*/__init__.py")) - NOT_ROOMS


def imports(module: Module) -> Iterator[tuple[ast.stmt, str]]:
    """Every import as (statement, dotted name): `from a.b import c` gives `a.b.c`, wherever it stands."""
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            yield from ((node, f"{base}.{alias.name}") for alias in node.names)


def is_module(name: str) -> bool:
    """Whether the dotted name is a file or package here, and not something that a module holds."""
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a name or attribute chain; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def hold(rule: str, broken: Iterable[str]) -> None:
    """Fails with the rule and each place that breaks it."""
    places = sorted(broken)
    if places:
        pytest.fail("\n".join([rule, *(f"  {place}" for place in places)]), pytrace=False)


@cache
def _load(path: Path) -> Module:
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    text = path.read_text(encoding="utf-8")
    return Module(name, path, text, ast.parse(text, str(path)))


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    for _ in range(node.level - 1):
        package = package.rpartition(".")[0]
    return f"{package}.{node.module}" if node.module else package
