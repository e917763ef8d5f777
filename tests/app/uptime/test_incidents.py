"""R02, golden traces: incidents, strikes and allowances sentence by sentence. Times are minutes after `oracle.BASE`.

A1 is on from 0 to 100, shuts down, and starts again at 200 (`OFF`): 100 minutes of proved off-time.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.uptime.oracle import MONTH_ENDS_AT, Line
from tests.app.uptime.test_oracle import minute, told

HOUR, DAY = 60, 1440


def line(kind: str, t: int, **fields: Any) -> Line:
    return {"t": t, "phone": "A1", "kind": kind, **fields}


def reading(boot: str, t: int, up: int, count: int | None = None) -> Line:
    return line("reading", t, boot_id=boot, boot_count=count, uptime_s=up)


def shutdown(boot: str, t: int, up: int, count: int | None = None) -> Line:
    return line("journal", t, boot_id=boot, boot_count=count, last_uptime_s=up, end="shutdown")


def dial(t: int, result: str = "powered_off") -> Line:
    return line("dial_test", t, result=result, by="ops")


def report(t: int) -> Line:
    return line("customer_report", t)


def probe(t: int, reason: str = "timeout") -> Line:
    return line("probe_failed", t, observer="g", reason=reason)


def beat(t: int, up: bool = True) -> Line:
    return {"t": t, "kind": "observer_up" if up else "observer_down", "observer": "g"}


def custody(start: int, end: int | None, employee: str, t: int = 0) -> Line:
    return line("custody", t, **{"from": start, "to": end}, employee=employee)


def excuse(start: int, end: int | None, reason: str = "maintenance", **fields: Any) -> Line:
    return line("excuse", 0, **{"from": start, "to": end}, reason=reason, **fields)


def decision(t: int, start: int, end: int | None, status: str) -> Line:
    return line("decision", t, **{"from": start, "to": end}, status=status, by="lead", why="seen")


def off(start: int, end: int, name: str = "x", count: int = 40) -> list[Line]:
    """Proved off from `start` to `end`; on for 30 minutes before and 5 after."""
    return [
        reading(f"{name}1", start, 30, count),
        shutdown(f"{name}1", start, 30, count),
        reading(f"{name}2", end + 5, 5, count + 1),
    ]


OFF = [reading("a", 100, 100, 40), shutdown("a", 210, 100, 40), reading("b", 210, 10, 41)]
# Seen with boot a up to 0 and with boot b from 200 on; in between nothing is proved.
GAP = [reading("a", 0, 50), reading("b", 210, 10)]


def incidents(*lines: Line, **policy: Any) -> list[tuple[Any, ...]]:
    """(kind, status, from, to, instants of strikes)"""
    found = told(list(lines), policy)["phones"]["A1"]["incidents"]
    return [
        (i["kind"], i["status"], minute(i["from"]), minute(i["to"]), [minute(s["at"]) for s in i["strikes"]])
        for i in found
    ]


def statuses(*lines: Line, **policy: Any) -> list[str]:
    return [found[1] for found in incidents(*lines, **policy)]


def strikes(*lines: Line, **policy: Any) -> list[int]:
    return [at for found in incidents(*lines, **policy) for at in found[4]]


def people(*lines: Line, **policy: Any) -> dict[str, dict[str, tuple[Any, ...]]]:
    return {
        employee: {
            month: (one["strikes"], one["suspected"], one["undecided"], one["allowance"])
            for month, one in months.items()
        }
        for employee, months in told(list(lines), policy)["people"].items()
    }


class TestEpisodesOfProvedOff:
    def test_proved_off_time_is_an_incident_without_a_strike(self) -> None:
        assert incidents(*OFF) == [("a", "confirmed", 100, 200, [])]

    @pytest.mark.parametrize(("length", "found"), [(9, 0), (10, 1)])
    def test_shorter_is_a_reboot_whatever_hit_it(self, length: int, found: int) -> None:
        lines = [*off(100, 100 + length), dial(105)]
        assert [kind for kind, *_ in incidents(*lines)] == (["a"] if found else ["b"])
        assert strikes(*lines) == ([105] if found else [])

    @pytest.mark.parametrize(("gap", "found"), [(29, 1), (30, 2)])
    def test_spans_close_together_are_one_episode(self, gap: int, found: int) -> None:
        second = [
            reading("x2", 120 + gap, gap, 41),
            shutdown("x2", 120 + gap, gap, 41),
            reading("y", 125 + gap + 20, 5, 42),
        ]
        lines = [*off(100, 120), *second]
        assert len(incidents(*lines)) == found

    @pytest.mark.parametrize(("at", "hit"), [(97, False), (98, True), (150, True), (202, True), (203, False)])
    def test_hits_lie_within_two_minutes(self, at: int, hit: bool) -> None:
        assert strikes(*OFF, report(at)) == ([at] if hit else [])
        assert strikes(*OFF, beat(at), probe(at)) == ([at] if hit else [])

    def test_a_call_that_is_answered_parts_the_off_time(self) -> None:
        """Two pieces of 7 minutes are two reboots."""
        lines = [*off(100, 114), dial(105)]
        assert incidents(*lines)[0][0] == "a"
        assert statuses(*lines, dial(107, "rings")) == ["refuted"]

    def test_an_accusation_in_the_merged_middle_is_no_episode_of_its_own(self) -> None:
        middle = [reading("x2", 140, 20, 41), shutdown("x2", 140, 20, 41), reading("y", 165, 5, 42)]
        assert incidents(*off(100, 120), *middle, dial(130)) == [("a", "confirmed", 100, 160, [])]


class TestProbes:
    @pytest.mark.parametrize("reason", ["unauthorized", "busy", "adb_down"])
    def test_reasons_that_are_not_the_phones(self, reason: str) -> None:
        assert strikes(*OFF, beat(150), probe(150, reason)) == []

    @pytest.mark.parametrize(("since", "valid"), [(0, True), (10, True), (11, False)])
    def test_the_observer_was_up_in_the_ten_minutes_before(self, since: int, valid: bool) -> None:
        assert strikes(*OFF, beat(150 - since), probe(150)) == ([150] if valid else [])

    def test_the_observer_went_down_since(self) -> None:
        assert strikes(*OFF, beat(145), beat(147, up=False), probe(150)) == []
        assert strikes(*OFF, beat(145), beat(145, up=False), probe(150)) == []
        assert strikes(*OFF, beat(145), beat(147, up=False), beat(149), probe(150)) == [150]
        assert strikes(*OFF, beat(151), probe(150)) == []

    def test_a_failed_probe_opens_no_incident(self) -> None:
        assert incidents(*GAP, beat(100), probe(100), probe(105)) == []

    @pytest.mark.parametrize("result", ["suspended", "no_coverage", "busy", "unclear"])
    def test_calls_that_say_nothing(self, result: str) -> None:
        assert incidents(*GAP, dial(100, result)) == []
        assert strikes(*OFF, dial(150, result)) == []


class TestStatus:
    def test_1_on_minutes_proved_on(self) -> None:
        lines = [reading("a", 100, 100), dial(0), report(50), dial(100), decision(0, 0, None, "confirmed")]
        assert incidents(*lines) == [("b", "refuted", 0, 100, [])]

    def test_1_one_episode_for_each_stretch_of_on(self) -> None:
        assert [i[2:4] for i in incidents(*GAP, dial(-10), dial(205), report(208))] == [
            (-10, -10),
            (205, 208),
        ]

    @pytest.mark.parametrize(("start", "status"), [(109, "refuted"), (110, "confirmed")])
    def test_1_in_a_stretch_shorter_than_an_off_time(self, start: int, status: str) -> None:
        assert statuses(reading("a", 100, 9), reading("b", start + 1, 1), dial(105)) == [status]

    def test_1_a_stretch_without_an_end_is_not_short(self) -> None:
        assert statuses(reading("a", 100, 9), dial(103)) == ["suspected"]
        assert statuses(dial(103), reading("b", 106, 1)) == ["undecided"]

    def test_1_an_answered_call_bounds_a_stretch(self) -> None:
        assert statuses(*GAP, dial(91, "answered"), dial(95), dial(100, "rings")) == ["refuted"]
        assert statuses(*GAP, dial(90, "answered"), dial(95), dial(100, "rings")) == ["confirmed"]
        assert statuses(*GAP, dial(95, "answered"), dial(95)) == ["refuted"]

    def test_2_the_leads_word(self) -> None:
        assert statuses(*OFF, decision(300, 150, 160, "refuted")) == ["refuted"]
        assert statuses(*GAP, report(100), decision(300, 100, 101, "confirmed")) == ["confirmed"]
        assert statuses(*GAP, report(100), report(120), decision(300, 120, 121, "confirmed")) == ["confirmed"]

    @pytest.mark.parametrize(("start", "end"), [(200, 300), (0, 100), (150, 150)])
    def test_2_a_decision_that_only_touches(self, start: int, end: int) -> None:
        assert statuses(*OFF, decision(300, start, end, "refuted")) == ["confirmed"]

    def test_2_the_latest_holds_and_on_a_tie_the_milder(self) -> None:
        refute, confirm = decision(300, 0, None, "refuted"), decision(301, 0, None, "confirmed")
        assert statuses(*OFF, refute, confirm) == ["confirmed"]
        assert statuses(*OFF, refute, confirm | {"t": 300}) == ["refuted"]

    @pytest.mark.parametrize(("end", "status"), [(190, "confirmed"), (191, "excused")])
    def test_3_no_piece_outside_an_excuse_is_long_enough(self, end: int, status: str) -> None:
        assert statuses(*OFF, excuse(100, 150), excuse(150, end, "repair")) == [status]

    def test_3_excuses_that_cover_all_accusations(self) -> None:
        assert statuses(*GAP, dial(100), report(120), excuse(100, 121)) == ["excused"]
        assert statuses(*GAP, dial(100), report(120), excuse(100, 120)) == ["confirmed"]

    def test_3_a_delegation_excuses_nobody(self) -> None:
        assert statuses(*OFF, excuse(0, None, "delegation", delegate="E2")) == ["confirmed"]

    @pytest.mark.parametrize(("end", "status"), [(30 * DAY - 1, "suspected"), (30 * DAY, "undecided")])
    def test_5_no_reading_after(self, end: int, status: str) -> None:
        seen = [reading("a", 0, 50), dial(100), dial(110, "answered") | {"t": 130}]
        assert statuses(*seen, beat(100 + end)) == [status]

    def test_6_a_dial_test_between_two_boots(self) -> None:
        assert incidents(*GAP, report(90), dial(100)) == [("b", "confirmed", 90, 100, [90])]
        assert statuses(*GAP, report(100)) == ["undecided"]

    @pytest.mark.parametrize(("after", "status"), [(12 * HOUR - 1, "confirmed"), (12 * HOUR, "undecided")])
    def test_6_readings_too_far_apart(self, after: int, status: str) -> None:
        assert statuses(reading("a", 0, 50), dial(100), reading("b", after, 10)) == [status]

    def test_6_the_first_reading_after_counts_and_the_last_before(self) -> None:
        far = [reading("a", -13 * HOUR, 50), reading("b", 14 * HOUR, 14 * HOUR - 200)]
        for lines in ([*far, *GAP], [*GAP, *far]):
            assert statuses(*lines, dial(100)) == ["confirmed"]
        assert statuses(*far, dial(100)) == ["undecided"]

    def test_7_no_reading_before(self) -> None:
        assert statuses(dial(100), reading("b", 210, 10)) == ["undecided"]


class TestStrikes:
    LONG = [reading("a", 0, 50, 40), shutdown("a", 0, 50, 40), reading("b", 4 * DAY, 10, 41)]

    def test_first_hit_and_each_a_day_after_the_one_that_counted(self) -> None:
        hits = [dial(60), report(60 + DAY - 1), dial(60 + DAY), report(61 + DAY), dial(60 + 2 * DAY + 5)]
        assert strikes(*self.LONG, *hits) == [60, 60 + DAY, 60 + 2 * DAY + 5]
        assert strikes(*self.LONG, *hits, strike_every_hours=0) == [60]

    def test_kind_b_gives_one_only(self) -> None:
        lines = [reading("a", 0, 50), dial(60), dial(60 + DAY), reading("b", 4 * DAY, 10)]
        assert strikes(*lines, decision(0, 0, None, "confirmed")) == [60]

    def test_none_within_the_time_of_another(self) -> None:
        both = [*off(100, 150), dial(120), *off(300, 350, "y", 60), dial(320)]
        assert strikes(*both) == [120]
        assert strikes(*both, strike_every_hours=3) == [120, 320]

    def test_a_hit_inside_an_excuse_costs_nothing(self) -> None:
        assert strikes(*OFF, dial(120), dial(180), excuse(110, 130)) == [180]
        assert strikes(*OFF, dial(120), excuse(110, 130)) == []

    def test_without_a_hit_only_where_the_policy_says_so(self) -> None:
        assert strikes(*OFF) == []
        assert strikes(*OFF, needs_hit=False) == [100]
        assert strikes(*OFF, dial(150), needs_hit=False) == [150]

    def test_one_test_is_never_counted_twice(self) -> None:
        near = [
            *off(100, 115)[:2],
            reading("x2", 118, 3, 41),
            shutdown("x2", 118, 3, 41),
            reading("y", 140, 5, 42),
        ]
        assert len(incidents(*near, merge_minutes=0)) == 2
        assert strikes(*near, dial(116), merge_minutes=0, strike_every_hours=0) == [116]


class TestPeople:
    def test_without_custody_the_phones_holder_answers(self) -> None:
        assert people(*OFF, dial(150)) == {"holder:A1": {"2026-11": (1, 0, 0, "payable")}}

    def test_custody_the_later_from_where_two_overlap(self) -> None:
        lines = [*OFF, dial(150), custody(-500, None, "E1", t=9), custody(140, 151, "E2")]
        assert people(*lines)["E2"] == {"2026-11": (1, 0, 0, "payable")}
        assert people(*lines)["E1"] == {"2026-11": (0, 0, 0, "payable")}
        assert (
            people(*OFF, dial(150), custody(-500, None, "E1"), custody(140, 150, "E2"))["E1"]["2026-11"][0]
            == 1
        )

    def test_of_two_that_begin_at_once_the_later_written_holds(self) -> None:
        lines = [*OFF, dial(150), custody(0, None, "E1", t=9), custody(0, None, "E2", t=5)]
        assert people(*lines)["E1"]["2026-11"][0] == 1

    def test_an_open_incident_waits_with_the_person_of_its_first_hit_outside_an_excuse(self) -> None:
        lines = [
            *GAP,
            report(100),
            report(120),
            excuse(90, 110),
            custody(0, 110, "E1"),
            custody(110, None, "E2"),
        ]
        assert {e: m["2026-11"][2] for e, m in people(*lines).items()} == {"E1": 0, "E2": 1}

    def test_inside_a_delegation_the_delegate_answers(self) -> None:
        lines = [*OFF, dial(150), custody(0, None, "E1"), excuse(140, 160, "delegation", delegate="E3")]
        assert {e: m["2026-11"][0] for e, m in people(*lines).items()} == {"E1": 0, "E3": 1}

    @pytest.mark.parametrize(("at", "month"), [(-1, "2026-11"), (0, "2026-12")])
    def test_months_are_shanghais(self, at: int, month: str) -> None:
        end = MONTH_ENDS_AT
        told_of = people(*off(end - 50, end + 50), dial(end + at), custody(0, None, "E1"))
        assert told_of["E1"][month] == (1, 0, 0, "payable")
        assert set(told_of["E1"]) == {"2026-11", "2026-12"}

    def test_strikes_of_several_phones_add_up(self) -> None:
        other = [one | {"phone": "B2"} for one in [*OFF, dial(150), custody(0, None, "E1")]]
        assert people(*OFF, dial(150), custody(0, None, "E1"), *other)["E1"]["2026-11"] == (
            2,
            0,
            0,
            "cancelled",
        )

    def test_what_waits_may_still_cancel(self) -> None:
        waiting = [*OFF, dial(150), dial(230), custody(0, None, "E1")]
        assert people(*waiting)["E1"]["2026-11"] == (1, 1, 0, "undecided")
        assert people(*waiting, strikes=3)["E1"]["2026-11"] == (1, 1, 0, "payable")
        assert people(*waiting, strikes=1)["E1"]["2026-11"] == (1, 1, 0, "cancelled")
        met = [*OFF, dial(150), report(220), reading("c", 400, 10), custody(0, None, "E1")]
        assert people(*met)["E1"]["2026-11"] == (1, 0, 1, "undecided")

    def test_every_month_of_custody_in_the_trace_is_listed(self) -> None:
        lines = [*GAP, custody(-90 * DAY, 200, "E1"), custody(200, None, "E2"), beat(MONTH_ENDS_AT)]
        assert {e: sorted(m) for e, m in people(*lines).items()} == {
            "E1": ["2026-11"],
            "E2": ["2026-11", "2026-12"],
        }
        assert people(*lines, custody(-90 * DAY, None, "E3"), beat(-40 * DAY))["E3"].keys() == {
            "2026-10",
            "2026-11",
            "2026-12",
        }

    def test_custody_that_ends_with_the_month_has_no_part_in_the_next(self) -> None:
        lines = [*GAP, custody(0, MONTH_ENDS_AT, "E1"), custody(MONTH_ENDS_AT, None, "E2")]
        months = {e: sorted(m) for e, m in people(*lines, beat(MONTH_ENDS_AT)).items()}
        assert months == {"E1": ["2026-11"], "E2": ["2026-12"]}


class TestTheGradeOfEvidence:
    """At 100 only the phone's own agent says that the phone was on."""

    OWN = line("reading", 150, boot_id="s", boot_count=None, uptime_s=60, grade="self")
    OTHERS = OWN | {"grade": "gateway"}

    @pytest.mark.parametrize("accusation", [dial(100), report(100)])
    def test_the_phones_own_word_neither_refutes_nor_lets_confirm(self, accusation: Line) -> None:
        assert statuses(*GAP, accusation, self.OWN) == ["undecided"]
        assert statuses(*GAP, accusation, self.OTHERS) == ["refuted"]
        assert statuses(*GAP, accusation, self.OWN, self.OTHERS) == ["refuted"]

    def test_where_it_says_nothing_a_dial_test_is_confirmed_as_ever(self) -> None:
        assert statuses(*GAP, dial(160), self.OWN) == ["confirmed"]

    def test_met_by_itself_alone_it_is_not_met(self) -> None:
        assert statuses(GAP[0], dial(100), self.OWN) == ["suspected"]

    def test_its_own_journal_proves_off_time(self) -> None:
        own = [one | {"grade": "self"} for one in OFF]
        assert incidents(*own, dial(150)) == [("a", "confirmed", 100, 200, [150])]

    def test_its_own_reading_contradicts_a_mark(self) -> None:
        outlived = reading("a", 130, 130, 40) | {"grade": "self"}
        assert incidents(*OFF, outlived) == []
