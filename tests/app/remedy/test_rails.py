"""Each rail alone, as the removal is ordered and in the moment in which it would leave."""

from __future__ import annotations

import uuid

import pytest

from app.commands import Command, lease
from app.kernel.errors import Conflict
from app.readings import AgentRef
from app.registry import Handset, HandsetRef
from app.remedy import store
from app.remedy.hook import RemedyHook, tools
from app.remedy.ordering import order
from app.remedy.rails import Look
from tests.app.remedy.rails_world import RAILS
from tests.app.remedy.remedy_world import BAD, NAMES, ODD, World
from tests.support.agents import package


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_each_alone_keeps_it_from_being_ordered(world: World) -> None:
    world.to("told_butler")
    assert (world.look(), world.look(Look.SHOW)) == ([], [])
    case_id, now = world.case_id(), world.clock.now()
    for code, bring_about in RAILS:
        with world.writing() as session:
            bring_about(world, session)
            session.flush()
            with pytest.raises(Conflict) as told:
                order(session, world.who("lead"), tools(), case_id, reason="x", accept_loss=True, now=now)
            found = [problem.field for problem in told.value.fields]
            # A new policy is one that no verdict was made by, and a phone that left is of another centre's list.
            assert (told.value.code, code in found) == ("blocked", True), (code, found)
            assert set(found) <= {code, "stale_verdict", "not_failing"}, found
            session.rollback()
    assert world.state == "told_butler"


def test_each_alone_keeps_an_order_from_leaving(world: World) -> None:
    """What came between the order and the moment in which it would leave."""
    world.to("ordered")
    agent = AgentRef(uuid.UUID(world.gateway.agent_id), world.org.centre, "gateway")
    phone = HandsetRef(world.phone, world.org.centre, "S1", (), False)
    for code, bring_about in [*RAILS, ("", lambda *_: None)]:
        with world.writing() as session:
            bring_about(world, session)
            session.flush()
            now = world.clock.now()
            [leased] = lease(session, agent, [world.phone], now, 1, danger=True)
            sent = RemedyHook().seal(session, None, leased, phone, agent, now)  # type: ignore[arg-type]
            case = store.by_id(session, parse(leased.args["case"]))
            assert case is not None
            state = session.get_one(Command, leased.id, populate_existing=True).state
            if code:
                assert (sent, case.state, case.why, state) == (None, "task", "not_sent", "failed"), code
            else:
                assert (sent, case.state, state) == ({}, "removing", "leased")
            session.rollback()
    assert world.state == "ordered"


def parse(text: str) -> uuid.UUID:
    return uuid.UUID(text)


def test_an_agent_of_elsewhere_or_for_another_phone(world: World) -> None:
    world.to("ordered")
    own = uuid.UUID(world.gateway.agent_id)
    agent = AgentRef(own, world.org.centre, "gateway")
    phone = HandsetRef(world.phone, world.org.centre, "S1", (), False)
    for who, which in (
        (AgentRef(own, world.org.other_centre, "gateway"), phone),
        (AgentRef(own, world.org.centre, "self"), phone),
        (agent, HandsetRef(world.phones["S2"], world.org.centre, "S2", (), False)),
    ):
        with world.writing() as session:
            now = world.clock.now()
            [leased] = lease(session, agent, [world.phone], now, 1, danger=True)
            assert RemedyHook().seal(session, None, leased, which, who, now) is None  # type: ignore[arg-type]
            session.rollback()
    assert BAD in world.case().subject


def blocked(world: World, subject: str) -> set[str]:
    case_id, who, now = world.case_id(subject), world.who("operations"), world.clock.now()
    with world.writing() as session, pytest.raises(Conflict) as told:
        order(session, who, tools(), case_id, reason="x", accept_loss=True, now=now)
    return {problem.field for problem in told.value.fields}


def test_no_centre_has_wechat_removed(world: World) -> None:
    """Its chats are the company's: what the company never removes a layer can add to, and not take away."""
    world.layer("allowlist", {"apps": NAMES | {"微信": None}, "forbidden": {"com.tencent.mm": "微信"}})
    world.layer("remedy", {"never": [], "system_packages": ["com.tencent.mm"]})
    world.find()
    assert world.case("com.tencent.mm").code == "app_forbidden"
    assert blocked(world, "com.tencent.mm") == {"protected_by_policy"}


def test_a_work_app_of_the_model_however_the_register_spells_the_brand(world: World) -> None:
    patch = {"apps": {"门禁": {"package": ODD, "required": True}}}
    world.layer(
        "allowlist", {"apps": NAMES, "models": {"xiaomi": patch}, "severity": {"app_sideloaded": "critical"}}
    )
    with world.writing() as session:
        session.get_one(Handset, world.phone).brand = "小米"
    world.find(package(ODD, installer="com.android.shell"))
    assert world.case(ODD).code == "app_sideloaded"
    assert blocked(world, ODD) == {"protected_by_policy"}
