from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from app.duty import excuse_facts
from app.duty.jobs import JOBS
from app.duty.model import Delegation
from app.kernel.clock import to_rfc3339
from app.kernel.db import begin_write, db
from app.notify.model import Notice, NoticeCopy
from app.scheduler import run_job
from app.tasks.model import Task
from app.uptime.model import SettleQueue
from tests.app.duty.conftest import DAY, HOUR

REMIND = JOBS[1]
API = "/api/v1/excuses"


@pytest.fixture
def it(as_user, place):
    return as_user("it", place.org.centre, name="IT")


@pytest.fixture
def lead(as_user, place):
    return as_user("lead", place.org.centre, name="主管")


@pytest.fixture
def file(place, clock):
    def made(caller, start=0, hours=2, status=201, reason="maintenance", **changes):
        begin = clock.now() + start * HOUR
        body = {
            "handset_id": str(place.handset), "reason": reason, "starts_at": to_rfc3339(begin),
            "ends_at": None if hours is None else to_rfc3339(begin + hours * HOUR), "note": "系统升级", **changes,
        }  # fmt: skip
        answer = caller.post(API, json=body)
        assert answer.status_code == status, answer.json
        return answer.json

    return made


def act(caller, row, verb, status=200, note=None):
    kwargs = {} if verb == "withdraw" else {"json": {} if note is None else {"note": note}}
    answer = caller.post(f"{API}/{row['id']}/{verb}", **kwargs)
    assert answer.status_code == status, answer.json
    return answer.json


def facts(app, place):
    with app.app_context():
        return [(f.start, f.end, f.reason, f.at) for f in excuse_facts(db.session, place.handset)]


def tasks(app, state="open"):
    with app.app_context():
        return list(db.session.scalars(select(Task.kind).where(Task.state == state).order_by(Task.id)))


def told(app, who):
    with app.app_context():
        query = select(Notice.title).join(NoticeCopy, NoticeCopy.notice_id == Notice.id)
        return list(db.session.scalars(query.where(NoticeCopy.employee_id == who).order_by(Notice.id)))


def test_filed_ahead_and_short_it_holds_at_once(app, place, clock, it, file):
    row = file(it, 1)
    assert row["state"] == "approved"
    begin = clock.now() + HOUR
    assert facts(app, place) == [(begin, begin + 2 * HOUR, "maintenance", clock.now())]
    assert told(app, place.org.zhang) == ["免责时段已登记：GJ-1"]
    assert tasks(app) == []
    with app.app_context():
        assert set(db.session.scalars(select(SettleQueue.handset_id))) == {place.handset}


@pytest.mark.parametrize(
    ("start", "hours", "reason"), [(-1, 2, "maintenance"), (1, 5, "maintenance"), (0, None, "repair")]
)
def test_what_is_afterwards_long_or_endless_waits_for_another_person(
    app, place, clock, as_user, it, lead, file, start, hours, reason
):
    row = file(it, start, hours, reason=reason)
    assert (row["state"], facts(app, place), tasks(app)) == ("pending", [], ["excuse"])
    act(it, row, "approve", 403)
    act(as_user("finance", place.org.centre), row, "approve", 403)
    act(as_user("lead", place.org.other_centre), row, "approve", 404)
    clock.move(60)
    act(lead, row, "approve", note="同意")
    assert [(f[2], f[3]) for f in facts(app, place)] == [(reason, clock.now())]
    assert (tasks(app), tasks(app, "closed")) == ([], ["excuse"])
    assert act(lead, row, "reject", 409, note="x")["code"] == "duty_state"


def test_nobody_approves_his_own_nor_what_excuses_himself(app, place, as_user, lead, it, file):
    row = file(lead, -1)
    assert act(lead, row, "approve", 403)["code"] == "second_person"
    custodian = as_user("lead", place.org.centre, employee=place.org.zhang)
    assert act(custodian, row, "approve", 403)["code"] == "second_person"
    assert facts(app, place) == []


def test_rejected_it_excuses_nothing_and_says_why(app, place, it, lead, file):
    row = file(it, -1)
    assert act(lead, row, "reject", 422)["errors"][0]["field"] == "note"
    act(lead, row, "reject", note="当时没有送修")
    assert facts(app, place) == []
    assert told(app, place.org.zhang) == ["免责登记未批准：GJ-1"]
    assert file(it, -1)["state"] == "pending"  # it may be filed anew


def test_a_repair_without_an_end_is_closed_by_hand(app, place, clock, it, lead, file):
    row = file(it, 0, None, reason="repair")
    act(lead, row, "approve")
    begin = clock.now()
    clock.move(86_400)
    assert facts(app, place)[0][:2] == (begin, None)
    act(it, row, "close", note="已取回")
    assert facts(app, place)[0][:2] == (begin, clock.now())
    assert act(it, row, "close", 409)["code"] == "duty_over"


def test_a_lasting_repair_is_asked_about_again_and_again(app, place, clock, it, lead, file):
    row = file(it, 0, None, reason="repair")
    act(lead, row, "approve")
    clock.move(7 * 86_400 - 1)
    assert run_job(app, REMIND) == 0
    clock.move(1)
    assert run_job(app, REMIND) == 1
    assert (run_job(app, REMIND), tasks(app)) == (0, ["repair"])
    with app.app_context():
        task_id = db.session.scalars(select(Task.id).where(Task.kind == "repair")).one()
    assert lead.post(f"/api/v1/tasks/{task_id}/complete", json={}).status_code == 200
    assert run_job(app, REMIND) == 0  # answered: not again until the next time
    clock.move(7 * 86_400)
    assert (run_job(app, REMIND), tasks(app)) == (1, ["repair"])
    act(it, row, "close")
    assert tasks(app) == []


def test_voided_by_another_person_it_never_excused(app, place, it, lead, file):
    row = file(it, 1)
    act(it, row, "void", 403, note="x")
    act(lead, row, "void", 422)
    act(lead, row, "void", note="没有这次升级")
    assert facts(app, place) == []
    assert told(app, place.org.zhang)[-1] == "免责时段已作废：GJ-1"


def test_who_filed_cannot_void_but_end_it(lead, file):
    row = file(lead, 1)
    assert act(lead, row, "void", 403, note="x")["code"] == "second_person"
    act(lead, row, "close")


def test_ended_before_its_start_it_excuses_nothing(app, place, it, file):
    row = file(it, 1)
    act(it, row, "close")
    assert facts(app, place) == []


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"note": "  "}, 422, "invalid"),
        ({"reason": "delegation"}, 422, "invalid"),
        ({"ends_at": None}, 422, "invalid"),
        ({"handset_id": "other"}, 404, "not_found"),
    ],
)
def test_what_cannot_be_filed(place, it, file, changes, status, code):
    if "handset_id" in changes:
        changes = {"handset_id": str(place.other)}
    assert file(it, 1, status=status, **changes)["code"] == code


def test_roles(as_user, place, file):
    for role in ("finance", "auditor", "butler"):
        file(as_user(role, place.org.centre), status=403)
    file(as_user("it", place.org.other_centre), status=404)
    file(as_user("it", place.org.other_centre, rights=[("auditor", place.org.centre)]), status=404)


def test_two_of_a_kind_do_not_overlap(it, file):
    file(it, 1, 2)
    assert file(it, 2, 2, status=409)["code"] == "overlap"
    file(it, 3, 2)
    file(it, 2, 2, reason="repair")


def test_of_two_decisions_at_once_one_holds(app, place, as_user, it, lead, file):
    row = file(it, -1)
    other = as_user("operations", place.org.centre)
    answers = []

    def press(caller, verb):
        answers.append((verb, caller.post(f"{API}/{row['id']}/{verb}", json={"note": "决定"}).status_code))

    threads = [threading.Thread(target=press, args=pair) for pair in ((lead, "approve"), (other, "reject"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(status for _, status in answers) == [200, 409]
    won = next(verb for verb, status in answers if status == 200)
    assert (len(facts(app, place)) == 1) is (won == "approve")


def test_too_long_ago_is_refused(clock, it, file):
    assert DAY * 62 == HOUR * 24 * 62
    file(it, -24 * 62, 24 * 62)
    file(it, -24 * 62 - 1, 2, status=422, reason="repair")


def test_short_ones_in_a_row_wait_for_another_person(it, lead, file):
    """Each alone needs nobody; together they would excuse a phone for ever."""
    assert [file(it, start, 2)["state"] for start in (1, 3, 5)] == ["approved", "approved", "pending"]
    assert file(it, 3, 1, reason="repair")["state"] == "pending"
    assert file(it, 30, 2)["state"] == "approved"
    long = file(it, 60, 8)
    act(lead, long, "approve")
    assert file(it, 68, 4)["state"] == "approved"  # what somebody approved is no free time


def test_nobody_excuses_himself(app, place, as_user, clock, file):
    """Neither as who files it nor as who approves it, be he custodian or delegate, at whatever part of the span."""
    own = file(as_user("lead", place.org.centre, employee=place.org.zhang), 1, 1)
    assert own["state"] == "pending"
    with app.app_context():
        session = begin_write(db.session())
        start, end = clock.now() + 2 * HOUR, clock.now() + 9 * HOUR
        session.add(
            Delegation(
                centre_id=place.org.centre, handset_id=place.handset, from_post_id=place.org.post,
                giver_id=place.org.zhang, to_post_id=place.second, delegate_id=place.org.li, starts_at=start,
                ends_at=end, force_from=start, force_to=end, state="accepted", note="", created_by="x",
                created_at=clock.now(), answered_by="y", answered_at=clock.now(),
            )
        )  # fmt: skip
        session.commit()
    delegate = as_user("lead", place.org.centre, employee=place.org.li)
    act(delegate, own, "approve", 200)  # over before he has the phone
    row = file(as_user("it", place.org.centre), 2, 6)
    assert act(delegate, row, "approve", 403)["code"] == "second_person"
    assert file(delegate, 12, 1)["state"] == "approved"
