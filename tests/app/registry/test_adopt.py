"""Adoption: a phone in the hand becomes a registered one, once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.kernel.errors import Conflict, Invalid
from app.kernel.tenancy import SYSTEM, Principal
from app.registry import AdoptInput, adopt_handset, handsets_by_serial


@pytest.fixture
def proposed(org: Any) -> AdoptInput:
    return AdoptInput(
        centre_id=org.centre,
        asset_tag="GJ-0001",
        serial="R58M123ABC",
        brand="Xiaomi",
        model="Redmi",
        imeis=("490154203237518",),
        way_back="tap",
    )


def fields_of(error: Any) -> set[str]:
    return {f.field for f in error.value.fields}


def test_a_phone_is_adopted_once(session: Any, org: Any, clock: Any, proposed: AdoptInput) -> None:
    first, created = adopt_handset(session, SYSTEM, proposed, clock.now())
    again, twice = adopt_handset(session, SYSTEM, proposed, clock.now())
    assert (created, twice, first.id) == (True, False, again.id)
    ref = handsets_by_serial(session, ["R58M123ABC", "other"])["R58M123ABC"]
    assert (ref.id, ref.centre_id, ref.imeis, ref.retired) == (
        first.id,
        org.centre,
        ("490154203237518",),
        False,
    )


def test_what_differs_is_named(session: Any, org: Any, clock: Any, proposed: AdoptInput) -> None:
    adopt_handset(session, SYSTEM, proposed, clock.now())
    other = replace(proposed, asset_tag="GJ-0002", imeis=("356938035643809",))
    with pytest.raises(Conflict) as caught:
        adopt_handset(session, SYSTEM, other, clock.now())
    assert fields_of(caught) == {"asset_tag", "imei1"}
    with pytest.raises(Conflict) as caught:
        adopt_handset(session, SYSTEM, replace(proposed, serial="R58M999999"), clock.now())
    assert fields_of(caught) == {"asset_tag", "imei1"}


def test_bad_values_are_named_all_at_once(session: Any, org: Any, clock: Any, proposed: AdoptInput) -> None:
    bad = replace(proposed, serial="unknown", imeis=("1", "2", "3"), way_back="prayer")
    with pytest.raises(Invalid) as caught:
        adopt_handset(session, SYSTEM, bad, clock.now())
    assert fields_of(caught) == {"serial", "imei1", "imei2", "imei", "way_back"}


def test_a_phone_of_a_foreign_centre_betrays_nothing(
    session: Any, org: Any, clock: Any, proposed: AdoptInput
) -> None:
    adopt_handset(session, SYSTEM, proposed, clock.now())
    stranger = Principal("agent:x", frozenset({"it"}), frozenset({org.other_centre}))
    mine = replace(proposed, centre_id=org.other_centre)
    with pytest.raises(Conflict) as caught:
        adopt_handset(session, stranger, mine, clock.now())
    assert fields_of(caught) == {"serial"}
    assert "GJ-0001" not in str(caught.value.fields)
