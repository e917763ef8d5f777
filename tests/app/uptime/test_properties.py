"""What holds for all evidence: for rubbish, and for what a phone with a known history would leave."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from app.uptime.boots import Boot, fold, from_journal, from_reading, merge
from app.uptime.rules import MINUTE, State, Timeline, decide

SECOND = 1_000_000
IDS = ("a", "b", "c", "d")
END = 2000 * MINUTE

_instants = st.integers(0, END)
_uptimes = st.integers(0, 400 * MINUTE)
_counts = st.none() | st.integers(1, 5)
_readings = st.builds(from_reading, st.sampled_from(IDS), _counts, st.none() | _instants, _uptimes)
_journals = st.builds(
    from_journal,
    st.sampled_from(IDS),
    _counts,
    _uptimes,
    st.sampled_from(["shutdown", "open"]),
    st.none() | _instants,
)
_evidence = st.lists(_readings | _journals, max_size=14)


@given(_evidence, st.randoms(use_true_random=False))
def test_order_doubles_and_batches_make_no_difference(evidence: list[Boot], dice: random.Random) -> None:
    shuffled = evidence + dice.choices(evidence, k=3) if evidence else []
    dice.shuffle(shuffled)
    cut = dice.randint(0, len(shuffled))
    by_batches = fold([*fold(shuffled[:cut]), *fold(shuffled[cut:])])
    assert by_batches == fold(evidence)
    assert decide(shuffled, 0, END) == decide(evidence, 0, END)


@given(st.lists(_readings | _journals, min_size=3, max_size=3))
def test_merging_is_a_join(boots: list[Boot]) -> None:
    one, two, three = (Boot("a", *[getattr(b, f) for f in b.__slots__[1:]]) for b in boots)
    assert merge(one, two) == merge(two, one)
    assert merge(merge(one, two), three) == merge(one, merge(two, three))
    assert merge(one, one) == one


@given(_evidence, _instants, st.integers(1, END))
def test_intervals_are_contiguous_and_differ_from_their_neighbours(
    evidence: list[Boot], start: int, length: int
) -> None:
    intervals = decide(evidence, start, start + length).intervals
    assert (intervals[0].start, intervals[-1].end) == (start, start + length)
    for piece in intervals:
        assert piece.start < piece.end
        assert piece.evidence
    for left, right in pairwise(intervals):
        assert left.end == right.start
        assert left.state is not right.state


@given(_evidence)
def test_proofs_of_on_always_win(evidence: list[Boot]) -> None:
    timeline = decide(evidence, 0, END)
    for boot in evidence:
        if boot.read_last is not None and boot.started_earliest is not None:
            _only(timeline, boot.started_earliest, boot.read_last, {State.ON})


@given(_evidence, _readings | _journals)
def test_more_evidence_never_takes_a_proof_of_on_away(evidence: list[Boot], more: Boot) -> None:
    after = decide([*evidence, more], 0, END)
    for piece in decide(evidence, 0, END).intervals:
        if piece.state is State.ON:
            _only(after, piece.start, piece.end, {State.ON})


@given(_evidence, _readings | _journals)
def test_proved_off_becomes_on_only_by_a_proof_of_on(evidence: list[Boot], more: Boot) -> None:
    after = decide([*evidence, more], 0, END)
    on = [run for run in after.runs if run.boot.boot_id == more.boot_id]
    for piece in decide(evidence, 0, END).intervals:
        if piece.state is not State.OFF:
            continue
        for new in after.intervals:
            if new.state is State.ON and new.start < piece.end and piece.start < new.end:
                low, high = max(new.start, piece.start), min(new.end, piece.end)
                assert any(run.start <= low and high <= run.end for run in on)


@given(_evidence)
def test_an_anomalous_boot_bounds_no_off_time(evidence: list[Boot]) -> None:
    timeline = decide(evidence, 0, END)
    odd = {boot for anomaly in timeline.anomalies for boot in anomaly.boots}
    for piece in timeline.intervals:
        if piece.state is State.OFF:
            assert odd.isdisjoint(boot for evidence in piece.evidence for boot in evidence.boots)


# --- a phone whose true history is known ------------------------------------------------------------------------------

_JITTER = 2 * SECOND
_TAIL = 5 * SECOND
"""How long a phone still lives after it wrote its mark."""
_MARGIN = _JITTER + _TAIL + 400 * MINUTE // 20_000


@dataclass(frozen=True)
class Truth:
    """`hung` are boots that never completed: Android does not count them, so consecutive counts do not exclude them."""

    on: list[tuple[int, int]]
    hung: list[tuple[int, int]]
    evidence: list[Boot]


@st.composite
def histories(draw: st.DrawFn) -> Truth:
    """Boots one after the other; readings with jitter and drift; journals; any of it lost."""
    dice = draw(st.randoms(use_true_random=False))
    on, hung, evidence, clock, count = [], [], [], 0, dice.randint(100, 150)
    for number in range(draw(st.integers(1, 7))):
        clock += dice.randint(20 * SECOND, 200 * MINUTE)
        start, length = clock, dice.randint(1 * SECOND, 400 * MINUTE)
        on.append((start, start + length))
        clock = start + length
        completed = dice.random() < 0.85
        if not completed:
            hung.append(on[-1])
        count += completed
        if count >= 100 and dice.random() < 0.1:
            count = 1  # wiped; once only: counts that meet again by chance in a gap cannot be told apart
        evidence += _left_by(dice, f"boot-{number}", start, length, count if completed else None)
    return Truth(on, hung, [e for e in evidence if dice.random() < 0.8])


def _left_by(dice: random.Random, boot: str, start: int, length: int, count: int | None) -> list[Boot]:
    left, drift = [], dice.choice([-1, 0, 1]) / 20_000
    for _ in range(dice.randint(0, 4)):
        true = dice.randint(0, length)
        told = count if true > 30 * SECOND else None
        at = start + true + dice.randint(-_JITTER, _JITTER)
        left.append(from_reading(boot, told, None if dice.random() < 0.2 else at, round(true * (1 + drift))))
    clean = dice.random() < 0.7
    stopped = max(0, length - dice.randint(0, _TAIL)) if clean else dice.randint(0, length)
    if dice.random() < 0.8:
        end = "shutdown" if clean else "open"
        left.append(from_journal(boot, count, round(stopped * (1 + drift)), end, None))  # type: ignore[arg-type]
    return left


@settings(max_examples=300)
@given(histories())
def test_what_is_proved_is_true(truth: Truth) -> None:
    timeline = decide(truth.evidence, 0, truth.on[-1][1] + 60 * MINUTE)
    for piece in timeline.intervals:
        if piece.state is State.ON:
            assert any(
                start - _MARGIN <= piece.start and piece.end <= end + _MARGIN for start, end in truth.on
            ) or _close_boots(truth, piece.start, piece.end)
        elif piece.state is State.OFF:
            for start, end in set(truth.on) - set(truth.hung):
                assert min(piece.end, end) - max(piece.start, start) <= _MARGIN


def _close_boots(truth: Truth, low: int, high: int) -> bool:
    """Boots less apart than the margin may be seen as one stretch."""
    inside = [span for span in truth.on if span[1] >= low and span[0] <= high]
    return all(b[0] - a[1] <= 2 * _MARGIN for a, b in pairwise(inside))


@settings(max_examples=200)
@given(histories(), st.randoms(use_true_random=False))
def test_what_arrives_later_turns_no_proof_into_its_opposite(truth: Truth, dice: random.Random) -> None:
    """Beyond the margin of the datings: the last proof of on may lie some seconds past the mark of the shutdown."""
    end = truth.on[-1][1] + 60 * MINUTE
    some = [e for e in truth.evidence if dice.random() < 0.6]
    before, after = decide(some, 0, end), decide(truth.evidence, 0, end)
    opposite = {State.ON: State.OFF, State.OFF: State.ON}
    for old in before.intervals:
        for new in after.intervals:
            if opposite.get(old.state) is new.state:
                low, high = max(old.start, new.start), min(old.end, new.end)
                hung = [span for span in truth.hung if span[0] - _MARGIN <= low and high <= span[1] + _MARGIN]
                assert high - low <= _MARGIN or hung


def test_the_histories_do_prove_off_time() -> None:
    """Or the tests above would hold for a rule that never says anything."""
    found = []

    @settings(max_examples=200, database=None)
    @given(histories())
    def look(truth: Truth) -> None:
        found.append(decide(truth.evidence, 0, truth.on[-1][1]).total(State.OFF) > 0)

    look()
    assert sum(found) > 10


def _only(timeline: Timeline, low: int, high: int, wanted: set[State]) -> None:
    """Every piece of `[low, high)` is in one of the wanted states."""
    for piece in timeline.intervals:
        # An empty span holds no instant, so it says nothing of the piece that it lies in.
        if low < high and piece.start < min(high, END) and max(low, 0) < piece.end:
            assert piece.state in wanted
