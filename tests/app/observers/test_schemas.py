"""A beat with all that may be odd in it."""

from __future__ import annotations

from typing import Any

import pytest

from app.observers.schemas import parse_beat
from app.readings import BadEntry
from tests.support.site import CHECKS, beat


def test_a_down_vouches_for_no_time() -> None:
    assert parse_beat(beat(up_for_s=5.0)).up_for_us == 5_000_000
    assert parse_beat(beat(up=False, up_for_s=5.0, reason="server")).up_for_us == 0
    plain = beat()
    del plain["up_for_s"]
    assert parse_beat(plain).up_for_us == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"up": "yes"}, "up"),
        ({"checks": {}}, "checks"),
        ({"checks": {**CHECKS, "server": 1}}, "checks"),
        ({"checks": {**CHECKS, "canary": False}}, "up"),
        ({"checks": {**CHECKS, "server": None}}, "up"),
        ({"age_s": -1}, "age_s"),
        ({"reason": "x" * 21, "up": False}, "reason"),
        ({"reason": 5, "up": False}, "reason"),
        ({"more": 1}, "more"),
        ({"up_for_s": "long"}, "age_s"),
    ],
)
def test_what_is_odd_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadEntry) as caught:
        parse_beat({**beat(), **changes})
    assert caught.value.field == field
