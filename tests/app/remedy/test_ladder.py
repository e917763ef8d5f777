"""From a finding to the butler, to the lead, to a task; and back when it is gone, exempt, or unseen."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from app.compliance import FINDING_TITLES
from app.registry import Handset, PostHolding
from app.remedy.dismissing import dismiss
from app.remedy.hook import tools
from app.remedy.instructions import FOR_IT, steps_for
from app.remedy.timing import sweep
from tests.app.remedy.remedy_world import BAD, CLEAN, NAMES, ODD, OWNER, WORK, World
from tests.support.agents import package, reading, with_sections


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_first_the_butler_then_the_lead_then_a_task(world: World, as_user: Any) -> None:
    as_user("lead", world.org.centre)
    world.find(package(BAD))
    case = world.case()
    assert (case.state, case.severity, case.package) == ("told_butler", "critical", BAD)
    [(title, body, who)] = world.notices()
    assert "GJ-0000" in title
    assert BAD not in title, "a title may leave by SMS"
    assert who == {world.org.zhang}
    assert "抖音" in body
    world.run(hours=3.9)
    assert (world.state, len(world.notices())) == ("told_butler", 1)
    world.run(hours=0.2)
    assert world.state == "told_lead"
    title, body, who = world.notices()[1]
    assert "1 台管家手机有 1 项" in title
    assert BAD not in title + body, "the lead follows the link"
    assert who == {None}, "a user, no employee"
    world.run(hours=19.8)
    assert (world.state, world.tasks()) == ("told_lead", [])
    world.run(hours=0.2)
    assert (world.state, world.case().why, world.tasks()) == ("task", "due", [str(case.id)])
    assert world.steps() == ["open", "fail", "tell", "tell_lead", "ask"]
    assert world.trail() == [], "the ladder's own steps bury nothing in the trail"
    world.run(hours=1)
    assert len(world.notices()) == 2, "nobody is told twice"


def test_it_ends_by_itself_when_a_reading_shows_that_it_is_gone(world: World) -> None:
    world.to("told_butler")
    world.run(hours=30)
    world.run()
    world.run()
    assert world.state == "task"
    world.find()
    case = world.case()
    assert (case.state, case.ended_by, world.tasks()) == ("gone", "system", [])
    assert case.ended_at == world.clock.now()


def test_a_list_that_could_not_be_read_ends_nothing_and_becomes_a_task(world: World) -> None:
    world.to("told_butler")
    world.clock.move(3600)
    world.find(packages=False, unread=[{"section": "packages", "reason": "timed out"}])
    assert (world.state, world.case().unknown_since) == ("told_butler", world.clock.now())
    world.run(hours=30)
    assert world.state == "told_butler", "the ladder stands still while nothing is seen"
    world.run(hours=41)
    assert world.state == "told_butler"
    world.run(hours=1.1)
    assert (world.state, world.case().why) == ("task", "unread")
    world.find(package(BAD))
    assert (world.state, world.case().unknown_since) == ("task", None)
    assert world.steps()[-1] == "known"


def test_a_user_that_nobody_may_look_into_hides_what_was_there(world: World) -> None:
    second = [*OWNER, {"id": 10, "name": "分身", "running": True}]
    world.find(package(BAD), package(BAD, user=10), users=second)
    world.find(users=second, unread=[{"section": "packages.user.10", "reason": "denied"}])
    assert world.state == "told_butler"
    assert "unknown" in world.steps()


def test_a_user_in_which_it_never_was_hides_nothing(world: World) -> None:
    second = [*OWNER, {"id": 150, "name": "安全文件夹", "running": True}]
    secret = {"users": second, "unread": [{"section": "packages.user.150", "reason": "denied"}]}
    world.find(package(BAD), **secret)
    world.find(**secret)
    assert world.state == "gone"
    assert world.case("").code == "not_inspected", "that user is a matter of its own"


def test_what_cannot_be_read_for_long_is_one_task_of_its_own(world: World) -> None:
    second = [*OWNER, {"id": 10, "name": "分身", "running": True}]
    world.find(package(BAD))
    world.find(users=second, unread=[{"section": "packages.user.10", "reason": "denied"}])
    case = world.case("")
    assert (case.code, case.state) == ("not_inspected", "early")
    world.run(hours=73)
    case = world.case("")
    assert (case.state, case.why) == ("task", "unread")
    assert str(case.id) in world.tasks()
    assert not any("读不到" in body for _, body, _ in world.notices()), "it is IT's to find out"
    world.find()
    assert world.case("").state == "gone"
    assert world.tasks() == []


def test_in_grace_the_butler_knows_and_no_ladder_runs(world: World) -> None:
    world.find(package(ODD))
    case = world.case(ODD)
    assert (case.state, case.failing_since) == ("early", None)
    [(title, _, who)] = world.notices()
    assert "留意" in title
    assert who == {world.org.zhang}
    world.run(hours=71)
    assert world.case(ODD).state == "early"


def test_all_of_a_phone_is_told_at_once(world: World) -> None:
    world.find(*[package(f"com.forbidden.a{n}") for n in range(3)], package(BAD))
    assert len(world.all()) == 4
    assert len(world.notices()) == 1
    assert "4 项" in world.notices()[0][0]


def test_nobody_is_told_who_has_not_the_phone(world: World, as_user: Any) -> None:
    """The case is Zhang's no more when Li has the phone; Li has his own time before the lead is told."""
    world.to("told_butler")
    with world.writing() as session:
        now = world.clock.now()
        session.execute(update(PostHolding).values(valid_to=now))
        stamp = {"created_at": now, "updated_at": now}
        session.add(
            PostHolding(
                centre_id=world.org.centre,
                post_id=world.org.post,
                employee_id=world.org.li,
                valid_from=now,
                **stamp,
            )
        )
    world.run(hours=4.1)
    assert world.state == "told_butler"
    assert world.notices()[-1][2] == {world.org.li}
    world.run(hours=3.9)
    assert world.state == "told_butler"
    world.run(hours=0.2)
    assert world.state == "told_lead"


def test_a_phone_that_nobody_has_goes_on_to_the_lead(world: World) -> None:
    with world.writing() as session:
        session.execute(update(PostHolding).values(valid_to=world.clock.now()))
    world.clock.move(1)
    world.find(package(BAD))
    assert world.notices() == []
    world.run(hours=4.1)
    assert world.state == "told_lead"


def test_what_comes_back_goes_on_with_its_history(world: World) -> None:
    world.to("told_butler")
    first = world.case()
    world.find()
    assert world.state == "gone"
    world.clock.move(3600)
    world.find(package(BAD))
    again = world.case()
    assert (again.id, again.state, again.returns, again.ended_at) == (first.id, "told_butler", 1, None)
    assert world.steps() == ["open", "fail", "tell", "go", "return", "fail", "tell"]
    world.find()
    world.clock.move(31 * 86_400)
    world.find(package(BAD))
    later = world.case()
    assert later.id != first.id
    assert later.returns == 0


def test_to_put_it_away_for_an_hour_begins_no_new_ladder(world: World) -> None:
    """Else who takes the app off a little before each step is never told of to anybody."""
    world.to("told_butler")
    for _ in range(2):
        world.run(hours=1.5)
        world.find()
        assert world.state == "gone"
        world.clock.move(20 * 3600)
        world.find(package(BAD))
        assert world.state == "told_butler"
    world.run(hours=1.1)
    assert (world.state, world.case().returns) == ("told_lead", 2)


def test_who_did_not_have_the_phone_then_has_all_his_time(world: World) -> None:
    world.to("told_butler")
    world.run(hours=3.9)
    world.find()
    with world.writing() as session:
        now = world.clock.now()
        session.execute(update(PostHolding).values(valid_to=now))
        values = {"centre_id": world.org.centre, "post_id": world.org.post, "employee_id": world.org.li}
        session.add(PostHolding(**values, valid_from=now, created_at=now, updated_at=now))
    world.clock.move(60)
    world.find(package(BAD))
    world.run(hours=3.9)
    assert world.state == "told_butler"


def test_a_required_app_is_there_again_whatever_another_space_hides(world: World) -> None:
    """It is asked for in the first user's space alone: one that nobody may look into keeps no case open."""
    second = [*OWNER, {"id": 150, "name": "安全文件夹", "running": True}]
    secret = {"users": second, "unread": [{"section": "packages.user.150", "reason": "denied"}]}
    entry = with_sections(reading("S1", age_s=0.0), **(CLEAN | {"users": OWNER, "packages": WORK[1:]}))
    assert world.gateway.checkin(readings=[entry]).get_json()["rejected"] == []
    world.run(hours=25)
    assert world.case("com.tencent.mm").code == "required_missing"
    world.find(**secret)
    assert world.case("com.tencent.mm").state == "gone"


def test_a_forbidden_app_of_which_the_phone_hides_whether_it_works_is_somebodys_matter(world: World) -> None:
    """No breach, for that is not known; but not passed over either."""
    world.find(package(BAD, suspended=None))
    assert {case.code for case in world.all()} == {"not_inspected"}
    world.run(hours=73)
    assert world.case("").state == "task"


def test_a_dismissal_rests_and_ends(world: World) -> None:
    world.to("told_butler")
    lead = world.who("lead")
    assert world.refused(dismiss, lead, reason=" ") == "invalid"
    assert world.refused(dismiss, world.who("it"), reason="演示用") == "role_in_centre"
    own = world.who("lead", employee=world.org.zhang)
    assert world.refused(dismiss, own, reason="我要用") == "own_phone"
    world.act(dismiss, lead, reason="演示用")
    assert (world.state, world.case().ended_by) == ("dismissed", "u-lead")
    world.run(hours=24)
    world.find(package(BAD))
    assert (world.state, len(world.all())) == ("dismissed", 1)
    assert world.refused(dismiss, lead, reason="再次") == "remedy_state"
    world.run(hours=29 * 24)
    assert (world.state, world.case().returns) == ("told_butler", 0)
    assert world.trail() == ["dismiss"]


def test_a_dismissed_finding_that_went_is_a_new_one(world: World) -> None:
    world.to("told_butler")
    first = world.case()
    world.act(dismiss, reason="演示用")
    world.find()
    world.run(hours=31 * 24)
    assert world.case().rest_until is None
    world.find(package(BAD))
    assert world.state == "told_butler"
    assert world.case().id == first.id or world.case().returns == 0


def test_the_phone_leaves(world: World) -> None:
    world.to("told_butler")
    case = world.case()
    world.run(hours=30)
    world.run()
    world.run()
    with world.writing() as session:
        session.get_one(Handset, world.phone).retired_at = world.clock.now()
    world.run()
    assert (world.state, world.tasks()) == ("left", [])
    assert world.case().id == case.id


def test_a_phone_of_another_centre_now(world: World) -> None:
    world.to("told_butler")
    with world.writing() as session:
        session.get_one(Handset, world.phone).centre_id = world.org.other_centre
    world.run()
    assert [(case.state, case.centre_id) for case in world.all()] == [
        ("left", world.org.centre),
        ("told_lead", world.org.other_centre),
    ], "there it begins anew, by that centre's policy"


def test_the_same_verdict_in_another_centre_begins_there(world: World) -> None:
    """Both centres have one list: the verdict does not change, the centre does."""
    world.layer("allowlist", {})
    world.find(package(BAD))
    with world.writing() as session:
        session.get_one(Handset, world.phone).centre_id = world.org.other_centre
    world.clock.move(120)
    with world.writing() as session:
        sweep(session, tools(), world.clock.now())
    world.run()
    world.run(hours=0.1)
    assert [(case.state, case.centre_id, case.due_at is None) for case in world.all() if case.subject == BAD] == [
        ("left", world.org.centre, True), ("told_lead", world.org.other_centre, False)
    ]  # fmt: skip


def test_only_the_list_decides_again(world: World) -> None:
    """A list that allows it now ends the case at the next judging, without any reading."""
    world.to("told_butler")
    world.layer(
        "allowlist",
        {"apps": {**NAMES, "抖音": {"package": BAD, "required": False}}, "forbidden": {BAD: None}},
    )
    world.run()
    assert world.state == "gone"


def test_steps_by_brand() -> None:
    for code in FINDING_TITLES:
        for brand in ("Redmi", "HONOR", "OPPO", "vivo", "samsung", "Hisense", ""):
            assert all(steps_for(code, brand)), (code, brand)
    assert steps_for("app_in_other_user", "Xiaomi") != steps_for("app_in_other_user", "samsung")
    assert steps_for("patch_too_old", "HUAWEI")[1].startswith("设置 → 系统和更新")
    assert set(FINDING_TITLES) | {"not_inspected"} >= FOR_IT


def test_nobody_is_hurried_in_grace_nor_given_an_hour_that_is_over(world: World) -> None:
    world.find(package("com.taobao.taobao"))
    assert [case.state for case in world.all()] == ["early"]
    [(_, body, _)] = world.notices()
    assert "还在宽限期内" in body
    assert "前处理" not in body
    world.layer("remedy", {"ladder_hours": {"critical": {"lead": 0}}})
    world.run(hours=0.1)
    world.find(package("com.taobao.taobao"), package(BAD))
    assert any("没有宽限，请马上处理" in body for _, body, _ in world.notices())
