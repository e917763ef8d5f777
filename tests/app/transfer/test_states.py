"""Every state with every event."""

from __future__ import annotations

import itertools

import pytest

from app.kernel.errors import Conflict
from app.transfer.states import FINAL, NEXT, OPEN, SETTLED, WORDS, Event, State, advance

ON = ("queued", "running", "interrupted", "stopping")
# What each event leads to, state by state; what is not here cannot happen.
TABLE = {
    "start": dict.fromkeys(("draft", "stopped", "attention", "failed"), "queued"),
    "run": dict.fromkeys(("queued", "running", "interrupted"), "running") | {"stopping": "stopping"},
    "postpone": {
        "queued": "queued", "running": "interrupted", "interrupted": "interrupted", "stopping": "stopping",
    },
    "silence": {"running": "interrupted", "stopping": "stopping"},
    "stop": dict.fromkeys(("queued", "running", "interrupted"), "stopping"),
    "halt": {"stopping": "stopped"},
    "go_on": {"stopping": "running"},
    "data_verified": dict.fromkeys((*ON, "stopped", "attention", "failed"), "moved"),
    "data_differs": dict.fromkeys((*ON, "stopped", "attention", "failed"), "attention"),
    "data_failed": dict.fromkeys(ON, "failed"),
    "accept_data": {"attention": "moved"},
    "settle_verified": {"moved": "verified"},
    "settle_accepted": {"moved": "accepted"},
    "waive": dict.fromkeys(("draft", "stopped", "attention", "failed", "moved"), "waived"),
    "cancel": dict.fromkeys(
        ("draft", "queued", "interrupted", "stopping", "stopped", "attention", "failed", "moved"), "cancelled"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_each_state_takes_the_events_of_the_table_alone(state, event):
    after = TABLE[event].get(state)
    if after is None:
        with pytest.raises(Conflict) as told:
            advance(state, event)
        assert told.value.code == "transfer_state"
    else:
        assert advance(state, event) == after


def test_what_is_over_stays_over():
    assert not [key for key in NEXT if key[0] in FINAL]
    assert set(OPEN) | set(FINAL) == set(State)
    assert set(SETTLED) < set(FINAL)


def test_only_the_settling_events_settle():
    ways = {(str(state), str(event)) for (state, event), after in NEXT.items() if after in SETTLED}
    assert ways == {
        ("moved", "settle_verified"), ("moved", "settle_accepted"),
        ("draft", "waive"), ("stopped", "waive"), ("attention", "waive"), ("failed", "waive"), ("moved", "waive"),
    }  # fmt: skip


def test_every_state_has_its_words():
    assert set(WORDS) == set(State)
