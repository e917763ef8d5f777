"""A person stops a transfer: nothing counts as stopped before its gateway says so, and nothing proved is lost."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import select

from app.commands import Command
from app.kernel.db import db
from app.transfer import running, stopping, transfer_state
from tests.app.transfer.conftest import detail, entry, person
from tests.support.agents import reading

PROGRESS = {
    "stage": "reading", "done_bytes": 5, "total_bytes": 10, "done_files": 1, "total_files": 3, "rate_bps": 40,
    "left_s": 7, "note": None,
}  # fmt: skip
CLEAN = {"old_phone": "clean", "new_phone": "clean"}


@pytest.fixture
def database_url(one_database):
    """What goes on at once is tried on both databases in `test_storage`."""
    return one_database


def at_work(world):
    command = world.begin()
    world.tell(command, "running", **PROGRESS)
    return command


def stop(world, copy="keep", by=None, **more):
    world.act(stopping.stop, by or world.who("it"), copy=copy, **more)


def stop_order(world, agent=None):
    [command] = [c for c in world.lease(agent) if c.kind == "stop_transfer"]
    return command


def halted(world, order, **more):
    """The order's last word, as an agent says it that was told to end."""
    world.tell(
        order, "failed",
        **detail([], "cancelled", reason="stopped", copy="kept", manifest=None, parts=[], **more),
    )  # fmt: skip


def standing(world):
    with world.app.app_context():
        found = transfer_state(db.session(), world.phones["S1"]).code
        db.session.remove()
    return found


def queue(world, kind):
    with world.app.app_context():
        found = [str(c.state) for c in db.session().scalars(select(Command).where(Command.kind == kind))]
        db.session.remove()
    return found


def test_stopped_kept_and_gone_on_with(world):
    order = at_work(world)
    key = world.key(order)
    stop(world, reason="客户要用手机")
    row = world.row()
    assert (row.state, row.stop_copy, row.stop_by, standing(world)) == ("stopping", "keep", "u-it", "running")
    told = stop_order(world)
    assert told.args["order"] == order.id
    assert (told.args["transfer"], told.args["new"]["serial"]) == (str(world.id), "S2")
    # Until it has heard it goes on, and that is told.
    world.tell(order, "running", **{**PROGRESS, "done_bytes": 7})
    assert (world.state, world.row().progress["done_bytes"]) == ("stopping", 7)
    halted(world, order)
    assert (world.state, world.row().copy) == ("stopping", "kept")
    world.tell(told, "succeeded", outcome="stopped", **CLEAN)
    row = world.row()
    assert (row.state, row.note, row.verdict, standing(world)) == (
        "stopped", "stopped", "failed", "unverified",
    )  # fmt: skip
    assert world.tasks() == ["stopped"]
    assert world.trail()[-2:] == ["stop", "stopped"]
    world.clock.move(60)
    again = world.begin()
    assert (world.key(again), world.tasks(), world.row().stop_by) == (key, [], None)
    world.final(again)
    assert (world.state, world.row().verdict) == ("moved", "verified")


def test_given_up_the_copy_goes_and_it_is_cancelled_by_who_wanted_it(world):
    order = at_work(world)
    stop(world, "discard", by=world.who("operations"), reason="选错了手机")
    told = stop_order(world)
    halted(world, order)
    assert (world.state, world.row().salt is None) == ("stopping", False)
    world.tell(told, "succeeded", outcome="stopped", **CLEAN)
    row = world.row()
    assert (row.state, row.ended_by, row.end_reason, row.salt) == (
        "cancelled", "u-operations", "选错了手机", None,
    )  # fmt: skip
    # It went out with the answer to that very word.
    assert queue(world, "discard_copy") == ["leased"]
    world.tell(SimpleNamespace(id=str(row.discard_id)), "succeeded", outcome="destroyed", new_phone="clean")
    assert (world.row().copy, world.tasks(), standing(world)) == ("destroyed", [], "none")


@pytest.mark.parametrize("copy", ["keep", "discard"])
@pytest.mark.parametrize("leased", [True, False])
def test_what_came_to_its_end_before_it_heard_counts(world, copy, leased):
    order = at_work(world)
    stop(world, copy, reason="不等了")
    told = stop_order(world) if leased else None
    world.final(order)
    assert (world.state, world.row().verdict, world.row().copy) == ("moved", "verified", "destroyed")
    if told is not None:
        world.tell(told, "succeeded", outcome="none", **CLEAN)
    assert world.state == "moved"
    assert queue(world, "stop_transfer") == (["succeeded"] if leased else ["cancelled"])
    world.wechat()
    assert standing(world) == "verified"


def test_differences_that_came_first_are_a_persons_to_decide(world):
    order = at_work(world)
    stop(world, "discard", reason="不等了")
    world.final(order, [entry(0, "failed")], "differences")
    assert (world.state, world.tasks()) == ("attention", ["decide"])


def test_a_killed_gateway_never_begins_it_again(world):
    order = at_work(world)
    stop(world)
    told = stop_order(world)
    world.tell(order, "not_now", reason="interrupted")
    assert (world.state, queue(world, "transfer_data")) == ("stopping", ["cancelled"])
    world.tell(told, "succeeded", outcome="none", **CLEAN)
    assert (world.state, world.row().note) == ("stopped", "interrupted")
    world.clock.move(3600)
    assert world.lease() == []


def test_an_order_that_was_lost_is_not_sent_again(world):
    """The gateway was switched off in the middle; what it says when it is back is heard."""
    order = at_work(world)
    world.clock.move(16 * 60)
    stop(world)
    world.run_jobs()
    world.run_jobs()
    assert queue(world, "transfer_data") == ["cancelled"]
    leased = world.lease()
    assert [c.kind for c in leased] == ["stop_transfer"]
    assert world.tell(order, "succeeded", **detail([entry(0)])) == []
    assert (world.state, world.row().note) == ("attention", "no_manifest")
    world.tell(leased[0], "succeeded", outcome="none", **CLEAN)
    assert world.state == "attention"


def test_leased_once_more_in_the_same_moment_it_is_taken_back(world):
    """Lost, stopped, and asked for before any job ran."""
    order = at_work(world)
    stop(world)
    with world.writing() as session:
        session.get_one(Command, world.row().command_id).state = "queued"
    assert [c.kind for c in world.lease()] == ["stop_transfer"]
    assert queue(world, "transfer_data") == ["failed"]
    assert order.id


def test_silence_says_neither(world, as_user):
    at_work(world)
    stop(world)
    assert world.refused(world.act, running.cancel, world.who("it"), reason="x") == "transfer_running"
    world.clock.move(21 * 60)
    world.run_jobs()
    assert (world.state, world.row().note, world.tasks()) == ("stopping", "silence", ["stopping"])
    assert standing(world) == "running"
    shown = as_user("it", world.centre).get(f"/transfers/{world.id}").text
    assert "不知道停了没有，可能还在迁移" in shown
    assert "取消这次迁移" in shown
    world.clock.move(60)
    assert world.run_jobs() == 0
    world.act(running.cancel, world.who("it"), reason="网关坏了")
    row = world.row()
    assert (row.state, row.salt, row.copy, world.tasks()) == ("cancelled", None, "unknown", [])


def test_a_gateway_that_is_back_is_heard(world):
    order = at_work(world)
    stop(world)
    world.clock.move(21 * 60)
    world.run_jobs()
    with world.writing() as session:
        session.get_one(Command, world.row().command_id).state = "running"
    world.tell(order, "running", **PROGRESS)
    assert (world.state, world.row().note, world.tasks()) == ("stopping", None, [])


@pytest.mark.parametrize(
    ("copy", "state", "tasks"), [("keep", "failed", ["failed", "rest"]), ("discard", "cancelled", [])]
)
def test_an_order_that_ran_out_unheard(world, copy, state, tasks):
    at_work(world)
    stop(world, copy, reason="不等了")
    with world.writing() as session:
        session.get_one(Command, world.row().command_id).state = "running"
        session.get_one(Command, world.row().command_id).lease_until = None
    world.clock.move(25 * 3600)
    # The order stays with its gateway until it runs out.
    with world.writing() as session:
        session.get_one(Command, world.row().command_id).lease_until = world.clock.now()
    world.run_jobs()
    assert (world.state, world.tasks()) == (state, tasks)


@pytest.mark.parametrize(("copy", "state"), [("keep", "stopped"), ("discard", "cancelled")])
def test_a_stop_that_was_told_stands_where_the_orders_own_word_was_lost(world, copy, state):
    """The gateway stopped and said so; the server was down until the order had run out."""
    at_work(world)
    stop(world, copy, reason="不等了")
    told = stop_order(world)
    world.tell(told, "succeeded", outcome="stopped", **CLEAN)
    assert world.state == "stopping"
    world.clock.move(25 * 3600)
    world.run_jobs()
    row = world.row()
    assert (row.state, world.tasks()) == (state, ["stopped"] if copy == "keep" else [])
    assert queue(world, "transfer_data") == ["expired"]


def test_a_gateway_that_cannot_stop_goes_on_and_people_are_told(world):
    order = at_work(world)
    stop(world)
    told = stop_order(world)
    world.tell(told, "refused", reason="unknown_kind")
    row = world.row()
    assert (row.state, row.note, row.stop_by, world.tasks()) == ("running", "not_stopped", None, ["stopping"])
    world.final(order)
    assert (world.state, world.tasks()) == ("moved", ["wechat"])


def test_what_no_gateway_had_stops_at_once(world):
    world.open()
    world.start()
    stop(world)
    assert (world.state, queue(world, "stop_transfer"), world.lease()) == ("stopped", [], [])
    world.start()
    stop(world, "discard", reason="选错了")
    assert (world.state, world.row().copy) == ("cancelled", "none")


def test_interrupted_it_is_stopped_and_tidied_up(world):
    order = at_work(world)
    world.tell(order, "not_now", reason="not_seen")
    assert (world.state, world.tasks()) == ("interrupted", ["go_on"])
    stop(world)
    assert (world.state, world.tasks(), queue(world, "transfer_data")) == ("stopping", [], ["cancelled"])
    told = stop_order(world)
    world.tell(told, "succeeded", outcome="none", old_phone="clean", new_phone="not_seen")
    assert (world.state, world.tasks()) == ("stopped", ["rest", "stopped"])


def test_only_its_own_gateway_is_asked_wherever_the_phone_is(world, enroller):
    at_work(world)
    other = enroller.gateway()
    stop(world)
    assert world.lease(other) == []
    # The phone was read there last: its own gateway has no way to it, and is still the one that works.
    told = world.gateway.commands(world.gateway.checkin())
    assert [c.kind for c in told] == ["stop_transfer"]
    world.tell(told[0], "not_now", reason="busy")
    world.clock.move(3600)
    assert world.lease(other) == []
    assert [c.kind for c in world.gateway.commands(world.gateway.checkin())] == ["stop_transfer"]


def test_it_gets_through_while_the_escrow_is_sealed(world):
    at_work(world)
    stop(world)
    world.here.vault.drop_root()
    assert stop_order(world).args["transfer"] == str(world.id)


@pytest.mark.parametrize(
    ("role", "centre", "code"),
    [
        ("auditor", True, "role_in_centre"),
        ("butler", True, "role_in_centre"),
        ("finance", True, "role_in_centre"),
        ("it", False, "not_found"),
    ],
)
def test_who_may_not(world, role, centre, code):
    at_work(world)
    who = person(role, world.centre if centre else world.id, "u-x")
    assert world.refused(stop, world, by=who) == code
    assert world.state == "running"


def test_what_cannot_be_stopped_and_how_it_is_not_asked(world):
    world.open()
    assert world.refused(stop, world) == "transfer_state"
    at_work(world)
    assert world.refused(stop, world, "burn") == "invalid"
    assert world.refused(stop, world, "discard", reason=" ") == "invalid"
    stop(world)
    assert world.refused(stop, world) == "transfer_state"
    assert world.refused(world.start) == "transfer_state"
    assert world.row().stop_copy == "keep"


@pytest.mark.parametrize(
    "said", [{}, {"outcome": 5, "new_phone": [], "old_phone": None}, {"new_phone": "left"}]
)
def test_an_odd_word_on_the_phones_is_not_clean(world, said):
    order = at_work(world)
    stop(world)
    told = stop_order(world)
    halted(world, order)
    world.tell(told, "succeeded", **said)
    assert (world.state, world.tasks()) == ("stopped", ["rest", "stopped"])


def test_a_stop_that_is_taken_back_by_hand_lets_it_go_on(world, as_user):
    order = at_work(world)
    stop(world)
    with world.app.app_context():
        stop_id = world.row().stop_id
    answer = as_user("it", world.centre, name="it").post(f"/commands/{stop_id}/cancel")
    assert answer.status_code == 303
    assert world.state == "running"
    world.final(order)
    assert world.state == "moved"


def test_by_page_and_by_api(world, as_user):
    it, auditor = as_user("it", world.centre, name="it"), as_user("auditor", world.centre)
    order = at_work(world)
    path = f"/transfers/{world.id}"
    shown = it.get(path).text
    assert "停止迁移" in shown
    assert "停止迁移" not in auditor.get(path).text
    assert auditor.post(f"{path}/stop", data={"copy": "keep"}).status_code == 403
    answer = it.post(f"{path}/stop", data={"copy": "discard", "reason": ""})
    assert (answer.status_code, "请写明为什么放弃" in answer.text) == (422, True)
    assert auditor.post(f"/api/v1{path}/stop", json={"copy": "keep"}).status_code == 403
    assert it.post(f"/api/v1{path}/stop", json={"copy": "both"}).status_code == 422
    answer = it.post(f"/api/v1{path}/stop", json={"copy": "keep"})
    assert (answer.get_json()["state"], answer.get_json()["stop_copy"]) == ("stopping", "keep")
    shown = it.get(path).text
    assert "正在停止…" in shown
    assert "网关还没有确认" in shown
    told = stop_order(world)
    halted(world, order, files={**detail([])["files"], "found": 7, "moved": 3})
    assert "正在清理两台手机" in it.get(path).text
    world.tell(told, "succeeded", outcome="stopped", **CLEAN)
    shown = it.get(path).text
    assert "继续迁移" in shown
    assert "旧手机 7 个，已放到新手机 3 个，其中核验 0 个" in shown
    assert "3　核验结果" not in shown
    assert it.post(f"{path}/stop", data={"copy": "keep"}).status_code == 409
    assert world.gateway.checkin(readings=[reading("S1")]).status_code == 200
