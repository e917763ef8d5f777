"""What a well-formed identifier is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from app.registry import rules
from app.registry.kinds import parse_date, parse_instant, show_instant

ICCID = "898600123456789012" + luhn.calc_check_digit("898600123456789012")


@pytest.mark.parametrize(
    ("normal", "text", "stored"),
    [
        (rules.normal_imei, "49-015420-323751-8", "490154203237518"),
        (rules.normal_imei, " ４９０１５４２０３２３７５１８ ", "490154203237518"),
        (rules.normal_iccid, ICCID + "F", ICCID),
        (rules.normal_iccid, f"{ICCID[:4]} {ICCID[4:]}", ICCID),
        (rules.normal_e164, "138-0013-8000", "+8613800138000"),
        (rules.normal_e164, "+86 13800138000", "+8613800138000"),
        (rules.normal_e164, "021-62345678", "+862162345678"),
        (rules.normal_e164, "+44 20 7946 0958", "+442079460958"),
        (rules.normal_serial, " R58M123ABC ", "R58M123ABC"),
        (rules.normal_code, "Ｐ０１", "P01"),
    ],
)
def test_forms_that_people_write_have_one_stored_form(
    normal: Callable[[str], str], text: str, stored: str
) -> None:
    assert normal(text) == stored
    assert normal(stored) == stored


@pytest.mark.parametrize(
    ("normal", "text"),
    [
        (rules.normal_imei, "490154203237519"),
        (rules.normal_imei, "4901542032375180"),
        (rules.normal_imei, "000000000000000"),
        (rules.normal_imei, "4.90154E+14"),
        (rules.normal_imei, "٤٩٠١٥٤٢٠٣٢٣٧٥١٨"),
        (rules.normal_iccid, ICCID[:-1] + str((int(ICCID[-1]) + 1) % 10)),
        (rules.normal_iccid, "1234567890123456789"),
        (rules.normal_e164, "12345"),
        (rules.normal_e164, "call me"),
        (rules.normal_e164, "13800138000;ext=5"),
        (rules.normal_serial, "unknown"),
        (rules.normal_serial, "0123456789ABCDEF"),
        (rules.normal_serial, "00000000"),
        (rules.normal_serial, "a b c d"),
        (rules.normal_code, "A B"),
        (rules.normal_code, "1E+10"),
        (rules.normal_code, ""),
    ],
)
def test_what_is_wrong_is_refused(normal: Callable[[str], str], text: str) -> None:
    with pytest.raises(ValueError, match="/"):
        normal(text)


@given(st.integers(0, 10**14 - 1), st.integers(1, 9))
def test_every_wrong_check_digit_of_an_imei_is_caught(body: int, off: int) -> None:
    digits = f"{body:014}"
    right = luhn.calc_check_digit(digits)
    wrong = str((int(right) + off) % 10)
    with pytest.raises(ValueError, match="IMEI"):
        rules.normal_imei(digits + wrong)


@given(st.text(max_size=60))
def test_a_rule_returns_its_own_fixed_point_or_a_message(text: str) -> None:
    for rule in (
        rules.normal_imei,
        rules.normal_iccid,
        rules.normal_e164,
        rules.normal_serial,
        rules.normal_code,
        lambda t: rules.clean_text(t, 40),
        lambda t: rules.clean_note(t, 40),
    ):
        try:
            stored = rule(text)
        except ValueError:
            continue
        assert rule(stored) == stored
        assert "\0" not in stored


@given(st.integers(0, 3_000_000_000), st.integers(0, 999_999))
def test_an_instant_shown_is_read_back(seconds: int, micros: int) -> None:
    instant = dt.datetime(1991, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds, microseconds=micros)
    assert parse_instant(show_instant(instant)) == instant


@pytest.mark.parametrize(
    "text", ["3.5.2026", "05/03/2026", "26-05-03", "2026-02-30", "2026-13-01", "1.5.26", "45000"]
)
def test_dates_that_could_mean_two_things_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="2026-05-03"):
        parse_date(text)
