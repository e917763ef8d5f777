"""From a phone's evidence to the money: ruled by the real engine, closed, replayed from what was kept, appealed."""

from __future__ import annotations

import pytest

from app.allowance.correcting import recheck
from app.incidents.service import Word, decide
from app.kernel.errors import Conflict
from app.runtime import runtime
from tests.app.allowance.conftest import MONTH
from tests.app.allowance.test_closing import books, line_of
from tests.app.incidents.support import Phone, replayed, staff
from tests.app.uptime.support import add_handset


@pytest.fixture
def handset(app, org):
    return add_handset(app, org.centre, "S1")


@pytest.fixture
def phone(handset, session, org, clock):
    """Off twice in October, each time found so by a call."""
    made = Phone(session, org, clock, handset)
    made.held_by(org.zhang)
    made.was_off(-800, -795)
    made.dialled(-797)
    made.was_off(-760, -755, 5)
    made.dialled(-757)
    return made


def test_evidence_that_nobody_has_ruled_on_yet_holds_the_closing_up(phone, world, session, org):
    with pytest.raises(Conflict) as caught:
        world.close()
    assert caught.value.code == "unsettled"
    phone.settle(0)
    world.close()
    assert line_of(session, org.zhang).state == "cancelled"


def test_the_kept_trace_replays_to_the_same_cancellation(phone, world, session, org, tools):
    phone.settle(0)
    world.close()
    line = line_of(session, org.zhang)
    data, _ = tools.blobs.get(session, line.trace_sha256)
    told = replayed(data)["people"][str(org.zhang)][MONTH]
    assert (told["strikes"], told["allowance"]) == (line.strikes, line.state) == (2, "cancelled")


def test_the_leads_waiver_after_closing_gives_the_month_back(phone, world, session, org, tools, clock):
    phone.settle(0)
    world.close()
    lead = staff("lead", org, "u-lead")
    wrong = phone.incidents()[1]
    word = Word("refuted", "当天手机送修", wrong.version)
    decide(session, lead, wrong.id, word, policies=runtime().policies, now=clock.now())
    phone.settle(1)
    assert recheck(session, tools, clock.now()) == 1
    assert sum(fen for _, fen, _ in books(session, org.zhang)) == 5000
    assert line_of(session, org.zhang).state == "payable"
