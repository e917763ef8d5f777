"""Time comes from one place, so that it can be frozen and nothing is dated by a clock that nobody chose."""

from __future__ import annotations

import ast

from tests.architecture.source import dotted, hold, imports, modules, product

# The two places that may read the machine's clock.
_CLOCKS = {"app.kernel.clock", "agent.clock"}
_WALL = {"time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime", "time.strftime"}
_WALL_METHODS = {"now", "utcnow", "today"}
_DATE_CLASSES = {"datetime", "date"}


def test_only_the_clocks_read_the_wall_clock() -> None:
    hold(
        "Only app/kernel/clock.py and agent/clock.py read the wall clock; take the one that is passed in:",
        (
            f"{module.at(node)} calls {dotted(node.func)}()"
            for module in product()
            if module.name not in _CLOCKS
            for node in module.nodes
            if isinstance(node, ast.Call) and _reads_wall_clock(dotted(node.func))
        ),
    )


def test_nobody_hides_the_wall_clock_behind_a_bare_name() -> None:
    hold(
        "Write `time.monotonic()`, not `from time import …`, so that a wall clock is seen where it is read:",
        (
            f"{module.at(node)} imports {name}"
            for module in product()
            if module.name not in _CLOCKS
            for node, name in imports(module)
            if name in _WALL
        ),
    )


def test_the_database_dates_nothing() -> None:
    hold(
        "The database's clock is not ours: no func.now(), no CURRENT_TIMESTAMP:",
        (
            f"{module.at(node)}"
            for module in modules("app", "migrations")
            for node in module.nodes
            if (isinstance(node, ast.Call) and dotted(node.func) in {"func.now", "sa.func.now"})
            or (isinstance(node, ast.Constant) and "CURRENT_TIMESTAMP" in str(node.value).upper())
        ),
    )


def _reads_wall_clock(called: str) -> bool:
    parts = called.split(".")
    if called in _WALL:
        return True
    return len(parts) > 1 and parts[-1] in _WALL_METHODS and parts[-2] in _DATE_CLASSES
