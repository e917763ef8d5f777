"""Every rail alone, at each of the four looks."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from app.commands import Command, enqueue
from app.contracts.model import NumberContract
from app.escrow.lock_model import LockOrder
from app.hardware.model import Disposal
from app.kernel.tenancy import SYSTEM
from app.registry import Handset, HandsetImei, KitAssignment, hold
from app.registry.model import Number
from app.transfer.model import Transfer
from app.wipe import asking, releasing
from app.wipe.model import Wipe
from app.wipe.rails import Look
from tests.app.wipe.wipe_world import SIX, TAG, World
from tests.support.agents import reading

Break = Callable[[World, Any], None]
LATER = dt.timedelta(days=400)


def _handset(session: Any, world: World, **values: Any) -> None:
    session.execute(update(Handset).where(Handset.id == world.phones["S1"]).values(**values))


def placeholder_serial(world: World, session: Any) -> None:
    _handset(session, world, serial="0123456789ABCDEF")


def no_imei(world: World, session: Any) -> None:
    session.execute(delete(HandsetImei).where(HandsetImei.handset_id == world.phones["S1"]))


def retired(world: World, session: Any) -> None:
    _handset(session, world, retired_at=world.clock.now())


def held(world: World, session: Any) -> None:
    hold(
        session, cause="audit:1", subjects=[("handset", world.phones["S1"])], centre_id=world.centre, reason="取证",
        link="/audit", by="x", now=world.clock.now(),
    )  # fmt: skip


def in_custody(world: World, session: Any) -> None:
    session.add(_tie(world, session, handset_id=world.phones["S1"], valid_to=None))


def _tie(world: World, session: Any, *, valid_to: dt.datetime | None, **part: Any) -> KitAssignment:
    from app.registry import Post

    now = world.clock.now()
    post = session.query(Post).filter_by(centre_id=world.centre).first()
    return KitAssignment(
        centre_id=world.centre, post_id=post.id, valid_from=now - LATER, valid_to=valid_to, created_at=now,
        updated_at=now, **part,
    )  # fmt: skip


def transfer_open(world: World, session: Any) -> None:
    session.execute(update(Transfer).where(Transfer.old_id == world.phones["S1"]).values(state="draft"))


def transfer_forged(world: World, session: Any) -> None:
    session.execute(update(Transfer).values(state="verified"))


def lost(world: World, session: Any) -> None:
    session.execute(update(Disposal).values(cause="lost", found_at=None))


def no_disposal(world: World, session: Any) -> None:
    session.execute(update(Disposal).values(state="cancelled"))


def other_disposal(world: World, session: Any) -> None:
    session.execute(update(Disposal).values(state="cancelled"))
    now = world.clock.now()
    session.add(
        Disposal(
            centre_id=world.centre, handset_id=world.phones["S1"], cause="replaced", reason="x", source="y",
            state="waiting", ordered_by="u", ordered_at=now,
        )
    )  # fmt: skip


def lock_order(world: World, session: Any) -> None:
    from app.escrow.filing import Filed, file_secret

    here, now = world.app.extensions["butler"], world.clock.now()
    filed = Filed("handset", world.phones["S1"], "screen_lock", "73915468", True)
    secret, _ = file_secret(
        session, world.who("operations"), filed, vault=here.vault, policies=here.policies, now=now
    )
    session.add(
        LockOrder(
            centre_id=world.centre, secret_id=secret.id, handset_id=world.phones["S1"], what="check", version=1,
            command_id=uuid.uuid4(), state="sent", asked_by="x", asked_at=now,
        )
    )  # fmt: skip


def contract_runs(world: World, session: Any) -> None:
    now = world.clock.now()
    number = Number(centre_id=world.centre, e164="+8613800005678", created_at=now, updated_at=now)
    session.add(number)
    session.flush()
    gone = now - dt.timedelta(days=1)
    session.add(_tie(world, session, handset_id=world.phones["S1"], valid_to=gone))
    session.add(_tie(world, session, number_id=number.id, valid_to=None))
    today = now.date()
    session.add(
        NumberContract(
            centre_id=world.centre, number_id=number.id, carrier="移动", plan_name="套餐", plan_type="phone_for_plan",
            registered_name="示例物业", starts_on=today - LATER, ends_on=today + LATER, monthly_fen=9900,
            created_by="x", created_at=now, updated_at=now,
        )
    )  # fmt: skip


def checklist(world: World, session: Any) -> None:
    row = session.get(Wipe, world.id)
    row.checklist = {**row.checklist, "frp": {"answer": "unknown", "words": ""}}


RAILS: dict[str, Break] = {
    "placeholder_serial": placeholder_serial, "no_imei": no_imei, "retired": retired, "held": held,
    "in_custody": in_custody, "transfer_open": transfer_open, "transfer_open 2": transfer_forged, "lost": lost,
    "no_disposal": no_disposal, "no_disposal 2": other_disposal, "lock_order": lock_order,
    "contract_runs": contract_runs, "checklist": checklist,
}  # fmt: skip


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Each rail is one query of a room that is tested on both kinds of database itself."""
    return sqlite_url


@pytest.mark.parametrize("rail", RAILS)
def test_at_each_look(world: World, rail: str) -> None:
    """Broken as the order waits: it does not leave, and neither release, approval nor request goes through."""
    code = rail.split(maxsplit=1)[0]
    world.to("queued")
    with world.writing() as session:
        RAILS[rail](world, session)
    for look in Look:
        assert code in world.look(look), look
    assert world.offered() == [], "it does not leave"
    assert world.state == "armed"
    assert world.command().state == "failed"
    assert world.trail()[-1] == "stop"
    typed: dict[str, Any] = {"typed_tag": TAG, "typed_imei6": SIX}
    assert world.refused(releasing.release, world.who("it"), **typed, imei_typed=None) == "blocked"
    for state, act in (("requested", asking.approve), ("draft", asking.request)):
        with world.writing() as session:
            session.execute(update(Wipe).values(state=state, approved_by=None, second_by=None))
        who = world.who("lead", "other")
        told = world.refused(act, who, **(typed if act is asking.request else {}))
        assert told == ("typed_wrong" if act is asking.request and code == "no_imei" else "blocked")
        assert world.state == state


@pytest.mark.parametrize(("hours", "told"), [(11, []), (13, ["used_later"])])
def test_what_came_onto_it_after_its_transfer_was_never_moved(
    world: World, hours: int, told: list[str]
) -> None:
    with world.writing() as session:
        until = world.clock.now() + dt.timedelta(hours=hours)
        session.add(_tie(world, session, handset_id=world.phones["S1"], valid_to=until))
    world.clock.move(24 * 3600)
    world.read_phone()
    world.open()
    world.fill()
    for look in (Look.REQUEST, Look.APPROVE, Look.RELEASE, Look.LEASE):
        assert [code for code in world.look(look) if code == "used_later"] == told, look


def test_nothing_stands_in_the_way(world: World) -> None:
    world.to("armed")
    world.read_phone()
    assert {look: world.look(look) for look in Look} == {look: [] for look in Look}


@pytest.mark.parametrize(
    "change",
    [{"serial": "S1X"}, {"centre_id": "other"}, {"imei": "356938035643809"}],
    ids=["serial", "centre", "imei"],
)
def test_the_registry_says_something_else_since(world: World, change: dict[str, str]) -> None:
    world.to("queued")
    with world.writing() as session:
        if "imei" in change:
            session.execute(
                update(HandsetImei).where(HandsetImei.handset_id == world.phones["S1"]).values(**change)
            )
        elif "serial" in change:
            _handset(session, world, **change)
        else:
            _handset(session, world, centre_id=world.phones.other_centre)
    assert "identity_changed" in world.look(Look.RELEASE)
    assert world.offered() == []


def test_another_phone_answers_by_its_serial(world: World) -> None:
    world.to("armed")
    entry_imei = ["356938035643809"]
    assert world.read_phone(imei=entry_imei) == []
    assert "identity_contradicted" in world.look(Look.RELEASE)
    typed: dict[str, Any] = {"typed_tag": TAG, "typed_imei6": SIX, "imei_typed": None}
    assert world.refused(releasing.release, world.who("it"), **typed) in ("blocked", "not_at_hand")


def test_a_broken_phone_under_contract_takes_two(world: World) -> None:
    with world.writing() as session:
        session.execute(update(Disposal).values(cause="beyond_repair"))
        contract_runs(world, session)
    world.to("requested")
    assert world.refused(asking.approve, world.who("lead")) == "invalid", "both say why"
    world.approve(waive_reason="主板烧坏")
    row = world.row()
    assert (row.state, row.approved_by, row.second_by) == ("requested", "u-lead", None)
    assert world.refused(asking.approve, world.who("lead"), waive_reason="x") == "approved_already"
    assert world.refused(asking.approve, world.who("lead", "u-asker"), waive_reason="x") == "own_request"
    world.approve(world.who("lead", "second"), waive_reason="已看过维修单")
    assert (world.state, world.row().second_by) == ("approved", "second")
    assert [one["by"] for one in world.row().waivers] == ["u-lead", "second"]
    world.arm()
    world.read_phone()
    assert world.look(Look.RELEASE) == []
    typed: dict[str, Any] = {"typed_tag": TAG, "typed_imei6": SIX, "imei_typed": None}
    assert world.refused(releasing.release, world.who("it", "second"), **typed) == "own_approval"
    world.release()
    world.lease()
    assert world.state == "delivered"


def test_one_approval_does_when_nothing_is_left_to_set_aside(world: World) -> None:
    with world.writing() as session:
        session.execute(update(Disposal).values(cause="beyond_repair"))
        contract_runs(world, session)
    world.to("requested")
    world.approve(waive_reason="主板烧坏")
    with world.writing() as session:
        session.execute(delete(NumberContract))
    world.approve(world.who("lead", "other"))
    row = world.row()
    assert (row.state, row.approved_by, row.second_by, row.waivers) == ("approved", "other", None, [])


def test_the_caps(world: World) -> None:
    world.to("armed")
    for _ in range(10):
        world.read_phone()
        world.release()
        world.act(releasing.recall, world.who("it"))
    world.read_phone()
    assert world.look(Look.RELEASE) == ["rate_person"]
    assert world.look(Look.RELEASE, by="u-it2") == []
    for _ in range(10):
        world.read_phone()
        world.release(world.who("it", "u-it2"))
        world.act(releasing.recall, world.who("it"))
    world.clock.move(3601)
    assert world.look(Look.RELEASE) == ["rate_centre"]
    world.clock.move(86_400)
    assert world.look(Look.RELEASE) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("reason", "x"), ("imeis", ["1"]), ("approved_by", "u-x"), ("strategy", "guided"), ("serial", "S2")],
)
def test_what_the_database_was_told_to_say(world: World, column: str, value: object) -> None:
    world.to("queued")
    with world.writing() as session:
        session.execute(update(Wipe).values({column: value}))
    assert "tampered" in world.look(Look.RELEASE)
    assert world.offered() == []


def test_an_approval_that_nobody_gave(world: World) -> None:
    """Rows alone, without their event in the trail, send nothing."""
    world.to("requested")
    now = world.clock.now()
    with world.writing() as session:
        forged = {
            "state": "armed",
            "approved_by": "u-lead",
            "approved_at": now,
            "arms_at": now,
            "lapses_at": now + LATER,
        }
        session.execute(update(Wipe).values(forged))
    world.read_phone()
    typed: dict[str, Any] = {"typed_tag": TAG, "typed_imei6": SIX, "imei_typed": None}
    assert world.refused(releasing.release, world.who("it"), **typed) == "blocked"
    assert world.look(Look.RELEASE) == ["tampered"]


@pytest.mark.parametrize(
    "values",
    [{"imei_typed": "490154203237518"}, {"released_at": None}, {"expect": {"android_id": "b"}}, {"tries": 9}],
)
def test_a_release_that_was_altered_does_not_leave(world: World, values: dict[str, Any]) -> None:
    world.to("queued")
    with world.writing() as session:
        session.execute(update(Wipe).values(values))
    assert world.offered() == []
    assert (world.state, world.row().why) == ("armed", "tampered")


def test_a_command_that_was_altered_does_not_leave(world: World) -> None:
    world.to("queued")
    with world.writing() as session:
        command = session.get_one(Command, world.row().command_id)
        command.args = {**command.args, "expect": {"android_id": "ffff", "boot_id": None}}
    assert world.offered() == []
    assert world.row().why == "tampered"


def test_a_command_that_was_put_on_another_phone_does_not_leave(world: World) -> None:
    world.to("queued")
    world.gateway.checkin(readings=[reading("S2")])
    with world.writing() as session:
        session.get_one(Command, world.row().command_id).handset_id = world.phones["S2"]
    answer = world.gateway.checkin(readings=[reading("S2"), reading("S1")])
    assert [c.kind for c in world.gateway.commands(answer)] == []


def test_a_command_that_nobody_released_does_not_leave(world: World) -> None:
    world.to("armed")
    with world.writing() as session:
        args = {"wipe": str(world.id), "strategy": "test_harness", "expect": {}, "imei_typed": None}
        enqueue(session, SYSTEM, world.phones["S1"], "wipe_phone", args, now=world.clock.now())
    assert world.offered() == []
    assert world.state == "armed"


def test_a_database_of_an_older_day(world: World, tmp_path: Path) -> None:
    """Restored, its order is too old, or the trail is shorter than what a checkpoint elsewhere tells of."""
    world.to("queued")
    here = world.app.extensions["butler"]
    settings = replace(here.settings, checkpoint_dir=tmp_path)
    world.app.extensions["butler"] = replace(here, settings=settings)
    (tmp_path / "checkpoint-000000000003.json").write_text("{}")
    assert world.look(Look.LEASE) == [], "it grew since: that is how it should be"
    (tmp_path / "checkpoint-000000900000.json").write_text("{}")
    assert world.look(Look.LEASE) == ["restored"]
    assert world.offered() == []
    assert (world.state, world.row().why) == ("armed", "restored")


def test_an_order_of_an_hour_ago_does_not_leave(world: World) -> None:
    world.to("queued")
    with world.writing() as session:
        session.get_one(Command, world.row().command_id).expires_at = world.clock.now() + LATER
    world.clock.move(16 * 60)
    assert world.offered() == []
    assert (world.state, world.row().why) == ("armed", "stale")


def test_a_clock_that_was_set_back_sends_nothing(world: World) -> None:
    world.to("queued")
    world.clock.move(-120)
    assert world.offered() == []
    assert world.state == "queued", "it waits until the clock is right, or it is too old"
