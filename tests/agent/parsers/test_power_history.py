"""Android's own notes of shutdowns and starts: hints by the phone's clock, read strictly, never made up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.parsers import Unreadable
from agent.parsers.power_history import (
    MAX_EVENTS,
    PowerEvent,
    newest_first,
    parse_batterystats,
    parse_usagestats,
)

USAGE = """user=0
    time="2026-05-03 19:40:51" type=DEVICE_SHUTDOWN package=android flags=0x0
    time="2026-05-03 19:40:51" type=DEVICE_SHUTDOWN package=android flags=0x0
    time="2026-05-03 20:01:02" type=DEVICE_STARTUP package=android flags=0x0
    time="2026-05-03 20:02:00" type=DEVICE_SHUTDOWN_SOON package=android
    time="2026-13-03 20:01:02" type=DEVICE_STARTUP package=android flags=0x0
"""
BATTERY = """Battery History (0% used, 3128 used of 4096KB, 28 strings using 836):
                    0 (14) RESET:TIME: 2026-05-03-19-00-00
              +1m30s500ms (2) 100 status=discharging
         +1h00m00s000ms (1) SHUTDOWN
         +1h00m00s000ms (1) START
         +1h00m00s100ms (2) TIME: 2026-05-03-20-20-00
         +1h00m01s000ms (1) START
         +1h00m05s000ms (1) SHUTDOWN
"""


def test_usage_statistics() -> None:
    assert parse_usagestats(USAGE) == [
        PowerEvent("usagestats", "shutdown", "2026-05-03 19:40:51"),
        PowerEvent("usagestats", "startup", "2026-05-03 20:01:02"),
    ]
    assert parse_usagestats("user=0\n") == []


def test_battery_statistics_count_elapsed_time_within_one_boot_alone() -> None:
    """The second start has no TIME line: neither it nor the shutdown after it has a time."""
    assert parse_batterystats(BATTERY) == [
        PowerEvent("batterystats", "shutdown", "2026-05-03 20:00:00"),
        PowerEvent("batterystats", "startup", "2026-05-03 20:20:00"),
    ]


@pytest.mark.parametrize("parse", [parse_usagestats, parse_batterystats])
@pytest.mark.parametrize("text", ["", "Can't find service: x", "Permission Denial: no"])
def test_what_was_refused_is_not_empty(parse: object, text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text)  # type: ignore[operator]


def test_the_newest_stand_first_and_are_bounded() -> None:
    events = [PowerEvent("usagestats", "startup", f"2026-05-03 19:{n:02}:00") for n in range(60)]
    assert [event.phone_clock[14:16] for event in newest_first(events)] == [
        f"{n:02}" for n in range(59, 59 - MAX_EVENTS, -1)
    ]


@given(st.text(max_size=80), st.integers(0, len(BATTERY)))
def test_no_rubbish_breaks_them(junk: str, at: int) -> None:
    for text, parse in ((BATTERY, parse_batterystats), (USAGE, parse_usagestats)):
        try:
            for event in parse(text[:at] + junk + text[at:]):
                assert len(event.phone_clock) == len("2026-05-03 19:40:51")
        except Unreadable:
            pass
