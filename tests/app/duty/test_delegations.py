"""Through the API, as people and programs call it; what holds is read as the ruling reads it."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, update

from app.audit.model import AuditRow
from app.duty import excuse_facts
from app.duty.jobs import JOBS
from app.duty.model import Delegation
from app.kernel.clock import to_rfc3339
from app.kernel.db import db
from app.notify.model import Notice, NoticeCopy
from app.registry import PostHolding
from app.scheduler import run_job, write_transaction
from app.uptime.model import SettleQueue
from tests.app.duty.conftest import DAY, HOUR

SWEEP = JOBS[0]
API = "/api/v1/delegations"


@pytest.fixture
def zhang(as_user, place):
    return as_user("butler", place.org.centre, employee=place.org.zhang, name="张三")


@pytest.fixture
def li(as_user, place):
    return as_user("butler", place.org.centre, employee=place.org.li, name="李四")


@pytest.fixture
def lead(as_user, place):
    return as_user("lead", place.org.centre, name="主管")


@pytest.fixture
def propose(place, clock):
    def made(caller, start=None, end=None, status=201, **changes):
        start = start or clock.now() + HOUR
        body = {
            "handset_id": str(place.handset), "to_post_id": str(place.second), "starts_at": to_rfc3339(start),
            "ends_at": to_rfc3339(end or start + 8 * HOUR), **changes,
        }  # fmt: skip
        answer = caller.post(API, json=body)
        assert answer.status_code == status, answer.json
        return answer.json

    return made


def act(caller, row, verb, status=200, note=None):
    body = {} if note is None else {"note": note}
    kwargs = {} if verb == "withdraw" else {"json": body}
    answer = caller.post(f"{API}/{row['id']}/{verb}", **kwargs)
    assert answer.status_code == status, answer.json
    return answer.json


def facts(app, place):
    with app.app_context():
        return [(f.start, f.end, f.delegate, f.at) for f in excuse_facts(db.session, place.handset)]


def told(app, who):
    with app.app_context():
        query = select(Notice.title).join(NoticeCopy, NoticeCopy.notice_id == Notice.id)
        return list(db.session.scalars(query.where(NoticeCopy.employee_id == who).order_by(Notice.id)))


def queued(app):
    with app.app_context():
        return set(db.session.scalars(select(SettleQueue.handset_id)))


def test_until_it_is_accepted_the_giver_answers_then_the_delegate(app, place, clock, zhang, li, propose):
    row = propose(zhang, note="休息")
    assert (row["state"], row["delegate_id"], facts(app, place)) == ("proposed", None, [])
    assert queued(app) == set()
    assert told(app, place.org.li) == ["委托待接受：GJ-1"]
    start = clock.now() + HOUR
    clock.move(60)
    row = act(li, row, "accept")
    assert row["state"] == "accepted"
    assert facts(app, place) == [(start, start + 8 * HOUR, place.org.li, clock.now())]
    assert queued(app) == {place.handset}
    assert told(app, place.org.zhang) == ["委托已接受：GJ-1"]
    with app.app_context():
        actions = db.session.scalars(
            select(AuditRow.action).where(AuditRow.object == f"delegation:{row['id']}")
        )
        assert list(actions) == ["delegation.propose", "delegation.accept"]


def test_accepted_after_its_start_it_holds_from_acceptance_only(app, place, clock, zhang, li, propose):
    end = clock.now() + 9 * HOUR
    row = propose(zhang)
    clock.move(3 * 3600)
    act(li, row, "accept")
    assert [f[:2] for f in facts(app, place)] == [(clock.now(), end)]
    clock.set(end)
    late = propose(zhang)
    clock.move(9 * 3600)
    assert act(li, late, "accept", 409)["code"] == "duty_over"


@pytest.mark.parametrize("who", ["zhang", "li", "lead"])
def test_given_back_early_by_either_or_the_desk(app, place, clock, zhang, li, lead, propose, who):
    row = propose(zhang)
    act(li, row, "accept")
    start = clock.now() + HOUR
    clock.move(2 * 3600)
    row = act({"zhang": zhang, "li": li, "lead": lead}[who], row, "return")
    assert [f[:3] for f in facts(app, place)] == [(start, clock.now(), place.org.li)]
    assert row["state"] == "returned"
    propose(zhang)  # the time is free again


def test_given_back_before_its_start_it_never_held(app, place, zhang, li, propose):
    row = propose(zhang)
    act(li, row, "accept")
    act(zhang, row, "return")
    assert facts(app, place) == []


def test_voided_it_counts_for_nothing_and_stays_in_the_books(app, place, clock, zhang, li, lead, propose):
    row = propose(zhang)
    act(li, row, "accept")
    clock.move(2 * 3600)
    assert act(lead, row, "void", 422)["errors"][0]["field"] == "note"
    assert act(li, row, "void", 403, note="x")
    act(lead, row, "void", note="填错了手机")
    assert facts(app, place) == []
    assert queued(app) == {place.handset}
    assert told(app, place.org.li)[-1] == "委托已作废：GJ-1"
    with app.app_context():
        kept = db.session.scalars(select(Delegation)).one()
        assert (kept.state, kept.end_reason, kept.delegate_id) == ("voided", "填错了手机", place.org.li)


@pytest.mark.parametrize(
    ("shift", "length", "status"), [(0, 8, 409), (7, 8, 409), (8, 8, 201), (-3, 3, 201), (-3, 4, 409)]
)
def test_two_at_once_of_one_phone_are_refused(clock, zhang, li, propose, shift, length, status):
    start = clock.now() + 10 * HOUR
    act(li, propose(zhang, start), "accept")
    answer = propose(zhang, start + shift * HOUR, start + (shift + length) * HOUR, status)
    assert status == 201 or answer["code"] == "overlap"


def test_declined_and_withdrawn_ones_free_the_time(zhang, li, propose):
    act(li, propose(zhang), "decline", note="我也休息")
    act(zhang, propose(zhang), "withdraw")
    row = propose(zhang)
    assert act(zhang, row, "return", 409)["code"] == "duty_state"
    act(li, row, "accept")
    assert act(zhang, row, "withdraw", 409)["code"] == "duty_state"
    assert act(li, row, "accept", 409)["code"] == "duty_state"


def test_only_the_holder_answers_the_desk_only_for_one_without_a_user(as_user, place, zhang, lead, propose):
    row = propose(zhang)
    assert act(zhang, row, "accept", 403)["code"] == "role_in_centre"
    assert act(lead, row, "accept", 422)["code"] == "reason"
    assert act(lead, row, "accept", note="电话里同意了")["answer"] == "电话里同意了"


def test_the_desk_answers_neither_for_a_user_nor_what_it_proposed_itself(
    as_user, place, clock, lead, propose
):
    row = propose(lead)
    assert act(lead, row, "accept", 403, note="他同意了")["code"] == "second_person"
    other = as_user("operations", place.org.centre)
    as_user("butler", place.org.centre, employee=place.org.li)
    assert act(other, row, "accept", 403, note="他同意了")["code"] == "own_answer"


def test_who_may_propose(as_user, place, li, lead, propose):
    propose(li, status=403)  # not his phone
    propose(as_user("lead", place.org.other_centre), status=404)
    propose(as_user("finance", place.org.centre), status=403)
    # A lead of another centre who is a butler here is no lead here.
    mixed = as_user("lead", place.org.other_centre, rights=[("butler", place.org.centre)])
    propose(mixed, status=403)
    propose(lead)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"to_post_id": "own"}, 409, "post"),
        ({"to_post_id": "vacant"}, 409, "post_vacant"),
        ({"to_post_id": "00000000-0000-7000-8000-000000000000"}, 404, "not_found"),
        ({"handset_id": "00000000-0000-7000-8000-000000000000"}, 404, "not_found"),
        ({"note": "x" * 501}, 422, "invalid"),
        ({"ends_at": "2026-11-22"}, 422, "invalid"),
    ],
)
def test_what_cannot_be_entrusted(app, place, clock, zhang, propose, changes, status, code):
    if changes.get("to_post_id") == "own":
        changes = {"to_post_id": str(place.org.post)}
    if changes.get("to_post_id") == "vacant":
        with app.app_context(), write_transaction() as session:
            session.execute(
                update(PostHolding).where(PostHolding.id == place.li_holds).values(valid_to=clock.now())
            )
        changes = {"to_post_id": str(place.second)}
    assert propose(zhang, status=status, **changes)["code"] == code


def test_a_phone_that_nobody_has_cannot_be_entrusted_nor_accepted(
    app, place, clock, zhang, li, lead, propose
):
    row = propose(zhang)
    end_holding(app, place.zhang_holds, clock.now())
    assert act(li, row, "accept", 409)["code"] == "no_custody"
    propose(lead, clock.now() + 20 * HOUR, status=409)


def end_holding(app, holding, when):
    with app.app_context(), write_transaction() as session:
        session.execute(update(PostHolding).where(PostHolding.id == holding).values(valid_to=when))


@pytest.mark.parametrize("who", ["li_holds", "zhang_holds"])
def test_when_one_of_the_two_leaves_his_post_it_ends_at_that_instant(
    app, place, clock, zhang, li, propose, who
):
    start = clock.now() + HOUR
    act(li, propose(zhang), "accept")
    clock.move(5 * 3600)
    run_job(app, SWEEP)
    assert [f[1] for f in facts(app, place)] == [start + 8 * HOUR]
    left = clock.now() - HOUR  # entered an hour late
    end_holding(app, getattr(place, who), left)
    assert run_job(app, SWEEP) == 1
    assert [f[:3] for f in facts(app, place)] == [(start, left, place.org.li)]
    assert told(app, place.org.li)[-1] == "委托提前结束：GJ-1"
    assert run_job(app, SWEEP) == 0


def test_time_ends_what_it_must(app, place, clock, zhang, li, propose):
    act(li, propose(zhang), "accept")
    open_one = propose(zhang, clock.now() + 20 * HOUR)
    span = facts(app, place)
    clock.move(9 * 3600 - 1)
    assert run_job(app, SWEEP) == 0
    clock.move(1)
    assert run_job(app, SWEEP) == 1
    assert facts(app, place) == span
    clock.move(2 * 86_400)
    assert run_job(app, SWEEP) == 1
    assert li.get(f"{API}/{open_one['id']}").json["state"] == "lapsed"
    assert facts(app, place) == span
    assert run_job(app, SWEEP) == 0


def test_a_butler_sees_his_own_and_what_he_is_asked(as_user, place, zhang, li, lead, propose):
    row = propose(zhang)
    third = as_user("butler", place.org.centre)
    foreign = as_user("operations", place.org.other_centre)
    for caller, sees in ((zhang, 1), (li, 1), (lead, 1), (third, 0), (foreign, 0)):
        assert len(caller.get(API).json["items"]) == sees
        assert caller.get(f"{API}/{row['id']}").status_code == (200 if sees else 404)
    assert act(foreign, row, "withdraw", 404)
    assert act(third, row, "accept", 404)


def test_of_an_acceptance_and_a_withdrawal_at_once_one_wins(app, place, zhang, li, propose):
    row = propose(zhang)
    answers = []

    def press(caller, verb):
        kwargs = {"json": {}} if verb == "accept" else {}
        answers.append((verb, caller.post(f"{API}/{row['id']}/{verb}", **kwargs).status_code))

    threads = [threading.Thread(target=press, args=pair) for pair in ((li, "accept"), (zhang, "withdraw"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(status for _, status in answers) == [200, 409]
    won = next(verb for verb, status in answers if status == 200)
    assert (len(facts(app, place)) == 1) is (won == "accept")


def test_of_two_proposals_at_once_one_stands(app, place, clock, zhang, lead):
    start = clock.now() + HOUR
    body = {
        "handset_id": str(place.handset), "to_post_id": str(place.second), "starts_at": to_rfc3339(start),
        "ends_at": to_rfc3339(start + DAY),
    }  # fmt: skip
    answers = []
    threads = [
        threading.Thread(target=lambda c=caller: answers.append(c.post(API, json=body).status_code))
        for caller in (zhang, lead)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == [201, 409]
