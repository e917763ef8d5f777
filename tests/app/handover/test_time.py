"""What time brings, who is on the lead's list, what a life's history tells."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from app.audit import kept_checkpoints, last_checkpoint
from app.handover import life_events, listing, service
from app.handover.jobs import checkpoint_handovers
from app.handover.warning import warn_of_due
from app.kernel.db import begin_write
from app.kernel.timeline import Subject
from app.notify.model import Notice
from app.registry import Employee
from app.tasks import Task
from tests.app.handover.conftest import World

# What a database does with it is tried in the flow, the races and the check; here it is who may do what.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def titles(world: World, words: str) -> int:
    return len([row for row in world.session.scalars(select(Notice)) if words in row.title])


def warn(world: World) -> int:
    return warn_of_due(world.session, policies=world.policies, now=world.now)


def test_the_due_date_is_told_step_by_step(world: World) -> None:
    case = world.start("issue", world.org.zhang, due_at=world.now + dt.timedelta(days=3))
    assert warn(world) == 0
    world.clock.move(2.5 * 86_400)
    assert (warn(world), warn(world), titles(world, "快到期")) == (1, 0, 1)
    world.clock.move(86_400)
    assert (warn(world), warn(world), titles(world, "已超期")) == (1, 0, 1)
    assert titles(world, "超期未办") == 0
    world.clock.move(3 * 86_400)
    assert (warn(world), warn(world), titles(world, "超期未办")) == (1, 0, 1)
    # Put off, its warnings begin anew; ended, there are none.
    due_at = world.now + dt.timedelta(hours=2)
    service.reschedule(world.session, world.who("lead"), case.id, due_at, now=world.now)
    assert (warn(world), titles(world, "快到期")) == (1, 2)
    service.cancel(world.session, world.who("lead"), case.id, reason="x", now=world.now)
    world.clock.move(86_400 * 9)
    assert warn(world) == 0


def test_a_checkpoint_follows_a_completed_handover(world: World) -> None:
    session, keys = world.session, world.at_hand.keys
    assert checkpoint_handovers(session, world.now) == 0
    world.issued("zhang")
    session.commit()
    begin_write(session)
    world.clock.move(20)
    assert checkpoint_handovers(session, world.now) == 1
    assert last_checkpoint(session, keys) is not None
    world.clock.move(20)
    assert checkpoint_handovers(session, world.now) == 0
    assert len(list(kept_checkpoints(session, keys))) == 1


def test_who_leaves_stands_on_the_leads_list(world: World) -> None:
    lead = world.who("lead")
    world.issued("zhang")
    assert listing.leaving_staff(world.session, lead, now=world.now) == []
    world.session.get_one(Employee, world.org.zhang).retired_at = world.now
    world.session.flush()
    (found,) = listing.leaving_staff(world.session, lead, now=world.now)
    assert (found.employee.name, [post.code for post in found.posts], found.handovers) == ("张三", ["P1"], [])
    world.clock.move(60)
    case = world.start("handover", world.org.li)
    (found,) = listing.leaving_staff(world.session, lead, now=world.now)
    assert (found.handovers, [post.code for post in found.posts]) == ([case], ["P1"])
    world.done(world.leg(case), "zhang", "lead")
    (found,) = listing.leaving_staff(world.session, lead, now=world.now)
    assert (found.posts, found.handovers) == ([], [case])
    world.done(world.leg(case, 2), "lead", "li")
    assert listing.leaving_staff(world.session, lead, now=world.now) == []
    assert listing.leaving_staff(world.session, world.who("foreign"), now=world.now) == []


def test_lists_are_for_who_may_see_them(world: World) -> None:
    world.issued("zhang")
    world.clock.move(60)
    case = world.start("handover", world.org.li)

    def seen(name: str, **how: Any) -> list[str]:
        return [row.kind for row in listing.handovers(world.session, world.who(name), **how).items]

    assert seen("lead") == seen("auditor") == ["handover", "issue"]
    assert seen("zhang") == ["handover", "issue"]
    assert (seen("li"), seen("wang"), seen("foreign")) == (["handover"], [], [])
    assert seen("lead", state="open") == seen("lead", words="李四") == ["handover"]
    assert seen("lead", words="P1", kind="issue") == ["issue"]
    assert seen("lead", words="nobody") == []
    mine = listing.concerning(world.session, world.who("zhang")).items
    assert [leg.handover_id == case.id for leg in mine] == [True, False]
    assert listing.concerning(world.session, world.who("li")).items == []
    assert listing.concerning(world.session, world.who("lead")).items == []


def test_every_life_tells_of_its_handovers(world: World) -> None:
    world.issued("zhang")
    for subject in (
        Subject("handset", world.handset),
        Subject("number", world.number),
        Subject("wechat", world.account),
        Subject("post", world.org.post),
        Subject("employee", world.org.zhang),
    ):
        events = life_events(world.session, world.who("lead"), subject)
        assert [event.title for event in events] == ["开始领取", "领取签完"], subject
        assert events[1].detail == "用户lead → 张三（E001）"
        assert life_events(world.session, world.who("foreign"), subject) == []


def test_persons_can_be_named_anew_until_the_text_is_up(world: World) -> None:
    world.issued("zhang")
    world.clock.move(60)
    lead = world.who("lead")
    case = world.start("handover")
    service.set_lead(world.session, lead, case.id, str(world.users["desk"]), now=world.now)
    service.name_receiver(world.session, lead, case.id, world.wang, now=world.now)
    first, second = world.leg(case), world.leg(case, 2)
    assert (first.receiver_user, second.giver_user, second.receiver_id) == (
        str(world.users["desk"]), str(world.users["desk"]), world.wang,
    )  # fmt: skip
    world.done(first, "zhang", "desk")
    assert world.session.scalars(select(Task).where(Task.kind == "handover", Task.state == "open")).one()
    service.name_receiver(world.session, lead, case.id, world.org.li, now=world.now)
    world.done(second, "desk", "li")
    assert case.state == "completed"
