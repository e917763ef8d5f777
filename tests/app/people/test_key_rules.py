"""Passwords, codes and waits as plain values."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyotp
import pytest

from app.people.key_rules import (
    Stage,
    address_group,
    kept,
    matching_step,
    new_recovery_codes,
    normal_recovery_code,
    password_fault,
    stage_of,
)
from app.people.limits_rules import Brake, limits_of
from app.people.rules import ROLE_WORDS
from app.policy import PolicyFiles

LIMITS = limits_of(PolicyFiles(Path("policies")).latest("sign_in").body)
# RFC 6238's own secret; its appendix gives these digits (the last six of eight) for these seconds.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC = {
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}


@pytest.mark.parametrize(("at", "digits"), RFC.items())
def test_the_standards_own_codes_match(at, digits):
    assert matching_step(RFC_SECRET, digits, at, 0) == at // 30
    assert matching_step(RFC_SECRET, f" {digits[:3]} {digits[3:]} ", at, 0) == at // 30
    assert matching_step(RFC_SECRET, digits, at, at // 30) is None, "used"
    assert matching_step(RFC_SECRET, digits, at + 30, 0) == at // 30, "a clock that is slow"
    assert matching_step(RFC_SECRET, digits, at - 30, 0) == at // 30, "a clock that is fast"
    assert matching_step(RFC_SECRET, digits, at + 60, 0) is None
    assert matching_step(RFC_SECRET, digits, at - 60, 0) is None


@pytest.mark.parametrize("typed", ["", "28708", "2870822", "28708a", "２８７０８２", "-87082", "287082\0"])
def test_what_is_no_code_matches_nothing(typed):
    assert matching_step(RFC_SECRET, typed, 59, 0) is None
    assert matching_step(pyotp.random_base32(), "", 59, 0) is None


@pytest.mark.parametrize(
    ("has", "proved", "must", "needs", "stage"),
    [
        (False, False, False, False, Stage.OPEN),
        (False, False, False, True, Stage.ENROL),
        (False, False, True, False, Stage.PASSWORD),
        (False, False, True, True, Stage.PASSWORD),
        (True, False, False, False, Stage.CODE),
        (True, False, False, True, Stage.CODE),
        (True, False, True, True, Stage.CODE),
        (True, True, True, True, Stage.PASSWORD),
        (True, True, False, True, Stage.OPEN),
        (True, True, False, False, Stage.OPEN),
    ],
)
def test_what_stands_before_being_let_in(has, proved, must, needs, stage):
    assert stage_of(has_factor=has, factor_proved=proved, must_change=must, needs_factor=needs) is stage


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("heima-yuchuan-77", True),
        ("四个不相干的词语连起来", True),
        ("kT9#qLz!2v", True),
        ("kT9#qLz!2", False),
        ("a" * 40, False),
        ("ababababababab", False),
        ("18912345678901", False),
        ("Qwerty123456", False),
        ("Password1234", False),
        ("XWANGX-blue-99", False),
        ("王小明的密码是这个呀", False),
        ("x" * 60 + "abcdefgh" * 20, False),
    ],
)
def test_what_a_good_password_is(password, good):
    assert (password_fault(password, ("wang", "王小明"), LIMITS) is None) == good


def test_a_wait_doubles_and_has_an_end():
    second = dt.timedelta(seconds=1)
    brake = Brake(3, 5 * second, 60 * second, 60 * second)
    waits = [brake.wait_after(n).total_seconds() for n in (0, 2, 3, 4, 5, 6, 7, 10_000)]
    assert waits == [0, 0, 5, 10, 20, 40, 60, 60]


def test_recovery_codes_are_read_however_they_are_typed():
    (code,) = new_recovery_codes(1)
    for typed in (code, code.lower(), code.replace("-", ""), f"  {code[:3]} {code[3:]} "):
        assert kept(normal_recovery_code(typed)) == kept(code)
    assert len(set(new_recovery_codes(1000))) == 1000


@pytest.mark.parametrize(
    ("ip", "group"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_an_address_is_one_party(ip, group):
    assert address_group(ip) == group


def test_the_policy_asks_a_second_step_of_whoever_may_do_dangerous_things():
    assert LIMITS.factor_roles == {"admin", "operations", "lead", "it"}
    assert LIMITS.factor_roles < ROLE_WORDS.keys()
