"""A removal from the order to what a reading shows; every rail alone; words that lie, come late, or never."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import update

from app.commands import Command
from app.kernel.ids import new_id
from app.registry import release
from app.remedy.hook import tools
from app.remedy.model import RemedyCase
from app.remedy.ordering import cancel, order
from app.remedy.restoring import restore
from tests.app.remedy.rails_world import held
from tests.app.remedy.remedy_world import BAD, CLEAN, NAMES, ODD, OWNER, World, seen
from tests.support.agents import package, reading, with_sections


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_the_whole_way(world: World) -> None:
    world.to("told_butler")
    it = world.who("it")
    assert world.refused(order, it, reason="", accept_loss=True) == "invalid"
    assert world.refused(order, it, reason="不能装", accept_loss=False) == "invalid"
    assert world.refused(order, world.who("auditor"), reason="x", accept_loss=True) == "role_in_centre"
    world.order(it)
    assert (world.state, world.case().ordered_by, world.case().users) == ("ordered", "u-it", [0])
    [command] = world.offered(package(BAD))
    assert (command.kind, command.args) == (
        "remove_app",
        {
            "case": str(world.case().id), "package": BAD, "user": 0, "acts": ["uninstall", "disable", "suspend"],
            "system": False, "expect": {"android_id": CLEAN["identity"]["android_id"]},
        },
    )  # fmt: skip
    assert world.state == "removing"
    world.clock.move(60)
    assert world.gone() == []
    assert (world.state, world.case().acted_at) == ("checking", world.clock.now())
    assert "read_phone" in world.queued(), "what is true is read, not believed"
    world.run()
    assert world.state == "checking", "a word removes nothing from any list"
    world.clock.move(20)
    world.find()
    case = world.case()
    assert (case.state, case.outcome, case.ended_by) == ("removed", "uninstalled", "system")
    assert world.steps() == ["open", "fail", "tell", "order", "send", "word", "done", "verify"]
    assert world.trail() == ["order", "send", "word", "verify"]
    assert world.tasks() == []


def test_a_removal_that_lies_ends_as_a_task(world: World) -> None:
    """It says that the app is gone, and so does its look; the next reading still shows it."""
    world.to("checking")
    world.clock.move(20)
    world.find(package(BAD))
    case = world.case()
    assert (case.state, case.why) == ("task", "still_there")
    assert world.tasks() == [str(case.id)]
    assert "verify" not in world.steps()
    world.order()
    assert world.state == "ordered", "it may be tried again"


def test_a_word_that_its_own_look_speaks_against(world: World) -> None:
    world.to("removing")
    assert world.tell("succeeded", "uninstalled", seen(installed=True)) == []
    assert (world.state, world.case().why, world.case().outcome) == ("task", "unclear", "unknown")
    assert "read_phone" in world.queued()
    world.clock.move(20)
    world.find()
    assert world.state == "gone", "gone by a reading; nobody says that it was removed"


def test_a_reading_from_before_the_act_proves_nothing(world: World) -> None:
    world.to("checking")
    entry = with_sections(reading("S1", age_s=300.0), users=OWNER, **CLEAN) | {
        "unread": [{"section": "packages", "reason": "busy"}]
    }
    world.gateway.checkin(readings=[entry])
    world.run()
    assert world.state == "checking"
    world.run(hours=24.1)
    assert (world.state, world.case().why) == ("task", "not_read")


def test_what_did_not_remove_it_is_a_task(world: World) -> None:
    world.to("told_butler")
    for state, outcome, reason, why in (
        ("succeeded", "protected", "role_sms", "protected"),
        ("succeeded", "unchanged", "vendor_setting", "unchanged"),
        ("failed", "unknown", "dropped", "unclear"),
        ("refused", None, "bad_args", "refused"),
        ("expired", None, None, "expired"),
        ("succeeded", None, None, "unclear"),
    ):
        world.order()
        assert len(world.offered(package(BAD))) == 1
        assert world.tell(state, outcome, seen(), reason) == []
        case = world.case()
        assert (case.state, case.why) == ("task", why)
        assert world.tasks() == [str(case.id)]
        world.clock.move(3601)


def test_odd_details_are_unknown_and_raise_nothing(world: World) -> None:
    world.to("removing")
    assert world.tell("succeeded", "uninstalled", [1], reason=None, tried={"a": 1}) == []
    assert (world.state, world.case().outcome) == ("task", "unknown")


def test_put_off_it_waits_and_goes_again_to_the_same_gateway(world: World) -> None:
    world.to("removing")
    assert world.tell("not_now", reason="unreachable") == []
    assert world.state == "ordered"
    world.run()
    assert world.offered(package(BAD)) == [], "not before its time"
    world.clock.move(60)
    assert len(world.offered(package(BAD))) == 1
    assert (world.state, world.steps()[-2:]) == ("removing", ["postpone", "resend"])


def test_a_gateway_that_says_nothing_is_unclear_and_its_late_word_counts(world: World) -> None:
    world.to("removing")
    world.run(hours=0.6)
    assert (world.state, world.case().why) == ("task", "unclear")
    assert world.gone() == []
    assert world.state == "checking"
    world.clock.move(20)
    world.find()
    assert world.state == "removed"


def test_a_word_after_the_queue_gave_up(world: World) -> None:
    world.to("removing")
    known = world.case().command_id
    world.run(hours=4.2)
    assert (world.state, world.case().why) == ("task", "no_answer")
    assert world.command().state == "expired"
    assert world.tell("succeeded", "uninstalled", seen(installed=False), command_id=known) == []
    assert world.state == "checking"
    assert "late_word" in world.steps()
    again = world.tell("succeeded", "uninstalled", seen(installed=False), command_id=known)
    assert [one["code"] for one in again] == ["command_finished"], "once"


def test_an_order_that_nobody_fetches(world: World) -> None:
    world.to("ordered")
    world.run(hours=4.01)
    assert (world.state, world.case().why) == ("task", "expired")
    assert world.offered(package(BAD)) == []


def test_taken_back_while_it_waits_and_not_later(world: World) -> None:
    world.to("ordered")
    assert world.refused(cancel, reason="") == "invalid"
    world.act(cancel, reason="搞错了")
    assert (world.state, world.case().why, world.command().state) == ("task", "cancelled", "cancelled")
    assert world.offered(package(BAD)) == []
    world.order()
    assert len(world.offered(package(BAD))) == 1
    assert world.refused(cancel, reason="搞错了") == "command_at_agent"
    assert world.refused(order, reason="x", accept_loss=True) == "remedy_state"


def test_gone_before_the_order_left(world: World) -> None:
    world.to("ordered")
    world.find()
    assert (world.state, world.command().state, "send" in world.steps()) == ("gone", "failed", False)


def test_allowed_before_the_order_left(world: World) -> None:
    world.to("ordered")
    world.layer(
        "allowlist",
        {"apps": {**NAMES, "抖音": {"package": BAD, "required": False}}, "forbidden": {BAD: None}},
    )
    world.run()
    assert (world.state, world.command().state) == ("gone", "cancelled")


def test_the_command_is_cancelled_by_hand_on_its_own_page(world: World, client: Any) -> None:
    world.to("ordered")
    answer = client.post(f"/api/v1/commands/{world.case().command_id}/cancel", json={"reason": "误排"})
    assert answer.status_code == 200, answer.text
    assert (world.state, world.case().why) == ("task", "cancelled")


def test_every_user_that_has_it_one_after_the_other(world: World) -> None:
    both = [package(BAD), package(BAD, user=999)]
    users = [*OWNER, {"id": 999, "name": "双开", "running": True}]
    world.find(*both, users=users)
    world.order()
    assert world.case().users == [0, 999]
    [first] = world.offered(*both, users=users)
    assert first.args["user"] == 0
    world.gone()
    second = world.command()
    assert (world.state, second.args["user"], str(second.id) != first.id) == ("removing", 999, True)
    assert world.steps()[-2:] == ["next", "send"], "it leaves with the answer to the first one's word"
    world.gone()
    world.clock.move(20)
    world.find()
    assert world.state == "removed"


def test_a_disabled_app_can_be_brought_back(world: World) -> None:
    world.to("removing")
    world.tell("succeeded", "disabled", seen(enabled=3))
    world.clock.move(20)
    off = package(BAD, enabled=False)
    world.find(off)
    assert (world.state, world.case().outcome) == ("removed", "disabled")
    assert world.refused(restore, reason=" ") == "invalid"
    world.act(restore, reason="例外已批准")
    [command] = world.offered(off)
    assert (command.kind, command.args["package"], command.args["user"]) == ("restore_app", BAD, 0)
    world.tell("succeeded", "restored", seen())
    assert world.state == "restored"
    world.clock.move(20)
    world.find(package(BAD))
    assert [case.state for case in world.all()] == ["restored", "told_butler"], "the list still decides"


def test_nothing_is_brought_back_on_a_phone_that_is_not_to_be_touched(world: World) -> None:
    """Looked at when it is ordered, and again as the order leaves."""
    world.to("removing")
    world.tell("succeeded", "disabled", seen(enabled=3))
    world.clock.move(20)
    off = package(BAD, enabled=False)
    world.find(off)
    with world.writing() as session:
        held(world, session)
    assert world.refused(restore, reason="要用") == "blocked"
    assert world.state == "removed"
    with world.writing() as session:
        release(session, "test:1", world.clock.now())
    world.act(restore, reason="要用")
    with world.writing() as session:
        held(world, session)
    assert world.offered(off) == []
    assert (world.state, world.steps()[-1]) == ("removed", "keep")


@pytest.mark.parametrize(
    ("state", "outcome", "after"), [("succeeded", "restored", seen(enabled=3)), ("failed", "unknown", None)]
)
def test_what_was_not_brought_back_stays_removed(world: World, state: str, outcome: str, after: Any) -> None:
    world.to("removing")
    world.tell("succeeded", "suspended", seen(suspended=True))
    world.clock.move(20)
    world.find(package(BAD, suspended=True))
    world.act(restore, reason="要用")
    world.offered(package(BAD, suspended=True))
    world.tell(state, outcome, after)
    assert (world.state, world.steps()[-1]) == ("removed", "keep")


def test_what_was_uninstalled_is_not_brought_back(world: World) -> None:
    world.to("checking")
    world.clock.move(20)
    world.find()
    assert world.refused(restore, reason="要用") == "remedy_state"


def test_a_wrong_order_in_the_queue_is_not_sent(world: World) -> None:
    world.to("ordered")
    with world.writing() as session:
        command = session.get_one(Command, world.case().command_id)
        command.args = {**command.args, "package": "com.tencent.mm"}
    assert world.offered(package(BAD)) == []
    assert (world.state, world.case().why) == ("task", "not_sent")


def test_an_order_of_an_older_day_is_not_sent(world: World) -> None:
    world.to("ordered")
    with world.writing() as session:
        session.execute(update(RemedyCase).values(ordered_at=world.clock.now() - dt.timedelta(days=3)))
    assert world.offered(package(BAD)) == []
    assert (world.state, world.case().why) == ("task", "not_sent")


def test_an_order_without_its_case_is_not_sent(world: World) -> None:
    world.to("ordered")
    with world.writing() as session:
        session.execute(update(RemedyCase).values(command_id=None))
    assert world.offered(package(BAD)) == []


def test_an_agent_on_the_phone_itself_never_gets_it(world: World, enroller: Any) -> None:
    world.to("ordered")
    own = enroller.self_agent("S1")
    answer = own.checkin(readings=[reading("S1", grade="self")])
    assert "remove_app" not in {c.kind for c in own.commands(answer)}
    assert world.state == "ordered"


@pytest.mark.parametrize("system", [True, None])
def test_a_system_app_only_by_explicit_policy(world: World, system: Any) -> None:
    world.find(package(BAD, system=system))
    assert "system_app" in world.look()
    world.layer("remedy", {"system_packages": [BAD], "ladder_hours": {"critical": {"lead": 4, "act": 24}}})
    assert world.look() == []
    world.order()
    [command] = world.offered(package(BAD, system=system))
    assert command.args["system"] is True


def test_a_work_app_is_never_removed_by_an_order(world: World) -> None:
    """Prescribed and forbidden at once: what it holds is work, and a person decides."""
    world.layer("allowlist", {"apps": {"抖音": {"package": BAD, "required": False}}})
    world.find(package(BAD))
    assert world.look() == ["protected_by_policy"]


def test_one_order_for_one_app_at_a_time(world: World) -> None:
    """The same app by two findings: the second waits until the first is settled."""
    world.to("ordered")
    with world.writing() as session:
        first = session.get_one(RemedyCase, world.case().id)
        values = {c.key: getattr(first, c.key) for c in RemedyCase.__table__.columns}
        values |= {"id": new_id(), "code": "app_not_prescribed", "state": "told_butler", "command_id": None}
        session.add(RemedyCase(**values))
    twin = next(case for case in world.all() if case.code == "app_not_prescribed")
    with world.writing() as session, pytest.raises(Exception, match="现在不能移除"):
        order(
            session, world.who("lead"), tools(), twin.id, reason="x", accept_loss=True, now=world.clock.now()
        )


def test_a_release_of_what_policy_removes_by_itself(world: World) -> None:
    ladder = {"ladder_hours": {"critical": {"lead": 4, "act": 24}}}
    world.layer("remedy", {"automatic": ["app_forbidden"], **ladder})
    world.to("told_butler")
    world.run(hours=4.1)
    world.run(hours=19.5)
    world.find(package(BAD))
    assert world.state == "told_lead"
    world.run(hours=0.6)
    case = world.case()
    assert (case.state, case.ordered_by, case.orders) == ("ordered", "system", 1)
    assert world.trail() == ["order"]


def test_what_policy_would_remove_and_may_not_is_a_task(world: World) -> None:
    ladder = {"ladder_hours": {"critical": {"lead": 4, "act": 24}}}
    world.layer("remedy", {"automatic": ["app_forbidden"], **ladder})
    world.to("told_butler")
    with world.writing() as session:
        held(world, session)
    world.run(hours=4.1)
    world.run(hours=24)
    world.run()
    assert (world.state, world.case().why, "remove_app" in world.queued()) == ("task", "blocked", False)


def test_nothing_of_grace_is_ordered(world: World) -> None:
    world.find(package(ODD))
    assert world.case(ODD).state == "early"
    with world.writing() as session, pytest.raises(Exception, match="不能下令移除"):
        order(
            session, world.who("lead"), tools(), world.case(ODD).id, reason="x", accept_loss=True,
            now=world.clock.now(),
        )  # fmt: skip
