"""Small checks for scenario files: each takes a JSON value and its path and returns the value, or says what
is wrong.

A record or list collects what is wrong with all of its parts, so that one run shows every mistake.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str], Any]


class ScenarioError(Exception):
    """What is wrong with a scenario, one line for each field."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _wrong(path: str, wanted: str, value: Any) -> ScenarioError:
    return ScenarioError([f"{path}: {wanted} is wanted, not {json.dumps(value, ensure_ascii=False)[:60]}"])


def whole(low: int, high: int = 2**53) -> Check:
    """A whole number within both bounds."""

    def check(value: Any, path: str) -> int:
        if type(value) is not int or not low <= value <= high:
            raise _wrong(path, f"a whole number from {low} to {high}", value)
        return value

    return check


def seconds(value: Any, path: str) -> float:
    """A number of seconds, 0 or more."""
    if type(value) not in (int, float) or not 0 <= value < 1e9:
        raise _wrong(path, "a number of seconds, 0 or more,", value)
    return float(value)


def flag(value: Any, path: str) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise _wrong(path, "true or false", value)
    return value


def text(value: Any, path: str) -> str:
    """A string."""
    if not isinstance(value, str):
        raise _wrong(path, "a string", value)
    return value


def choice(*names: str) -> Check:
    """One of the names."""

    def check(value: Any, path: str) -> str:
        if value not in names:
            raise _wrong(path, f"one of {', '.join(names)}", value)
        return str(value)

    return check


def optional(inner: Check) -> Check:
    """null or what `inner` takes."""
    return lambda value, path: None if value is None else inner(value, path)


def many(inner: Check) -> Check:
    """A list of what `inner` takes."""

    def check(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise _wrong(path, "a list", value)
        return _collect({f"{path}[{place}]": (inner, item) for place, item in enumerate(value)})

    return check


def table(inner: Check) -> Check:
    """An object of any names with values that `inner` takes."""

    def check(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong(path, "an object", value)
        parts = _collect({f"{path}.{name}": (inner, item) for name, item in value.items()})
        return dict(zip(value, parts, strict=True))

    return check


def record(fields: Mapping[str, Check], required: tuple[str, ...] = ()) -> Check:
    """An object of these fields only."""

    def check(value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong(path, "an object", value)
        unknown = [f"{path}.{name}: no such field" for name in value if name not in fields]
        missing = [f"{path}.{name}: is missing" for name in required if name not in value]
        known = {name: item for name, item in value.items() if name in fields}
        parts = _collect(
            {f"{path}.{name}": (fields[name], item) for name, item in known.items()}, unknown + missing
        )
        return dict(zip(known, parts, strict=True))

    return check


def _collect(parts: dict[str, tuple[Check, Any]], problems: list[str] | None = None) -> list[Any]:
    found, problems = list[Any](), list(problems or ())
    for path, (inner, item) in parts.items():
        try:
            found.append(inner(item, path))
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    return found
