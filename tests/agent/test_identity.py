"""Who a phone says it is against who was named: every combination of what is told, named and typed."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from agent.identity import Named, judge_identity

A, B, C = "356938035643809", "490154203237518", "352099001761481"
S = "R58N30ABCDE"


def judged(told: Any, *, named: Named | None = None, typed: str | None = None, strict: bool = True) -> str:
    return judge_identity(told, named or Named(S, (A, B)), imei_typed=typed, strict=strict)


@pytest.mark.parametrize(
    ("told", "typed", "strict", "lenient"),
    [
        ({"serial": S, "imei": [A]}, None, "same", "same"),
        ({"serial": S, "imei": [A, C]}, None, "same", "same"),
        ({"serial": S, "imei": [C]}, None, "other_phone", "other_phone"),
        ({"serial": S, "imei": [C]}, A, "other_phone", "other_phone"),
        ({"serial": S, "imei": [A]}, C, "other_phone", "same"),
        ({"serial": S, "imei": None}, None, "no_imei", "same"),
        ({"serial": S, "imei": []}, A, "same", "same"),
        ({"serial": S}, B, "same", "same"),
        ({"serial": S}, C, "other_phone", "same"),
        ({"serial": S}, "356938035643800", "no_imei", "same"),
        ({"serial": S}, "", "no_imei", "same"),
        ({"serial": S, "imei": ["000000000000000", 7]}, None, "no_imei", "same"),
        ({"serial": "R58N30ABCDF", "imei": [A]}, A, "other_phone", "other_phone"),
        ({"serial": None, "imei": [A]}, A, "identity", "identity"),
        ({"imei": [A]}, A, "identity", "identity"),
        ({"serial": 7, "imei": [A]}, A, "identity", "identity"),
        ({"serial": "0123456789ABCDEF", "imei": [A]}, A, "identity", "identity"),
        (None, A, "identity", "identity"),
    ],
)
def test_what_is_told_and_typed(told: Any, typed: str | None, strict: str, lenient: str) -> None:
    assert judged(told, typed=typed) == strict
    assert judged(told, typed=typed, strict=False) == lenient


def test_a_phone_that_was_named_by_a_shared_serial_is_nobodys() -> None:
    for shared in ("0123456789ABCDEF", "unknown", "00000000", ""):
        named = Named(shared, (A,))
        assert judged({"serial": shared, "imei": [A]}, named=named) == "identity"


def test_without_a_named_imei_nothing_strict_is_the_same() -> None:
    told = [
        {"serial": S, "imei": list(imeis)} for n in range(3) for imeis in itertools.combinations((A, B), n)
    ]
    for one, typed in itertools.product(told, (None, A)):
        assert judged(one, named=Named(S, ()), typed=typed) != "same"
        assert judged(one, named=Named(S, ()), typed=typed, strict=False) == "same"
