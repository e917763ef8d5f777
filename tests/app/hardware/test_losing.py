"""What is done about a lost phone: each step with what shows it; the phone that comes into sight again."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app.hardware import losing, views
from app.hardware.loss_rules import BY_CODE, CANNOT, OUTCOMES, STEPS
from app.hardware.model import HardwareStep, LossDeed
from app.hardware.watching import look_for_lost
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.notify.model import Notice
from app.readings.model import PhoneState
from app.tasks import Task
from tests.app.hardware.steps import Way


@pytest.fixture
def database_url(one_database):
    return one_database


@pytest.fixture
def way(place, session, tools, photo):
    return Way(session, tools, place, photo)


def do(way, what="lost_number", outcome="done", by=None, **values):
    deed = losing.Deed(what, outcome, **values)
    return losing.record_deed(way.session, by or way.place.it, way.tools, way.case.id, deed, way.now)


def open_keys(session):
    return {t.key.split(":")[0] for t in session.scalars(select(Task).where(Task.state == "open"))}


def history(session, step):
    return session.scalars(select(HardwareStep.words).where(HardwareStep.step == step)).all()


def lines(way):
    return {line.step.what: line for line in losing.loss_lines(way.session, way.case)}


def test_every_step_is_asked_for_with_what_one_needs_to_have_at_hand(way, session):
    way.report("loss")
    found = lines(way)
    assert set(found) == {step.what for step in STEPS}
    assert all(line.outcome is None for line in found.values())
    assert "+8613800000001" in found["lost_number"].about
    assert "i.mi.com" in found["lost_lock"].about, "a Redmi is found by its maker's page"
    assert "SERIAL-OLD" in found["lost_police"].about
    (told,) = history(session, "told")
    assert all(words in told for words in CANNOT)


def test_a_step_is_kept_with_who_when_number_and_photo_and_its_task_ends(way, session, place, photo, tools):
    way.report("loss")
    row = do(way, by=place.zhang, receipt="10086-77", photos=(photo,))
    assert (row.by, row.at, row.receipt, len(row.photos)) == ("u-zhang", way.now, "10086-77", 1)
    assert "hardware.lost_number" not in open_keys(session)
    assert "hardware.lost_wechat" in open_keys(session)
    (words,) = history(session, "lost")
    assert "10086-77" in words
    assert "照片 1 张" in words
    assert row.photos[0] in views.photos_of(session, place.lead, way.case.id)
    way.later(1)
    do(way, outcome="impossible", words="营业厅说号码不在公司名下")
    line = lines(way)["lost_number"]
    assert line.outcome == "impossible", "the latest holds"
    assert [deed.receipt for deed in line.deeds] == [None, "10086-77"], "and the earlier one stays"


@pytest.mark.parametrize("what", [step.what for step in STEPS])
@pytest.mark.parametrize("outcome", list(OUTCOMES))
def test_nothing_is_done_without_what_shows_it(way, session, what, outcome):
    way.report("loss")
    with pytest.raises(Invalid):
        do(way, what, outcome)
    assert session.scalars(select(LossDeed)).all() == []
    do(way, what, outcome, words="见工单", receipt="R1")
    assert f"hardware.{what}" not in open_keys(session)


@pytest.mark.parametrize(("what", "outcome"), [("lost_all", "done"), ("lost_lock", "erased"), ("", "")])
def test_no_other_step_or_outcome(way, what, outcome):
    way.report("loss")
    with pytest.raises(Invalid):
        do(way, what, outcome, words="好了", receipt="1")


def test_the_police_number_stands_in_the_case(way, session):
    way.report("loss")
    do(way, "lost_police", receipt="A123")
    assert way.case.police_number == "A123"


def test_told_with_the_report_it_is_not_asked_again(way, session):
    way.report("loss", police_number="A9")
    assert "hardware.lost_police" not in open_keys(session)
    assert lines(way)["lost_police"].deeds[0].receipt == "A9"


def test_who_may_say_so(way, place):
    way.report("loss")
    for who in (place.zhang, place.lead, place.operations, place.it):
        do(way, by=who, words="办了")
    for who, error in (
        (place.li, NotFound), (place.foreign, NotFound), (place.auditor, Forbidden), (place.finance, Forbidden),
    ):  # fmt: skip
        with pytest.raises(error):
            do(way, by=who, words="办了")


def test_only_of_a_loss_and_not_once_it_is_over(way):
    way.report()
    with pytest.raises(Conflict):
        do(way, words="办了")
    way.drop()
    way.report("loss")
    way.find()
    with pytest.raises(Conflict):
        do(way, words="办了")


def read(session, place, at):
    row = session.get(PhoneState, place.phone)
    if row is None:
        row = PhoneState(handset_id=place.phone, centre_id=place.org.centre, target="server:X")
        session.add(row)
    row.at = at
    session.flush()


def look(way, at):
    return look_for_lost(way.session, way.tools.policies, at)


def test_a_lost_phone_that_a_gateway_meets_is_told_at_once_and_then_once_a_day(way, session, place):
    hour = dt.timedelta(hours=1)
    read(session, place, way.now - hour)
    way.report("loss")
    assert look(way, way.now) == 0, "read before it was reported"
    assert "lost_seen" not in lines(way)
    met = way.now + hour
    read(session, place, met)
    assert look(way, met) == 1
    assert look(way, met) == 0
    assert "hardware.lost_seen" in open_keys(session)
    notices = select(Notice).where(Notice.title.contains("又出现"))
    assert len(session.scalars(notices).all()) == 1
    assert way.case.state == "reported", "nothing is done by itself"
    do(way, "lost_seen", words="保安捡到，已取回")
    assert "hardware.lost_seen" not in open_keys(session)
    read(session, place, met + 2 * hour)
    assert look(way, met + 2 * hour) == 0
    read(session, place, met + 25 * hour)
    assert look(way, met + 25 * hour) == 1
    assert len(history(session, "seen")) == 2


@pytest.mark.parametrize("end", ["find", "drop"])
def test_what_is_back_is_not_lost(way, session, place, end):
    way.report("loss")
    getattr(way, end)()
    read(session, place, way.now + dt.timedelta(hours=1))
    assert look(way, way.now + dt.timedelta(hours=1)) == 0
    assert not {key for key in open_keys(session) if key.removeprefix("hardware.") in BY_CODE}


def test_another_phone_took_its_place_and_it_is_still_lost(way, session, place):
    way.report("loss")
    way.state()
    way.judge()
    way.offer(fen=99_900)
    way.accept()
    read(session, place, way.now + dt.timedelta(hours=1))
    assert look(way, way.now + dt.timedelta(hours=1)) == 1
