"""Files and functions stay small enough to be read in one go."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

from tests.architecture.source import ROOT, files, hold, modules

_FILE_LINES = 400
_FUNCTION_LINES = 40
_MEDIAN_FILE_LINES = 100


def _lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def test_no_file_is_too_long() -> None:
    everything = files("app", "agent", "scripts", "bench", "tests")
    lengths = ((path.relative_to(ROOT), _lines(path)) for path in everything)
    hold(f"A file has at most {_FILE_LINES} lines:", (f"{at}: {n}" for at, n in lengths if n > _FILE_LINES))


def test_files_are_small_on_the_whole() -> None:
    lengths = [_lines(path) for path in files("app", "agent")]
    median = statistics.median(lengths)
    assert median <= _MEDIAN_FILE_LINES, f"the median file has {median} lines, more than {_MEDIAN_FILE_LINES}"


def test_functions_are_short_on_the_whole() -> None:
    """19 of 20 functions keep to the limit; the rest is told when there are too many of them."""
    lengths = [
        ((node.end_lineno or 0) - node.lineno + 1, f"{module.at(node)} {node.name}")
        for module in modules("app", "agent", "scripts", "bench")
        for node in module.nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = [f"{where}: {lines}" for lines, where in lengths if lines > _FUNCTION_LINES]
    if len(long) * 20 > len(lengths):
        hold(f"At most one function in 20 is longer than {_FUNCTION_LINES} lines; too many are:", long)
