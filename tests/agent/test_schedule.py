from __future__ import annotations

import pytest

from agent.hands import Hands
from agent.schedule import BACKOFF_CAP_S, Schedule


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: (low + high) / 2)


def tried(schedule: Schedule, target: str, now: float, *, reached: bool, interval_s: float = 60.0) -> None:
    schedule.begin(target, now)
    schedule.end(target, reached=reached, interval_s=interval_s)


def test_new_targets_are_due_at_once_and_gone_ones_are_forgotten() -> None:
    schedule = Schedule()
    schedule.set_targets(["a", "b"], 100)
    assert schedule.due(100, 10) == ["a", "b"]
    schedule.set_targets(["b", "c"], 100)
    assert schedule.due(100, 10) == ["b", "c"]


def test_a_target_is_due_again_an_interval_after_its_try_began() -> None:
    schedule = Schedule()
    schedule.set_targets(["a"], 0)
    schedule.begin("a", 10)
    assert schedule.due(1000, 10) == [], "a phone that is being read is not read twice"
    assert schedule.next_due() is None
    schedule.end("a", reached=True, interval_s=60)
    assert schedule.next_due() == 70
    assert schedule.due(69, 10) == []
    assert schedule.due(70, 10) == ["a"]


def test_a_target_that_goes_while_it_is_read_ends_in_peace() -> None:
    schedule = Schedule()
    schedule.set_targets(["a"], 0)
    schedule.begin("a", 0)
    schedule.set_targets([], 1)
    schedule.end("a", reached=True, interval_s=60)
    schedule.set_targets([], 2)
    assert len(schedule) == 0


def test_a_dead_phone_is_tried_ever_less_often_up_to_the_cap() -> None:
    schedule = Schedule()
    schedule.set_targets(["a"], 0)
    waits = []
    for _ in range(9):
        tried(schedule, "a", 0, reached=False)
        waits.append(schedule.next_due())
    assert waits == [60, 60, 60, 120, 240, BACKOFF_CAP_S, BACKOFF_CAP_S, BACKOFF_CAP_S, BACKOFF_CAP_S]
    tried(schedule, "a", 0, reached=True)
    assert schedule.next_due() == 60


def test_the_back_off_never_shortens_a_long_interval() -> None:
    schedule = Schedule()
    schedule.set_targets(["a"], 0)
    for _ in range(9):
        tried(schedule, "a", 0, reached=False, interval_s=3600)
    assert schedule.next_due() == 3600


def test_no_more_begin_than_there_are_workers() -> None:
    schedule = Schedule()
    schedule.set_targets("abcdef", 0)
    first = schedule.due(0, 4)
    assert len(first) == 4
    for target in first:
        schedule.begin(target, 0)
    assert schedule.due(0, 4) == []
    assert schedule.running == 4


def test_dead_phones_hold_at_most_half_of_the_workers() -> None:
    schedule = Schedule()
    schedule.set_targets("abcdefgh", 0)
    for target in "abcdef":
        tried(schedule, target, 0, reached=False, interval_s=0)
    begun = schedule.due(10, 6)
    assert begun[:2] == ["g", "h"], "the living go first"
    assert len(begun) == 5
    for target in begun:
        schedule.begin(target, 10)
    assert schedule.due(10, 6) == [], "the sixth worker waits for the living"


def test_one_worker_serves_dead_phones_too() -> None:
    schedule = Schedule()
    schedule.set_targets("a", 0)
    tried(schedule, "a", 0, reached=False, interval_s=0)
    assert schedule.due(1, 1) == ["a"]


def test_jitter_spreads_phones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    schedule = Schedule()
    schedule.set_targets([str(n) for n in range(50)], 0)
    for n in range(50):
        tried(schedule, str(n), 0, reached=True)
    dues = {slot.due for slot in schedule._slots.values()}
    assert len(dues) > 40
    assert all(54 <= due <= 66 for due in dues)


# --- hands ------------------------------------------------------------------------


def test_a_hand_is_taken_by_one_and_let_go() -> None:
    hands = Hands()
    with hands.take("S1") as first, hands.take("S1") as second, hands.take("S2") as other:
        assert (first, second, other) == (True, False, True)
    with hands.take("S1") as again:
        assert again


def test_a_hand_is_let_go_when_the_work_fails() -> None:
    hands = Hands()
    with pytest.raises(ZeroDivisionError), hands.take("S1"):
        raise ZeroDivisionError
    with hands.take("S1") as again:
        assert again


def test_waiting_for_a_hand() -> None:
    import threading

    hands = Hands()
    got = []

    def wait() -> None:
        with hands.take("S1", 10) as free:
            got.append(free)

    with hands.take("S1"):
        thread = threading.Thread(target=wait)
        thread.start()
    thread.join(10)
    assert got == [True]
