"""Every state of a machine against every event, by what may happen as a person wrote it down once more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

import pytest

from app.kernel.errors import Conflict

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


def only_these(
    advance: Callable[[S, E], S], events: Iterable[E], state: S, allowed: Mapping[S, str], code: str
) -> None:
    """`allowed`: by state `event>next …`. All else is a `Conflict` of this code."""
    ways = dict(one.split(">") for one in allowed[state].split())
    met = set()
    for event in events:
        met.add(str(event))
        if event in ways:
            assert advance(state, event) == ways[event], (state, event)
            continue
        with pytest.raises(Conflict) as told:
            advance(state, event)
        assert told.value.code == code
    assert set(ways) <= met, "no such event"
