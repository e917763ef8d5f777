"""Changes of a layer and their differences. Plain values only; a layer is a merge patch (RFC 7396) over `below`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

Path = tuple[str, ...]
Body = Mapping[str, Any]


class Missing(Enum):
    """The value of a member that is not there, which null is not: in a layer, null takes a member away."""

    MISSING = "missing"


MISSING = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Change:
    """A value that differs; `before` or `after` is `MISSING` where it is not there on that side."""

    path: Path
    before: Any
    after: Any


def between(below: Body, wanted: Body) -> dict[str, Any]:
    """The smallest patch that makes `wanted` of `below`. A null within `wanted` counts as no member."""
    patch: dict[str, Any] = {
        name: None for name in below if wanted.get(name) is None and below[name] is not None
    }
    for name, value in wanted.items():
        old = below.get(name)
        if value is None or value == old:
            continue
        patch[name] = _word(old, value)
    return patch


def _word(old: Any, value: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(old, Mapping):
        return between(old, value)
    return _without_null(value)


def _without_null(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {name: _without_null(member) for name, member in value.items() if member is not None}


def edited(layer: Body, below: Body, path: Sequence[str], value: Any) -> dict[str, Any]:
    """The layer that sets `value` at `path`, or takes it away (`MISSING`), and says nothing else new.

    What lies below already is not repeated. Raise `ValueError` for an empty path.
    """
    if not path:
        raise ValueError("a path names a member")
    name, rest = path[0], path[1:]
    result = dict(layer)
    old = below.get(name)
    if rest:
        lower = old if isinstance(old, Mapping) else {}
        inner = result.get(name)
        if name in result and not isinstance(inner, Mapping):
            # The layer took the whole object away: what it held stays away but for the one that is set.
            inner = dict.fromkeys(lower)
        child = edited(inner or {}, lower, rest, value)
        if child:
            result[name] = child
        else:
            result.pop(name, None)
        return result
    result.pop(name, None)
    if value is MISSING or value is None:
        if old is not None:
            result[name] = None
    elif value != old:
        result[name] = _word(old, value)
    return result


def changes(before: Body, after: Body) -> list[Change]:
    """What differs value by value, objects member by member; in the order of `before`, then of what is new."""
    return list(_changes(before, after, ()))


def _changes(before: Body, after: Body, path: Path) -> Iterator[Change]:
    for name in (*before, *(n for n in after if n not in before)):
        old, new = before.get(name, MISSING), after.get(name, MISSING)
        here = (*path, name)
        deep = [side for side in (old, new) if isinstance(side, Mapping) and side]
        if deep and all(side is MISSING or isinstance(side, Mapping) for side in (old, new)):
            yield from _changes(_object(old), _object(new), here)
        elif old is MISSING or new is MISSING or old != new or type(old) is not type(new):
            yield Change(here, old, new)


def _object(side: Any) -> Body:
    return side if isinstance(side, Mapping) else {}


def moved_over(base: Body, mine: Body, theirs: Body) -> tuple[dict[str, Any], list[Change]]:
    """My changes of `base` put over `theirs`, and those of them that stand where they changed something otherwise."""
    foreign = {change.path: change.after for change in changes(base, theirs)}
    result = dict(theirs)
    clashes = []
    for change in changes(base, mine):
        result = worded(result, change.path, change.after)
        if any(_touches(path, change.path) and after != change.after for path, after in foreign.items()):
            clashes.append(change)
    return result, clashes


def _touches(one: Path, other: Path) -> bool:
    size = min(len(one), len(other))
    return one[:size] == other[:size]


def worded(body: Body, path: Sequence[str], value: Any) -> dict[str, Any]:
    """A layer's own text changed at one place; null is a word here, `MISSING` says nothing there any more."""
    result = dict(body)
    if len(path) == 1:
        if value is MISSING:
            result.pop(path[0], None)
        else:
            result[path[0]] = value
        return result
    child = worded(_object(result.get(path[0])), path[1:], value)
    if child:
        result[path[0]] = child
    else:
        result.pop(path[0], None)
    return result
