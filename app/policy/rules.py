"""How a layer lies over a policy, and what became of the names that older layers use. Plain values only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def patch(body: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """JSON merge patch (RFC 7396): objects are merged, null takes a member away, all else replaces. Changes neither."""
    result = dict(body)
    for name, value in layer.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            below = result.get(name)
            result[name] = patch(below if isinstance(below, Mapping) else {}, value)
        else:
            result[name] = value
    return result


def stack(
    body: Mapping[str, Any], layers: Iterable[Mapping[str, Any]], patches: str | None = None
) -> dict[str, Any]:
    """The file's body under its layers, the district's first and the centre's last.

    `patches`: the member that holds patches itself. A null inside one of those is a word of that patch, for the model
    that it is for: to a plain merge it would take something out of the patch, and do nothing without a word.
    """
    result = dict(body)
    for layer in layers:
        below = result.get(patches or "", {})
        result = patch(result, layer)
        if patches is not None and isinstance(layer.get(patches), Mapping) and isinstance(below, Mapping):
            result[patches] = _joined(below, layer[patches])
    return result


def _joined(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The patches of two layers by their keys; null for a key takes its patch away."""
    result = {key: value for key, value in below.items() if above.get(key, value) is not None}
    for key, value in above.items():
        if value is not None:
            result[key] = _over(result.get(key), value)
    return result


def _over(below: Any, above: Any) -> Any:
    """One patch that does what the lower and then the upper does."""
    if not isinstance(above, Mapping) or not isinstance(below, Mapping):
        return above
    return {**below, **{name: _over(below.get(name), value) for name, value in above.items()}}


def renewed(layer: Mapping[str, Any], formerly: Mapping[str, str]) -> dict[str, Any]:
    """A layer that may have been written for an older version of the policy, with its values where they stand today.

    `formerly` maps a former member of the body to its place now (`users.work`). An object is never moved: where an old
    name serves on, it holds an object now and held none before.
    """
    result = dict(layer)
    for name, place in formerly.items():
        if name not in result or isinstance(result[name], Mapping):
            continue
        value = result.pop(name)
        for part in reversed(place.split(".")):
            value = {part: value}
        result = patch(result, value)
    return result


def patched(body: Mapping[str, Any], member: str, key: str) -> dict[str, Any]:
    """The body under its own patches for `key`: of `xiaomi/M1`, `body[member]["xiaomi"]` and then that of the whole."""
    patches: Mapping[str, Mapping[str, Any]] = body[member]
    whole = {name: value for name, value in body.items() if name != member}
    family = key.partition("/")[0]
    over = [patches[name] for name in dict.fromkeys((family, key)) if name in patches]
    return stack(whole, over) | {member: {}}
