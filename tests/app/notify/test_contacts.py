from __future__ import annotations

import pytest
from sqlalchemy import select

from app.audit.model import AuditRow
from app.kernel.db import db
from app.notify.contacts import addresses
from app.registry import KitAssignment, Number, PostHolding
from tests.app.notify.conftest import NOW

OWN = "/api/v1/my/contact"


def put(caller, path, version=0, status=200, **body):
    answer = caller.put(path, json=body, headers={"If-Match": f'"v{version}"'})
    assert answer.status_code == status, answer.json
    return answer


def test_a_person_writes_down_his_own(app, org, as_user):
    zhang = as_user("butler", org.centre, employee=org.zhang)
    assert zhang.get(OWN).json == {"mail": None, "mobile": None}
    tag = put(zhang, OWN, mail="zhang@example.cn", mobile="138 0013 8000").headers["ETag"]
    assert tag == '"v1"'
    assert zhang.get(OWN).json == {"mail": "zhang@example.cn", "mobile": "+8613800138000"}
    put(zhang, OWN, 0, 412, mail="")
    put(zhang, OWN, 1, mail="")
    with app.app_context():
        found = addresses(db.session, None, org.zhang, NOW)
        assert (found.mail, found.mobile) == (None, None)
        trail = db.session.scalars(select(AuditRow.details).where(AuditRow.action == "contact.put")).all()
    assert "zhang@" not in str(trail)
    assert "13800138000" not in str(trail)


@pytest.mark.parametrize(
    ("mail", "mobile", "field"),
    [
        ("x", "", "mail"),
        ("a@b.cn\nBcc: c@d.cn", "", "mail"),
        ("张@例子.cn", "", "mail"),
        ("", "12", "mobile"),
    ],
)
def test_what_is_no_address_is_refused(org, as_user, mail, mobile, field):
    zhang = as_user("butler", org.centre, employee=org.zhang)
    answer = put(zhang, OWN, 0, 422, mail=mail, mobile=mobile)
    assert [problem["field"] for problem in answer.json["errors"]] == [field]


def test_the_desk_keeps_those_of_its_own_centre(org, as_user, client):
    path = f"/api/v1/employees/{org.zhang}/contact"
    lead = as_user("lead", org.centre)
    put(lead, path, mail="z@example.cn")
    put(as_user("lead", org.other_centre), path, 1, 404, mail="x@example.cn")
    put(as_user("it", org.centre), path, 1, 403, mail="x@example.cn")
    mixed = as_user("lead", org.other_centre, rights=[("auditor", org.centre)])
    put(mixed, path, 1, 404, mail="x@example.cn")
    # The same person, once he signs in, finds and changes what the desk wrote down.
    zhang = as_user("butler", org.centre, employee=org.zhang)
    assert zhang.get(OWN).json["mail"] == "z@example.cn"
    put(zhang, OWN, 1, mail="own@example.cn")
    assert lead.get(path).json["mail"] == "own@example.cn"
    put(client, OWN, 0, 409, mail="x@example.cn")  # the access token is no person


def test_without_a_number_of_his_own_he_is_reached_at_his_posts(session, org):
    stamp = {"created_at": NOW, "updated_at": NOW}
    number = Number(centre_id=org.centre, e164="+8613800000001", **stamp)
    session.add(number)
    session.flush()
    tie = {"centre_id": org.centre, "post_id": org.post, "valid_from": NOW, **stamp}
    session.add_all([KitAssignment(number_id=number.id, **tie), PostHolding(employee_id=org.zhang, **tie)])
    session.flush()
    found = addresses(session, None, org.zhang, NOW)
    assert (found.mobile, found.work) == ("+8613800000001", True)
    assert addresses(session, None, org.li, NOW).mobile is None


def test_pages(org, as_user):
    lead = as_user("lead", org.centre)
    page = lead.get("/notify/contacts?show=missing").text
    assert "张三" in page
    assert lead.get(f"/notify/contacts/{org.zhang}").status_code == 200
    form = {"mail": "z@example.cn", "mobile": "13800138000", "_version": "0"}
    assert lead.post(f"/notify/contacts/{org.zhang}", data=form).status_code == 303
    page = lead.get("/notify/contacts").text
    assert "z***@example.cn" in page
    assert "13800138000" not in page
    assert "张三" not in lead.get("/notify/contacts?show=missing").text
    assert lead.post(f"/notify/contacts/{org.zhang}", data=form).status_code == 412
    own = lead.post("/my/contact", data={"mail": "bad", "mobile": "", "_version": "0"})
    assert (own.status_code, "不是有效的邮箱地址" in own.text) == (422, True)
    assert lead.post("/my/contact", data={"mail": "l@example.cn", "_version": "0"}).status_code == 303
    foreign = as_user("lead", org.other_centre)
    assert foreign.get(f"/notify/contacts/{org.zhang}").status_code == 404
