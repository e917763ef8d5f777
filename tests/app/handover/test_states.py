"""Every state × every event, of cases and of legs."""

from __future__ import annotations

import pytest

from app.handover.states import (
    CASE_NEXT,
    CASE_WORDS,
    LEG_NEXT,
    LEG_WORDS,
    Case,
    CaseEvent,
    Leg,
    LegEvent,
    advance,
)
from app.kernel.errors import Conflict

CASES = {("open", "complete"): "completed", ("open", "cancel"): "cancelled"}
LEGS = {
    ("waiting", "begin"): "draft", ("waiting", "cancel"): "cancelled",
    ("draft", "freeze"): "signing", ("draft", "cancel"): "cancelled",
    ("signing", "sign"): "half_signed", ("signing", "unfreeze"): "draft", ("signing", "decline"): "draft",
    ("signing", "cancel"): "cancelled",
    ("half_signed", "sign"): "completed", ("half_signed", "unfreeze"): "draft", ("half_signed", "decline"): "draft",
    ("half_signed", "cancel"): "cancelled",
}  # fmt: skip


@pytest.mark.parametrize("state", Case)
@pytest.mark.parametrize("event", CaseEvent)
def test_cases(state: Case, event: CaseEvent) -> None:
    _check(state, event, CASES.get((state, event)))


@pytest.mark.parametrize("state", Leg)
@pytest.mark.parametrize("event", LegEvent)
def test_legs(state: Leg, event: LegEvent) -> None:
    _check(state, event, LEGS.get((state, event)))


def _check(state: Case | Leg, event: CaseEvent | LegEvent, after: str | None) -> None:
    if after is not None:
        assert advance(state, event) == after
        return
    with pytest.raises(Conflict) as refused:
        advance(state, event)
    assert refused.value.code == "handover_state"


def test_what_is_over_stays_over_and_has_a_name() -> None:
    for table, over in ((CASE_NEXT, ("completed", "cancelled")), (LEG_NEXT, ("completed", "cancelled"))):
        assert not [key for key in table if key[0] in over]
    assert set(CASE_WORDS) == set(Case)
    assert set(LEG_WORDS) == set(Leg)
