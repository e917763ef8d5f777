"""What the parts put into their store: JSON, one value a name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from agent.transfer.parts import PartStore


def put(store: PartStore, name: str, value: Any) -> None:
    """One small value."""
    store.write(name, [json.dumps(value).encode()])


def get(store: PartStore, name: str, default: Any = None) -> Any:
    """What `put` put, or `default`. Raise `CopyDamaged`."""
    return json.loads(b"".join(store.read(name))) if store.has(name) else default


def put_lines(store: PartStore, name: str, values: Iterable[Any]) -> None:
    """Many values, a line each."""
    store.write(name, (json.dumps(value).encode() + b"\n" for value in values))


def get_lines(store: PartStore, name: str) -> Iterator[Any]:
    """What `put_lines` put, in its order. Raise `CopyDamaged`, `KeyError`."""
    rest = b""
    for chunk in store.read(name):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from map(json.loads, lines)
