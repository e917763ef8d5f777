"""How a layer lies over a policy. Plain values only."""

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


def stack(body: Mapping[str, Any], layers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The file's body under its layers, the district's first and the centre's last."""
    result = dict(body)
    for layer in layers:
        result = patch(result, layer)
    return result
