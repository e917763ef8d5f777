"""On, off and unknown from boots: worked examples, in minutes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.uptime.boots import Boot, from_journal, from_reading
from app.uptime.rules import MINUTE, State, Timeline, dated_runs, decide, find_anomalies

A, B, C = "boot-a", "boot-b", "boot-c"
WINDOW = 1000


def read(boot: str, at: float, uptime: float, count: int | None = None) -> Boot:
    return from_reading(boot, count, round(at * MINUTE), round(uptime * MINUTE))


def journal(boot: str, last: float, end: str, count: int | None = None, heard: float | None = None) -> Boot:
    return from_journal(
        boot, count, round(last * MINUTE), end, None if heard is None else round(heard * MINUTE)
    )  # type: ignore[arg-type]


def run(*boots: Boot, end: float = WINDOW) -> Timeline:
    return decide(boots, 0, round(end * MINUTE))


def states(timeline: Timeline) -> list[tuple[float, float, str]]:
    return [(i.start / MINUTE, i.end / MINUTE, i.state.value) for i in timeline.intervals]


def codes(timeline: Timeline) -> list[str]:
    return [anomaly.code for anomaly in timeline.anomalies]


def why(timeline: Timeline, at: float) -> list[str]:
    [piece] = [i for i in timeline.intervals if i.start <= at * MINUTE < i.end]
    return [evidence.code for evidence in piece.evidence]


# A is on from minute 100 to 200 and shuts down; B starts at 300.
OFF_PROOF = (read(A, 150, 50, 41), journal(A, 100, "shutdown", 41), read(B, 310, 10, 42))


def test_one_reading_proves_on_back_to_the_boot() -> None:
    assert states(run(read(A, 300, 200))) == [(0, 100, "unknown"), (100, 300, "on"), (300, 1000, "unknown")]


def test_the_same_boot_after_a_gap_was_never_off() -> None:
    timeline = run(read(A, 200, 100), read(A, 900, 800))
    assert states(timeline) == [(0, 100, "unknown"), (100, 900, "on"), (900, 1000, "unknown")]


def test_a_new_boot_after_a_gap_proves_no_off_time() -> None:
    """A network outage that ends in a reboot of half a minute looks the same."""
    timeline = run(read(A, 200, 100, 41), read(B, 310, 10, 42))
    assert states(timeline)[1:3] == [(100, 200, "on"), (200, 300, "unknown")]
    assert why(timeline, 250) == ["no_shutdown_mark"]


def test_a_shutdown_mark_and_the_next_count_prove_off() -> None:
    timeline = run(*OFF_PROOF)
    assert states(timeline) == [
        (0, 100, "unknown"),
        (100, 200, "on"),
        (200, 300, "off"),
        (300, 310, "on"),
        (310, 1000, "unknown"),
    ]
    assert why(timeline, 250) == ["shutdown", "next_boot"]
    assert (timeline.total(State.OFF), timeline.total(State.ON)) == (100 * MINUTE, 110 * MINUTE)


def test_a_journal_that_just_stops_proves_on_and_nothing_after() -> None:
    timeline = run(read(A, 150, 50, 41), journal(A, 100, "open", 41), read(B, 310, 10, 42))
    assert states(timeline)[1:3] == [(100, 200, "on"), (200, 300, "unknown")]


def test_the_last_journal_decides() -> None:
    early = (read(A, 150, 50, 41), read(B, 310, 10, 42))
    later_open = run(*early, journal(A, 60, "shutdown"), journal(A, 61, "open"))
    assert states(later_open)[2] == (161, 300, "unknown")
    later_mark = run(*early, journal(A, 60, "open"), journal(A, 100, "shutdown"))
    assert states(later_mark)[2] == (200, 300, "off")


def test_a_tie_of_mark_and_plain_stop_is_decided_mildly() -> None:
    timeline = run(*OFF_PROOF, journal(A, 100, "open"))
    assert states(timeline)[2] == (200, 300, "unknown")


def test_an_undated_reading_counts_as_a_journal_that_just_stops() -> None:
    undated = from_reading(A, 41, None, 100 * MINUTE)
    assert states(run(undated)) == [(0, 1000, "unknown")]
    assert states(run(undated, read(A, 150, 50, 41)))[1] == (100, 200, "on")


def test_a_journal_without_a_dated_reading_proves_nothing() -> None:
    timeline = run(journal(A, 100, "shutdown", 41), read(B, 310, 10, 42))
    assert states(timeline)[0] == (0, 300, "unknown")


@pytest.mark.parametrize(
    ("count", "following", "reason"),
    [
        (41, 43, "boots_missing"),
        (41, 41, "boots_missing"),
        (41, 1, "boots_missing"),  # a wipe ends the chain
        (None, 42, "count_not_known"),
        (41, None, "count_not_known"),
    ],
)
def test_without_consecutive_counts_nothing_is_proved(
    count: int | None, following: int | None, reason: str
) -> None:
    timeline = run(read(A, 150, 50, count), journal(A, 100, "shutdown", count), read(B, 310, 10, following))
    assert states(timeline)[2] == (200, 300, "unknown")
    assert why(timeline, 250) == [reason]


def test_the_counts_compared_are_the_highest_and_the_lowest() -> None:
    """A count that is told early is still the former boot's."""
    stale = run(*OFF_PROOF, read(B, 300.5, 0.5, 41))
    assert why(stale, 250) == ["boots_missing"]
    first_null = run(*OFF_PROOF, read(B, 300.5, 0.5, None))
    assert why(first_null, 250) == ["shutdown", "next_boot"]


def test_another_boot_in_between_voids_the_proof() -> None:
    timeline = run(*OFF_PROOF, read(C, 260, 10, None))
    assert State.OFF not in {i.state for i in timeline.intervals}


def test_a_boot_that_was_on_around_the_first_voids_the_proof() -> None:
    """C holds A within it and reaches past A's mark; both overlap by less than the tolerance."""
    short = (read(A, 101, 1, 41), journal(A, 1.5, "shutdown", 41), read(B, 310, 10, 42))
    assert states(run(*short))[2] == (101.5, 300, "off")
    timeline = run(*short, read(C, 250, 151))
    assert codes(timeline) == []
    assert why(timeline, 280) == ["another_boot_between"]


def test_two_boots_with_the_wanted_count_prove_nothing() -> None:
    assert why(run(*OFF_PROOF, read(C, 800, 10, 42)), 250) == ["count_not_unique"]
    assert why(run(*OFF_PROOF, journal(C, 30, "open", 42)), 250) == ["count_not_unique"]


def test_a_journal_of_no_date_with_the_same_count_may_have_run_in_between() -> None:
    assert why(run(*OFF_PROOF, journal(C, 30, "open", 41)), 250) == ["count_not_unique"]
    assert why(run(*OFF_PROOF, journal(C, 30, "open", 40)), 250) == ["shutdown", "next_boot"]


def test_on_wins_over_the_mark_of_a_shutdown() -> None:
    timeline = run(*OFF_PROOF, read(A, 201.5, 101.5, 41))
    assert states(timeline)[1:3] == [(100, 201.5, "on"), (201.5, 300, "off")]


def test_the_journal_is_dated_by_the_latest_start_and_the_next_boot_by_its_earliest() -> None:
    timeline = run(*OFF_PROOF, read(A, 160, 59, 41), read(B, 320, 21, 42))
    assert states(timeline) == [
        (0, 100, "unknown"),
        (100, 201, "on"),
        (201, 299, "off"),
        (299, 320, "on"),
        (320, 1000, "unknown"),
    ]


def test_starts_that_differ_are_an_anomaly_and_prove_no_off_time() -> None:
    at_the_limit = run(*OFF_PROOF, read(A, 160, 58, 41))
    assert codes(at_the_limit) == []
    beyond = run(*OFF_PROOF, read(A, 160, 57.9, 41))
    assert codes(beyond) == ["starts_differ"]
    assert why(beyond, 250) == ["anomaly"]


def test_a_long_uptime_may_drift_further() -> None:
    """100 millionths of 20,000 minutes are 2 minutes more."""
    month = (read(A, 30_000, 20_000), read(A, 30_001, 19_997.5))
    assert codes(decide(month, 0, 1)) == []
    assert codes(decide((*month, read(A, 30_002, 19_997.9)), 0, 1)) == ["starts_differ"]


def test_boots_that_overlap_are_an_anomaly() -> None:
    assert codes(run(read(A, 200, 100), read(B, 210, 12))) == []
    timeline = run(read(A, 200, 100), read(B, 210, 12.1))
    assert [(a.code, a.boots) for a in timeline.anomalies] == [("boots_overlap", (A, B))]
    assert states(timeline)[1] == (100, 210, "on")


def test_a_boot_that_outlived_its_shutdown_mark_is_an_anomaly() -> None:
    assert codes(run(*OFF_PROOF, read(A, 201.9, 101.9, 41))) == []
    for outlived in (read(A, 202, 102, 41), journal(A, 102, "open"), journal(A, 102, "shutdown")):
        timeline = run(*OFF_PROOF, outlived)
        assert codes(timeline) == ["outlived_shutdown"]
        assert why(timeline, 250) == ["anomaly"]


def test_a_journal_heard_before_its_boot_began_is_an_anomaly() -> None:
    assert codes(run(*OFF_PROOF, journal(B, 1, "open", heard=310))) == []
    timeline = run(*OFF_PROOF, journal(B, 1, "open", heard=299))
    assert codes(timeline) == ["heard_before_start"]
    assert why(timeline, 250) == ["anomaly"]


def test_the_window_cuts_and_never_decides() -> None:
    """A part of the day is decided as the whole: what lies outside the window still counts as evidence."""
    whole = run(*OFF_PROOF)
    for start, end in itertools.combinations(range(0, 1001, 25), 2):
        part = decide(OFF_PROOF, start * MINUTE, end * MINUTE)
        for piece in part.intervals:
            [around] = [i for i in whole.intervals if i.start <= piece.start and piece.end <= i.end]
            assert around.state is piece.state
        assert (part.intervals[0].start, part.intervals[-1].end) == (start * MINUTE, end * MINUTE)


def test_of_nothing_all_is_unknown() -> None:
    assert states(run()) == [(0, 1000, "unknown")]
    assert why(run(), 5) == ["no_proof"]


@given(
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from([0, 1, 2, 3, 30, 100, 399, 40_000])), max_size=80)
)
def test_of_boots_that_overlap_each_is_named(boots: list[tuple[int, int]]) -> None:
    runs = dated_runs(read(f"b{n:02}", 50_000 + at, up) for n, (at, up) in enumerate(boots))
    wanted = {
        run.boot.boot_id
        for one, two in itertools.combinations(runs, 2)
        if min(one.end, two.end) - two.start > max(one.slack, two.slack)
        for run in (one, two)
    }
    assert {name for found in find_anomalies([], runs) for name in found.boots} == wanted


def test_a_flood_of_boots_that_overlap_is_told_in_few_words() -> None:
    flood = [read(f"b{n}", 60_000 + n / 100, 9_000) for n in range(2_000)]
    found = run(*flood).anomalies
    assert len(found) < 17 * len(flood)
    assert {name for one in found for name in one.boots} == {boot.boot_id for boot in flood}
