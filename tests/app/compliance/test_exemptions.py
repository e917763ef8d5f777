"""Exemptions over the API: who asks, who decides, what it comes to, who is told."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from types import SimpleNamespace

import orjson
import pytest
from sqlalchemy import select, update

from app.audit import AuditRow
from app.compliance.exemption_jobs import JOBS
from app.compliance.exemption_model import ComplianceExemption
from app.compliance.exemption_service import max_days
from app.compliance.model import ComplianceVerdict
from app.kernel.clock import to_rfc3339
from app.kernel.db import begin_write, db
from app.notify.model import Notice, NoticeCopy
from app.registry import KitAssignment, PostHolding
from app.registry.model import Handset
from app.scheduler import run_job
from app.tasks.model import Task
from tests.app.conftest import ON_SQLITE, START
from tests.app.uptime.support import add_handset

API = "/api/v1/compliance/exemptions"
DAY = dt.timedelta(days=1)
BAD = "com.ss.android.ugc.aweme"


@pytest.fixture
def place(app, org):
    """Phone S1 at the post that Zhang holds, and S9 of the other centre, each with a verdict."""
    phone, other = add_handset(app, org.centre, "S1"), add_handset(app, org.other_centre, "S9")
    since, stamp = START - 90 * DAY, {"created_at": START, "updated_at": START}
    with app.app_context():
        session = begin_write(db.session())
        here = {"centre_id": org.centre, "post_id": org.post, "valid_from": since, **stamp}
        session.add(KitAssignment(handset_id=phone, **here))
        session.add(PostHolding(employee_id=org.zhang, **here))
        for handset, centre in ((phone, org.centre), (other, org.other_centre)):
            sha = {"policy_sha256": "0" * 64, "inputs_sha256": "0" * 64, "policy_version": 1}
            session.add(
                ComplianceVerdict(
                    handset_id=handset, centre_id=centre, status="unknown", findings="[]", judged_at=START,
                    changed_at=START, due_at=START + 90 * DAY, **sha,
                )
            )  # fmt: skip
        session.commit()
        db.session.remove()
    return SimpleNamespace(org=org, phone=phone, other=other)


@pytest.fixture
def it(as_user, place):
    return as_user("it", place.org.centre, name="IT")


@pytest.fixture
def lead(as_user, place):
    return as_user("lead", place.org.centre, name="主管")


@pytest.fixture
def operations(as_user, place):
    return as_user("operations", place.org.centre, name="运营")


@pytest.fixture
def ask(place, clock):
    def asked(caller, status=201, days=30, **changes):
        body = {
            "handset_id": str(place.phone), "code": "app_forbidden", "subject": BAD, "reason": "拍培训视频",
            "valid_to": to_rfc3339(clock.now() + days * DAY), **changes,
        }  # fmt: skip
        answer = caller.post(API, json=body)
        assert answer.status_code == status, answer.json
        return answer.json

    return asked


def whole(place):
    return {"handset_id": None, "centre_id": str(place.org.centre)}


def act(caller, row, verb, status=200, note=None):
    kwargs = {} if verb == "withdraw" else {"json": {} if note is None else {"note": note}}
    answer = caller.post(f"{API}/{row['id']}/{verb}", **kwargs)
    assert answer.status_code == status, answer.json
    return answer.json


def due(app, *phones):
    with app.app_context():
        query = select(ComplianceVerdict.handset_id).where(ComplianceVerdict.due_at <= START)
        return [phone in set(db.session.scalars(query)) for phone in phones]


def tasks(app, state="open"):
    with app.app_context():
        query = select(Task.title, Task.roles).where(Task.state == state, Task.kind == "exemption")
        return [tuple(row) for row in db.session.execute(query.order_by(Task.id))]


def told(app, *, user=None, employee=None):
    with app.app_context():
        query = select(Notice.title, Notice.link).join(NoticeCopy, NoticeCopy.notice_id == Notice.id)
        query = query.where(NoticeCopy.user_id == user if user else NoticeCopy.employee_id == employee)
        return [tuple(row) for row in db.session.execute(query.order_by(Notice.id))]


def test_what_one_asks_another_approves_and_then_it_holds(app, place, it, lead, ask, clock):
    row = ask(it)
    assert (row["state"], row["valid_from"], row["decided_by"]) == ("requested", None, None)
    assert due(app, place.phone) == [False]
    assert tasks(app) == [("批准应用例外：GJ-S1", "|lead|operations|")]
    assert told(app, user=lead.user_id) == [("批准应用例外：GJ-S1", f"/compliance/exemptions/{row['id']}")]
    clock.move(60)
    done = act(lead, row, "approve", note="可以")
    assert (done["state"], done["decision"], done["version"]) == ("approved", "可以", 2)
    assert done["valid_from"] == to_rfc3339(clock.now())
    assert done["valid_to"] == row["valid_to"]
    assert due(app, place.phone, place.other) == [True, False]
    assert tasks(app) == []
    assert told(app, user=it.user_id) == [("例外已批准：GJ-S1", f"/compliance/exemptions/{row['id']}")]
    assert told(app, employee=place.org.zhang) == [("例外已批准：GJ-S1", "/my")]
    with app.app_context():
        query = select(AuditRow.action, AuditRow.object).order_by(AuditRow.seq)
        noted = [tuple(r) for r in db.session.execute(query) if r.action.startswith("exemption")]
    assert noted == [(f"exemption.{verb}", f"exemption:{row['id']}") for verb in ("ask", "approve")]


@ON_SQLITE
def test_an_app_is_named_to_who_decides(app, place, it, ask):
    finding = {"code": "app_forbidden", "subject": BAD, "evidence": {"label": "抖音"}}
    with app.app_context():
        session = begin_write(db.session())
        text = orjson.dumps([finding]).decode()
        session.execute(
            update(ComplianceVerdict).where(ComplianceVerdict.handset_id == place.phone).values(findings=text)
        )
        session.commit()
    ask(it)
    with app.app_context():
        body = db.session.scalars(select(Task.body).where(Task.kind == "exemption")).one()
    assert body.startswith(f"禁止的应用（抖音，{BAD}），到 ")


@ON_SQLITE
def test_who_asked_cannot_approve_nor_who_has_the_phone_nor_the_token(place, as_user, lead, ask, client):
    row = ask(lead)
    assert act(lead, row, "approve", 403)["code"] == "second_person"
    custodian = as_user("lead", place.org.centre, employee=place.org.zhang)
    assert act(custodian, row, "approve", 403)["code"] == "second_person"
    assert act(custodian, row, "decline", 403, note="x")["code"] == "second_person"
    assert act(client, row, "approve", 403)["code"] == "second_person"
    assert act(as_user("lead", place.org.centre), row, "approve")["state"] == "approved"


def test_a_whole_centre_is_for_operations_and_judges_all_its_phones_again(
    app, place, as_user, it, lead, operations, ask
):
    row = ask(it, **whole(place))
    assert tasks(app) == [("批准应用例外：锦绣花园全部手机", "|operations|")]
    assert act(lead, row, "approve", 403)["code"] == "role_in_centre"
    holder = as_user("operations", place.org.centre, employee=place.org.zhang)
    assert act(holder, row, "approve", 403)["code"] == "second_person"
    assert act(operations, row, "approve")["handset_id"] is None
    assert due(app, place.phone, place.other) == [True, False]


@pytest.mark.parametrize("role", ["butler", "finance", "auditor"])
@ON_SQLITE
def test_others_neither_ask_nor_decide(place, as_user, it, ask, role):
    row = ask(it)
    other = as_user(role, place.org.centre)
    ask(other, status=403, subject="com.other")
    for verb, note in (("approve", None), ("decline", "x"), ("withdraw", None), ("end", "x")):
        act(other, row, verb, 403, note)


@ON_SQLITE
def test_it_asks_but_does_not_decide_and_another_centre_sees_nothing(place, as_user, it, lead, ask):
    row = ask(lead)
    act(it, row, "approve", 403)
    stranger = as_user("lead", place.org.other_centre)
    act(stranger, row, "approve", 404)
    assert stranger.get(f"{API}/{row['id']}").status_code == 404
    assert stranger.get(API).json["items"] == []
    ask(stranger, status=404)
    ask(stranger, status=404, **whole(place))
    elsewhere = as_user("butler", place.org.centre, rights=[("lead", place.org.other_centre)])
    act(elsewhere, row, "approve", 404)


@ON_SQLITE
def test_a_decline_says_why_and_a_withdrawal_is_the_askers_or_an_approvers(
    app, place, it, lead, as_user, ask
):
    row = ask(it)
    act(lead, row, "decline", 422)
    assert act(lead, row, "decline", note="请卸载")["decision"] == "请卸载"
    assert told(app, user=it.user_id)[0][0] == "例外未批准：GJ-S1"
    assert told(app, employee=place.org.zhang) == []
    assert due(app, place.phone) == [False]
    second = ask(it)
    act(as_user("it", place.org.centre), second, "withdraw", 403)
    assert act(it, second, "withdraw")["state"] == "withdrawn"
    third = ask(it)
    assert act(lead, third, "withdraw")["state"] == "withdrawn"
    assert tasks(app) == []
    act(lead, third, "approve", 409)


@ON_SQLITE
def test_one_like_it_waits_or_lasts_as_long(it, lead, ask):
    row = ask(it)
    assert ask(lead, status=409)["code"] == "exemption_waits"
    ask(lead, subject="com.other")
    act(lead, row, "approve")
    assert ask(it, status=409, days=30)["code"] == "exemption_lasts"
    longer = ask(it, days=31)
    assert act(lead, longer, "approve")["state"] == "approved"


@ON_SQLITE
def test_what_is_wrong_is_said_at_its_field(place, it, ask, app):
    def wrong(**changes):
        return [(e["field"], e["code"]) for e in ask(it, status=422, **changes)["errors"]]

    with app.app_context():
        days = max_days(db.session, app.extensions["butler"].policies, place.org.centre)
    ask(it, days=days)
    assert wrong(days=days + 1) == [("valid_to", "too_long")]
    assert wrong(days=0) == [("valid_to", "past")]
    assert wrong(code="rooted", subject="", **whole(place)) == [("code", "phone_only")]
    assert wrong(reason="   ") == [("reason", "required")]
    ask(it, status=422, code="packages_not_read")
    ask(it, status=422, subject="a\0b")
    ask(it, status=422, centre_id=str(place.org.other_centre))
    ask(it, status=404, handset_id=str(uuid.uuid4()))
    ask(it, status=404, handset_id=None)


@ON_SQLITE
def test_ended_early_by_one_person_with_a_reason(app, place, it, lead, ask, clock):
    row = ask(it)
    act(lead, row, "end", 409, note="x")
    act(lead, row, "approve")
    act(lead, row, "end", 422, note=" ")
    clock.move(3600)
    done = act(it, row, "end", note="已卸载")
    assert (done["state"], done["end_reason"], done["ended_at"]) == (
        "ended",
        "已卸载",
        to_rfc3339(clock.now()),
    )
    assert done["valid_to"] == row["valid_to"]
    assert told(app, employee=place.org.zhang)[-1] == ("例外已结束：GJ-S1", "/my")
    act(lead, row, "end", 409, note="x")


def test_time_ends_what_holds_and_lapses_what_nobody_decided(app, place, it, lead, ask, clock):
    held, waiting = ask(it), ask(it, subject="com.other")
    act(lead, held, "approve")
    clock.move(29 * 86_400)
    assert run_job(app, JOBS[0]) == 0
    clock.move(86_400)
    act(lead, waiting, "approve", 409)
    assert run_job(app, JOBS[0]) == 2
    states = {r["id"]: (r["state"], r["ended_by"]) for r in it.get(API).json["items"]}
    assert states == {held["id"]: ("ended", "system"), waiting["id"]: ("lapsed", "system")}
    assert tasks(app) == []
    assert run_job(app, JOBS[0]) == 0
    titles = [title for title, _ in told(app, user=it.user_id)]
    assert sorted(titles[1:]) == ["例外已结束：GJ-S1", "例外申请过期未批：GJ-S1"]


@pytest.mark.parametrize("gone", [{"retired_at": START}, {"centre_id": None}])
def test_a_phone_that_leaves_its_centre_leaves_its_exemption(app, place, it, lead, ask, gone):
    row, waiting = ask(it), ask(it, subject="com.other")
    act(lead, row, "approve")
    values = gone if "retired_at" in gone else {"centre_id": place.org.other_centre}
    with app.app_context():
        session = begin_write(db.session())
        session.execute(update(Handset).where(Handset.id == place.phone).values(**values))
        session.commit()
    assert run_job(app, JOBS[0]) == 2
    states = {r["id"]: (r["state"], r["end_reason"]) for r in it.get(API).json["items"]}
    assert states[row["id"]] == ("ended", "手机已调离或停用")
    assert states[waiting["id"]][0] == "lapsed"


def test_of_two_decisions_at_once_one_holds(app, place, as_user, it, lead, ask):
    row, other, answers = ask(it), as_user("operations", place.org.centre), []

    def press(caller, verb):
        answer = caller.post(f"{API}/{row['id']}/{verb}", json={"note": "决定"})
        answers.append((verb, answer.status_code))

    threads = [threading.Thread(target=press, args=pair) for pair in ((lead, "approve"), (other, "decline"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(status for _, status in answers) == [200, 409]
    won = next(verb for verb, status in answers if status == 200)
    with app.app_context():
        (kept,) = db.session.scalars(select(ComplianceExemption)).all()
        assert (kept.state, kept.version) == ({"approve": "approved", "decline": "declined"}[won], 2)


def test_of_two_like_requests_at_once_one_is_written(place, it, lead, clock):
    body = {
        "handset_id": str(place.phone), "code": "no_screen_lock", "reason": "屏幕坏了",
        "valid_to": to_rfc3339(clock.now() + DAY),
    }  # fmt: skip
    answers = []
    threads = [
        threading.Thread(target=lambda c=caller: answers.append(c.post(API, json=body).status_code))
        for caller in (it, lead)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == [201, 409]


def test_lists_by_state_phone_and_code(place, it, lead, ask):
    first, second = ask(it), ask(it, code="no_screen_lock", subject="")
    act(lead, first, "approve")

    def ids(**query):
        return [r["id"] for r in it.get(API, query_string=query).json["items"]]

    assert ids() == [second["id"], first["id"]]
    assert ids(state="approved") == ids(code="app_forbidden") == [first["id"]]
    assert ids(handset_id=str(place.other)) == []
    assert len(ids(handset_id=str(place.phone), centre_id=str(place.org.centre))) == 2
    for bad in ({"state": "open"}, {"code": "x"}, {"what": "1"}):
        assert it.get(API, query_string=bad).status_code == 422


def test_who_asked_is_reminded_once_before_the_end_and_never_of_a_short_one(app, it, lead, ask, clock):
    long, short = ask(it, days=30), ask(it, days=5, subject="com.short")
    for row in (long, short):
        act(lead, row, "approve")
    for days, reminded in ((0, 0), (4, 0), (18, 0), (1, 1), (1, 0)):
        clock.move(days * 86_400)
        assert run_job(app, JOBS[1]) == reminded, days
    assert told(app, user=it.user_id)[-1] == ("例外快到期：GJ-S1", f"/compliance/exemptions/{long['id']}")


def test_a_phones_life_tells_of_its_exemptions(place, it, lead, ask):
    held = ask(it)
    ask(it, **whole(place))
    act(lead, held, "approve")
    items = lead.get(f"/history/handset/{place.phone}").text
    assert "例外：禁止的应用，生效中" in items
    assert "IT申请，主管决定" in items
    assert items.count("例外：") == 1
