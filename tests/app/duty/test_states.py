from __future__ import annotations

import itertools

import pytest

from app.duty.states import (
    DELEGATION_NEXT,
    EXCUSE_NEXT,
    IN_FORCE_DELEGATIONS,
    IN_FORCE_EXCUSES,
    OPEN_DELEGATIONS,
    STATE_WORDS,
    Delegation,
    DelegationEvent,
    Excuse,
    ExcuseEvent,
    advance,
)
from app.kernel.errors import Conflict

# Written out anew, not read from the table: state, event, what comes of it.
DELEGATIONS = """
proposed accept accepted | proposed decline declined | proposed withdraw withdrawn | proposed lapse lapsed |
accepted return returned | accepted end ended | accepted void voided | returned void voided | ended void voided
"""
EXCUSES = """
pending approve approved | pending reject rejected | pending withdraw withdrawn | approved close closed |
approved void voided | closed void voided
"""


def wanted(text):
    return {tuple(line.split()[:2]): line.split()[2] for line in text.replace("\n", " ").split("|")}


@pytest.mark.parametrize(
    ("states", "events", "text"),
    [(Delegation, DelegationEvent, DELEGATIONS), (Excuse, ExcuseEvent, EXCUSES)],
)
def test_every_event_in_every_state(states, events, text):
    known = wanted(text)
    for state, event in itertools.product(states, events):
        after = known.get((str(state), str(event)))
        if after is None:
            with pytest.raises(Conflict) as caught:
                advance(state, event)
            assert caught.value.code == "duty_state"
        else:
            assert advance(state, event) == after


def test_what_counts_and_what_is_open():
    assert set(IN_FORCE_DELEGATIONS) == {"accepted", "returned", "ended"}
    assert set(OPEN_DELEGATIONS) == {"proposed", "accepted"}
    assert set(IN_FORCE_EXCUSES) == {"approved", "closed"}
    final = {s for s in Delegation if not any(before == s for before, _ in DELEGATION_NEXT)}
    assert final == {"declined", "withdrawn", "lapsed", "voided"}
    assert {s for s in Excuse if not any(b == s for b, _ in EXCUSE_NEXT)} == {
        "rejected",
        "withdrawn",
        "voided",
    }
    assert {("Delegation", s) for s in Delegation} | {("Excuse", s) for s in Excuse} == set(STATE_WORDS)
