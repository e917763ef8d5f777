"""With the rooms around: a handover's difference names who pays; a lost phone makes its passwords due."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from sqlalchemy import select

from app.escrow.model import Secret
from app.handover import correcting, differences_of, last_records
from app.hardware import differing, judging, reporting
from app.hardware.tools import Tools
from app.kernel.errors import Conflict, Invalid, NotFound
from app.papers import papers_about
from app.registry.model import Handset
from app.tasks import Task
from tests.app.handover import conftest as handover
from tests.app.handover.conftest import DAY

world = handover.world
quick_stretch = handover._quick_stretch


@pytest.fixture
def database_url(one_database):
    return one_database


@pytest.fixture
def tools(app):
    here = app.extensions["butler"]
    return Tools(here.policies, here.blobs, here.keys)


@pytest.fixture
def legs(world):
    """Zhang hands over with a cracked screen and without the charger; Li has collected the kit from the lead."""
    world.issued("zhang")
    world.clock.move(86_400)
    case = world.start("handover", world.org.li)
    cracked = {"Redmi 12C": (True, "cracked", "左上角")}
    world.done(world.leg(case), "zhang", "lead", 充电器=(False, "", "没有"), **cracked)
    world.clock.move(86_400)
    world.done(world.leg(case, 2), "lead", "li", 充电器=(False, "", "没有"), **cracked)
    second, first, _ = last_records(world.session, world.handset)
    return first.leg_id, second.leg_id


def given(world, leg_id, items, **values):
    return reporting.Report(
        world.handset, "damage", world.now, "交接时发现", leg_id=leg_id, items=tuple(items), **values
    )


def test_he_pays_in_whose_custody_it_came_about_not_who_has_it_now(world, legs, tools):
    changes = differing.liable_changes(world.session, world.who("lead"), legs[0], world.handset)
    assert {change.name for change in changes} == {"充电器", "Redmi 12C"}
    case = reporting.report(
        world.session, world.who("lead"), tools, given(world, legs[0], [c.key for c in changes]), world.now
    )
    assert case.employee_id == world.org.zhang
    assert "张三" in case.answers_why
    assert "交接差异" in case.answers_why
    assert {item["kind"] for item in case.items} == {"缺失", "变差"}
    assert case.leg_id == legs[0]
    told = {item["name"]: (item["before"], item["after"]) for item in case.items}
    assert told["Redmi 12C"][1] == "在，有裂痕（左上角）", "in the words of the handover, not in codes"
    assert told["充电器"] == ("在，完好", "不在（没有）")


def test_a_difference_is_reported_once_also_through_a_correction(world, legs, tools):
    session, lead = world.session, world.who("lead")
    keys = {c.name: c.key for c in differing.liable_changes(session, lead, legs[0], world.handset)}
    case = reporting.report(session, lead, tools, given(world, legs[0], [keys["Redmi 12C"]]), world.now)
    case.state, case.ended_at = "repaired", world.now
    session.flush()
    row = correcting.correct(session, lead, legs[0], reason="写错了颜色", now=world.now)
    assert differing.liable_changes(session, lead, row.id, world.handset) == [], "not signed yet"
    world.freeze(row)
    world.sign(row, "giver", "zhang")
    world.sign(row, "receiver", "lead")
    for leg_id in (legs[0], row.id):
        with pytest.raises(Conflict) as refused:
            reporting.report(session, lead, tools, given(world, leg_id, keys.values()), world.now)
        assert refused.value.code == "reported_before"
    other = reporting.report(session, lead, tools, given(world, row.id, [keys["充电器"]]), world.now)
    assert other.employee_id == world.org.zhang
    reporting.drop(session, lead, other.id, reason="找到了", now=world.now)
    again = reporting.report(session, lead, tools, given(world, legs[0], [keys["充电器"]]), world.now)
    assert again.employee_id == world.org.zhang


def test_the_paper_tells_what_the_handover_found(world, legs, tools):
    keys = [c.key for c in differing.liable_changes(world.session, world.who("lead"), legs[0], world.handset)]
    case = reporting.report(world.session, world.who("lead"), tools, given(world, legs[0], keys), world.now)
    reporting.state_view(
        world.session, world.who("zhang"), case.id, words="摔了", disputed=False, now=world.now
    )
    found = judging.Finding("human", "见交接差异", "repair")
    judging.judge(world.session, world.who("lead"), tools, case.id, found, world.now)
    (paper,) = papers_about(world.session, world.who("lead"), f"hardware_case:{case.id}")
    assert all(word in paper.document for word in ("交接差异", "有裂痕（左上角）", "充电器", "缺失", "张三"))


def test_what_the_lead_passed_on_as_he_got_it_blames_nobody(world, legs, tools):
    keys = [change.key for change in differences_of(world.session, world.who("lead"), legs[1])]
    with pytest.raises(Invalid):
        reporting.report(world.session, world.who("lead"), tools, given(world, legs[1], keys), world.now)


def test_what_became_of_the_posts_other_phone_is_a_case_of_its_own(world, monkeypatch, legs):
    told = differences_of(world.session, world.who("lead"), legs[0])
    (cracked,) = [change for change in told if change.key == f"handset:{world.handset}"]
    other = dataclasses.replace(cracked, key=f"handset:{world.org.post}")
    monkeypatch.setattr(differing, "differences_of", lambda *_: [*told, other])
    found = differing.liable_changes(world.session, world.who("lead"), legs[0], world.handset)
    assert {change.name for change in found} == {"充电器", "Redmi 12C"}
    assert other not in found


def test_another_phones_handover_says_nothing_of_this_one(world, legs, tools):
    stamp = {"created_at": world.now, "updated_at": world.now}
    other = Handset(
        centre_id=world.org.centre, asset_tag="GJ-9", serial="S9", brand="Redmi", model="12C", specification={},
        **stamp,
    )  # fmt: skip
    world.session.add(other)
    world.session.flush()
    keys = [change.key for change in differences_of(world.session, world.who("lead"), legs[0])]
    wrong = dataclasses.replace(given(world, legs[0], keys), handset_id=other.id)
    with pytest.raises(Invalid):
        reporting.report(world.session, world.who("lead"), tools, wrong, world.now)
    with pytest.raises(NotFound):
        differing.liable_changes(world.session, world.who("foreign"), legs[0], world.handset)


def test_a_lost_phone_makes_the_passwords_of_number_and_account_due(world, tools):
    world.issued("zhang")
    world.clock.move(DAY.total_seconds())
    lost = reporting.Report(world.handset, "loss", world.now, "丢了")
    reporting.report(world.session, world.who("zhang"), tools, lost, world.now)
    found = {row.kind: row.renew_cause for row in world.session.scalars(select(Secret))}
    assert found["service_password"] == found["wechat_password"] == "lost"
    due = set(world.session.scalars(select(Task.due_at).where(Task.kind == "lost_phone")))
    assert due == {world.now + dt.timedelta(hours=2)}
