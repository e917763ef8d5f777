"""A secret reaches no log and no exception's text: not even by a variable that holds one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.architecture.source import dotted, hold, modules

_LOGGERS = re.compile(r"(^|\.|_)(log|logger|logging)$")
_LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "log", "msg"}
_SECRET = re.compile(
    r"(^|_)(token|secret|password|passwd|passphrase|pin|private|plaintext|cookie|authorization|api_key)s?($|_)"
)
# Names that speak about a secret without holding it.
_ABOUT = re.compile(r"_(id|ids|hash|sha256|count|length|name|path|file|kind|age|days|s)$")


def test_log_calls_name_no_secret() -> None:
    hold(
        "A log line never carries a secret, so none is named in a log call:",
        (
            f"{module.at(node)} {name}"
            for module in modules("app", "agent", "scripts")
            for node in module.nodes
            if isinstance(node, ast.Call) and _is_log_call(node)
            for name in _names(node)
            if _holds_secret(name)
        ),
    )


def test_exceptions_name_no_secret() -> None:
    hold(
        "An exception's text ends in logs and on pages; none is built from a secret:",
        (
            f"{module.at(node)} {name}"
            for module in modules("app", "agent", "scripts")
            for node in module.nodes
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
            for part in ast.walk(node.exc)
            if isinstance(part, ast.FormattedValue)
            for name in _identifiers(part)
            if _holds_secret(name)
        ),
    )


def _is_log_call(node: ast.Call) -> bool:
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in _LEVELS:
        return False
    return bool(_LOGGERS.search(dotted(node.func.value)))


def _names(call: ast.Call) -> Iterator[str]:
    yield from (keyword.arg for keyword in call.keywords if keyword.arg)
    for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
        yield from _identifiers(argument)


def _identifiers(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def _holds_secret(name: str) -> bool:
    lowered = name.lower()
    return bool(_SECRET.search(lowered)) and not _ABOUT.search(lowered)
