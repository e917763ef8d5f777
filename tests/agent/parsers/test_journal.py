"""Lines of the on-phone journal: whole ones count, whatever else is in the file, and no mark comes out of rubbish."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.parsers import Unreadable
from agent.parsers.journal import MAX_JOURNALS, Line, check_of, parse_journal, summarise

BOOT = "0a1b2c3d-0000-4000-8000-000000000001"
LATER = "0a1b2c3d-0000-4000-8000-000000000002"


def line(
    uptime: float,
    end: str = "open",
    *,
    boot: str = BOOT,
    count: str = "41",
    number: int = 1,
    serial: str = "S1",
) -> str:
    body = f"1 {serial} {boot} {count} 60.00 {uptime:.2f} {number} 87 0 0 LOADED,ABSENT {end}"
    return f"{body} {check_of(body)}"


def printed(*lines: str, name: str = "0a1b2c3d.5.00.1", current: str = "") -> str:
    return "\n".join(["v 1", "r 0", *([f"c {current}"] if current else []), f"f {name}", *lines, f"e {name}"])


def bounds(text: str) -> dict[tuple[str, int | None, str], float]:
    """What the server would make of it: the furthest uptime of each boot, number and kind of end."""
    found: dict[tuple[str, int | None, str], float] = {}
    for one in summarise(parse_journal(text, "S1").left):
        key = (one.boot_id, one.boot_count, one.end)
        found[key] = max(one.uptime_s, found.get(key, 0.0))
    return found


def test_a_line_says_all_that_it_said() -> None:
    contact = parse_journal(printed(line(3600.5, "shutdown", number=60)), "S1")
    assert contact.left == (Line(BOOT, 41, 60.0, 3600.5, 60, "shutdown", 87, False, False, "LOADED,ABSENT"),)
    assert (contact.version, contact.running, contact.files, contact.spoilt) == (
        1,
        False,
        ("0a1b2c3d.5.00.1",),
        0,
    )


def test_what_a_phone_does_not_know_is_not_known() -> None:
    body = f"1 S1 {BOOT} - 60.00 61.00 2 - - - - open"
    (one,) = parse_journal(printed(f"{body} {check_of(body)}"), "S1").left
    assert (one.boot_count, one.battery_percent, one.charging, one.airplane_mode, one.sim) == (None,) * 5


def test_the_run_at_work_is_told_by_its_last_line() -> None:
    contact = parse_journal(f"v 1\nr 1\nc {line(99.0)}\n", "S1")
    assert contact.running
    assert contact.current is not None
    assert contact.current.uptime_s == 99.0
    assert parse_journal("v 1\nr 1\nc \n", "S1").current is None


@pytest.mark.parametrize(
    "text", ["", "sh: not found", "v \nr 1", "v 1", "v one\nr 0", "v ²\nr 0", "\ufffd\x00"]
)
def test_no_script_of_ours_is_no_journal(text: str) -> None:
    with pytest.raises(Unreadable):
        parse_journal(text, "S1")


@pytest.mark.parametrize(
    "spoilt",
    [
        "rubbish",
        line(70.0, serial="S2"),
        line(70.0).replace("1 S1", "2 S1", 1),
        line(70.0)[:-1],
        line(70.0) + "0",
        line(70.0).replace(" 70.00", " 80.00"),
        line(70.0).replace(" 41 ", " 42 "),
        line(70.0).replace("open", "shutdown"),
        line(50.0),
        line(70.0, boot="00000000-0000-0000-0000-000000000000"),
        line(70.0)[:40] + line(71.0),
        line(70.0).replace(" 87 ", " 101 "),
        line(70.0).replace("70.00", "٧٠.00"),
    ],
)
def test_one_spoilt_line_costs_itself_alone(spoilt: str) -> None:
    contact = parse_journal(printed(line(65.0), spoilt, line(99.0)), "S1")
    assert [one.uptime_s for one in contact.left] == [65.0, 99.0]
    assert contact.spoilt == 1
    assert contact.files == ("0a1b2c3d.5.00.1",)


def test_a_file_whose_end_is_missing_stays_on_the_phone() -> None:
    whole = printed(line(65.0), name="a.1.00.1") + "\n"
    cut = "f b.1.00.1\n" + line(66.0, "shutdown") + "\n"
    contact = parse_journal(whole + cut, "S1")
    assert contact.files == ("a.1.00.1",)
    assert [one.uptime_s for one in contact.left] == [65.0]


def test_a_file_that_holds_the_words_of_the_frame_is_still_let_go() -> None:
    contact = parse_journal(printed("f other", "e other", "v 9", "r 1", line(65.0)), "S1")
    assert contact.files == ("0a1b2c3d.5.00.1",)
    assert not contact.running


def test_a_boot_is_told_by_its_last_line_and_its_marks() -> None:
    def kept(*lines: str) -> list[tuple[float, str]]:
        return [(one.uptime_s, one.end) for one in summarise(parse_journal(printed(*lines), "S1").left)]

    assert kept(line(61.0), line(62.0)) == [(62.0, "open")]
    assert kept(line(61.0), line(62.0, "shutdown")) == [(62.0, "shutdown")]
    assert kept(line(62.0, "shutdown"), line(61.0)) == [(62.0, "shutdown")]
    assert kept(line(62.0, "shutdown"), line(63.0)) == [(62.0, "shutdown"), (63.0, "open")]
    assert kept(line(62.0, "shutdown"), line(62.0)) == [(62.0, "shutdown"), (62.0, "open")]
    both = kept(line(62.0, "shutdown"), line(63.0), line(64.0, "shutdown"))
    assert both == [(62.0, "shutdown"), (64.0, "shutdown")]


def test_boots_and_numbers_of_boots_stay_apart() -> None:
    lines = [line(61.0, count="-"), line(62.0, "shutdown"), line(61.0, boot=LATER, count="42")]
    found = summarise(parse_journal(printed(*lines), "S1").left)
    assert [(one.boot_id, one.boot_count) for one in found] == [(BOOT, None), (BOOT, 41), (LATER, 42)]


def test_no_phone_tells_of_endless_boots() -> None:
    lines = [line(61.0, boot=BOOT[:-4] + f"{n:04}") for n in range(1000)]
    assert len(summarise(parse_journal(printed(*lines), "S1").left)) == MAX_JOURNALS


WHOLE = printed(
    *[line(60.0 * n, number=n) for n in range(1, 30)],
    line(1790.5, "shutdown", number=30),
    *[line(60.0 * n, boot=LATER, count="42", number=n) for n in range(1, 10)],
)


@given(st.integers(0, len(WHOLE)), st.integers(0, len(WHOLE)), st.text(max_size=20))
def test_a_piece_that_is_lost_or_put_in_never_proves_more(start: int, end: int, extra: str) -> None:
    start, end = sorted((start, end))
    _proves_no_more(WHOLE[:start] + extra + WHOLE[end:])


@given(st.integers(0, len(WHOLE) - 1), st.characters(codec="latin-1"))
def test_a_character_that_turned_into_another_never_proves_more(place: int, char: str) -> None:
    """One a time: what a line's check number promises. Two may cancel each other out."""
    _proves_no_more(WHOLE[:place] + char + WHOLE[place + 1 :])


def _proves_no_more(text: str) -> None:
    """Another boot's name proves nothing: no reading will ever date it. Of these two no bound grows, and a mark
    stands where it stood.
    """
    try:
        found = bounds(text)
    except Unreadable:
        return
    whole = bounds(WHOLE)
    for (boot, count, end), uptime in found.items():
        if boot not in (BOOT, LATER):
            continue
        if end == "shutdown":
            assert (boot, count, end, uptime) == (BOOT, 41, "shutdown", 1790.5)
        else:
            assert uptime <= max(v for (b, c, _), v in whole.items() if (b, c) == (boot, count))
