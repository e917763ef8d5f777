"""Clock, ids, money, spans, tenancy: plain values."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.clock import FixedClock, SystemClock, from_rfc3339, to_rfc3339
from app.kernel.db import from_us, to_us
from app.kernel.errors import Forbidden
from app.kernel.ids import new_id, parse_id
from app.kernel.money import format_yuan, parse_yuan
from app.kernel.tenancy import Principal

INSTANTS = st.datetimes(timezones=st.just(dt.UTC))


@given(INSTANTS)
def test_an_instant_survives_text_and_storage_to_the_microsecond(instant):
    assert from_rfc3339(to_rfc3339(instant)) == instant
    assert from_us(to_us(instant)) == instant


def test_naive_times_are_refused_everywhere():
    naive = dt.datetime(2026, 5, 3)  # noqa: DTZ001  # that is the point
    for act in (to_us, to_rfc3339, FixedClock):
        with pytest.raises(ValueError, match=r"naive|aware"):
            act(naive)
    with pytest.raises(ValueError, match="offset"):
        from_rfc3339("2026-05-03T10:00:00")


def test_the_system_clock_is_aware_and_runs():
    first = SystemClock().now()
    assert first.tzinfo is dt.UTC
    assert SystemClock().now() >= first


def test_ids_sort_by_birth_and_malformed_ones_are_simply_not_found():
    ids = [new_id() for _ in range(50)]
    assert ids == sorted(ids)
    assert {i.version for i in ids} == {7}
    assert parse_id(str(ids[0])) == ids[0]
    assert parse_id("../etc/passwd") is None


@given(st.integers(min_value=-(10**13), max_value=10**13))
def test_money_survives_its_text(fen):
    assert parse_yuan(format_yuan(fen)) == fen


@pytest.mark.parametrize("text", ["1,200", "1.234", "", "1e3", "一百", "--1", "0x10", ".5"])
def test_money_that_is_not_plain_is_refused(text):
    with pytest.raises(ValueError, match="two decimals"):
        parse_yuan(text)


def test_a_principal_stays_in_its_centres():
    mine, other = uuid.uuid4(), uuid.uuid4()
    lead = Principal("u", frozenset({"lead"}), frozenset({mine}))
    assert lead.sees(mine)
    assert not lead.sees(other)
    assert lead.has_any("lead", "it")
    assert not lead.has_any("it")
    with pytest.raises(Forbidden):
        lead.require_centre(other)
    assert Principal("root", frozenset({"admin"}), None).has_any("it")
