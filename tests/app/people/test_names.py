"""The words to show for an actor, and who holds a role."""

from __future__ import annotations

import datetime as dt
import uuid

from app.fleet import Agent, actor_names
from app.people import names_of, principal_of, user_of_employee, users_with
from app.people.model import Deputy, User

DAY = dt.timedelta(days=1)


def test_every_kind_of_actor_has_words(session, org, as_user):
    lead = str(as_user("lead", org.centre, name="吴建华").user_id)
    gone = str(uuid.uuid4())
    asked = [lead, gone, "system", "access-token", "agent:0192f0c4-aaaa", "cli:root", "张"]
    assert names_of(session, asked) == {
        lead: "吴建华", gone: gone, "system": "系统", "access-token": "应急令牌", "agent:0192f0c4-aaaa": "网关 4-aaaa",
        "cli:root": "命令行 root", "张": "张",
    }  # fmt: skip
    assert names_of(session, []) == {}


def test_holders_of_a_role_are_those_of_the_centre_and_of_the_company(session, org, clock, as_user):
    here = as_user("lead", org.centre, name="A").user_id
    company = as_user("lead", name="B").user_id
    as_user("lead", org.other_centre)
    as_user("admin")
    gone = as_user("lead", org.centre).user_id
    session.get(User, gone).active = False
    assert users_with(session, org.centre, "lead", at=clock.now()) == [here, company]
    assert users_with(session, org.centre, "lead", at=clock.now() - DAY) == []


def test_a_deputy_is_a_holder_only_of_what_the_absent_person_holds(session, org, clock, as_user):
    now = clock.now()
    absent, deputy = as_user("lead", org.centre).user_id, as_user("it", org.centre).user_id
    for role, centre in (("lead", org.centre), ("finance", org.centre), ("lead", org.other_centre)):
        values = {"user_id": absent, "deputy_id": deputy, "role": role, "centre_id": centre}
        session.add(Deputy(**values, valid_from=now, valid_to=now + DAY, created_by="x", created_at=now))
    session.flush()
    assert set(users_with(session, org.centre, "lead", at=now)) == {absent, deputy}
    assert users_with(session, org.centre, "finance", at=now) == []
    assert users_with(session, org.other_centre, "lead", at=now) == []


def test_an_employee_leads_to_his_user_and_back(session, org, clock, as_user):
    user_id = as_user("butler", org.centre, employee=org.zhang).user_id
    assert user_of_employee(session, org.zhang) == user_id
    assert user_of_employee(session, org.li) is None
    found = principal_of(session, user_id, clock.now())
    assert (found.employee, found.rights) == (org.zhang, {("butler", org.centre)})
    assert found.may(org.centre, "butler")
    assert not found.may(org.other_centre, "butler")


def test_a_gateway_is_called_by_the_name_that_it_enrolled_with(session, org, clock, as_user):
    lead = str(as_user("lead", org.centre, name="吴建华").user_id)
    stamp = {"centre_id": org.centre, "kind": "gateway", "version": "1", "enrolled_at": clock.now()}
    found = {}
    for name in ("一楼", "演示网关"):
        agent = Agent(name=name, ed25519=name.encode().ljust(32), x25519=bytes(32), **stamp)
        session.add(agent)
        session.flush()
        found[f"agent:{agent.id}"] = agent
    one, two = found
    told = actor_names(session, [lead, one, two, f"agent:{uuid.uuid4()}", "agent:x", "system"])
    assert [told[lead], told[one], told[two], told["system"]] == ["吴建华", "网关 一楼", "演示网关", "系统"]
    assert told["agent:x"] == "网关 x"
    assert actor_names(session, []) == {}
