"""Since when each app is on the phone."""

from __future__ import annotations

import pytest

from agent.parsers import Unreadable
from agent.parsers.evidence import PhoneDate
from agent.parsers.first_installs import Installed, parse_first_installs

DATE = PhoneDate(1_800_000_000, 8 * 3600)
OLD = """
  Package [a.b] (1f):
    codePath=/data/app/a.b-Q==
    firstInstallTime=2026-05-01 12:00:00
    User 0: installed=true
  Package [c.d] (2f):\r
    codePath=/product/data-app/cd\r
    firstInstallTime=2009-01-01 08:00:00\r
Hidden system packages:
  Package [c.d] (3f):
    codePath=/system/app/cd
    firstInstallTime=rubbish
"""
NEW = """
  Package [a.b] (1f):
    codePath=/data/app/~~x==/a.b-Q==
    User 0: installed=true
      firstInstallTime=2026-05-01 12:00:00
    User 10: installed=true
      firstInstallTime=2026-06-01 12:00:00
  Package [e.f] (2f):
    codePath=/mnt/expand/x/app/e.f-Q==
    User 0: installed=false
      firstInstallTime=1970-01-01 08:00:00
"""
AT = 1_777_608_000


def test_up_to_android_12() -> None:
    found = parse_first_installs(OLD, DATE)
    assert found == {
        "a.b": Installed("/data/app/a.b-Q==", AT),
        "c.d": Installed("/product/data-app/cd", 1230768000),
    }
    assert (found["a.b"].of_the_system, found["c.d"].of_the_system) == (False, True)


def test_from_android_13_on_the_owners_time_counts() -> None:
    found = parse_first_installs(NEW, DATE)
    assert found == {
        "a.b": Installed("/data/app/~~x==/a.b-Q==", AT),
        "e.f": Installed("/mnt/expand/x/app/e.f-Q==", None),
    }
    assert not found["e.f"].of_the_system


def test_a_path_that_is_not_told_is_not_the_makers() -> None:
    assert not Installed("", None).of_the_system


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not understood"),
        ("java.lang.SecurityException: no", "permission denied"),
        ("  Package [a.b] (1):\n    firstInstallTime=一月一日", "an app's time was not understood"),
        (
            "  Package [a.b] (1):\n    firstInstallTime=9999999-01-01 00:00:00",
            "an app's time was not understood",
        ),
    ],
)
def test_what_is_not_understood_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        parse_first_installs(text, DATE)
