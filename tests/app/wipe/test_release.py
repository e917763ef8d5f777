"""At the phone: what is seen of it, what is typed, what leaves with the order."""

from __future__ import annotations

from typing import Any

import pytest

from agent import wire
from app.escrow.filing import Filed, file_secret
from app.escrow.model import SecretVersion
from app.wipe import asking, guiding, releasing
from tests.app.wipe.wipe_world import IMEI, SIX, TAG, World
from tests.support.agents import FakeAgent

PIN = "73915468"
TYPED: dict[str, Any] = {"typed_tag": TAG, "typed_imei6": SIX, "imei_typed": None}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One transaction after the other; races are in `test_races`."""
    return sqlite_url


def file_pin(world: World, text: str = PIN, phone: str = "S1") -> None:
    here = world.app.extensions["butler"]
    with world.writing() as session:
        filed = Filed("handset", world.phones[phone], "screen_lock", text, True)
        file_secret(
            session,
            world.who("operations"),
            filed,
            vault=here.vault,
            policies=here.policies,
            now=world.clock.now(),
        )


def texts(world: World, order: wire.Command, agent: FakeAgent | None = None) -> dict[str, str]:
    agent = agent or world.gateway
    box = order.args["sealed"]
    return wire.open_box(box, agent.sealed, command=order.id, agent=order.agent, serial=order.serial)


def test_the_reading_must_be_fresh(world: World) -> None:
    world.to("armed")
    assert world.refused(releasing.release, world.who("it"), **TYPED) == "not_at_hand"
    world.read_phone()
    world.clock.move(11 * 60)
    assert world.refused(releasing.release, world.who("it"), **TYPED) == "not_at_hand"
    world.read_phone(android_id=None)
    assert world.refused(releasing.release, world.who("it"), **TYPED) == "not_at_hand"
    world.read_phone()
    world.release()


def test_a_phone_that_hides_its_imei(world: World) -> None:
    world.to("armed")
    world.known_for_long()
    world.read_phone(imei=[])
    assert world.refused(releasing.release, world.who("it"), **TYPED) == "imei_needed"
    for typed, code in (("490154203237519", "invalid"), ("356938035643809", "typed_wrong"), ("x", "invalid")):
        assert world.refused(releasing.release, world.who("it"), **{**TYPED, "imei_typed": typed}) == code
    world.release(imei=f"{IMEI[:6]} {IMEI[6:]}")
    order = world.lease(imei=[])
    assert order.args["imei_typed"] == IMEI
    assert order.expires_in_s <= 600


def test_the_lock_goes_along_sealed_where_the_phone_has_one(world: World) -> None:
    file_pin(world)
    world.to("armed")
    world.read_phone(lock="set")
    world.release()
    order = world.lease(lock="set")
    assert texts(world, order) == {"old": PIN}
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the library says
        texts(world, order, FakeAgent(world.app, world.clock.now))


@pytest.mark.parametrize(("lock", "filed"), [("none", True), ("unknown", True), ("set", False)])
def test_what_is_not_needed_does_not_leave(world: World, lock: str, filed: bool) -> None:
    if filed:
        file_pin(world)
    world.to("armed")
    world.read_phone(lock=lock)
    world.release()
    assert "sealed" not in world.lease(lock=lock).args


def test_a_damaged_record_sends_nothing(world: World) -> None:
    file_pin(world)
    world.to("armed")
    world.read_phone(lock="set")
    world.release()
    with world.writing() as session:
        row = session.query(SecretVersion).one()
        row.record = row.record[:-1] + bytes([row.record[-1] ^ 1])
    assert [c for c in world.read_phone(lock="set") if c.kind == "wipe_phone"] == []
    assert (world.state, world.row().why) == ("armed", "lock_damaged")


def test_while_the_escrow_is_sealed_it_waits(world: World) -> None:
    world.to("queued")
    vault = world.app.extensions["butler"].vault
    root = vault.root()
    vault.drop_root()
    assert world.offered() == []
    assert world.state == "queued"
    vault.put_root(root)
    assert len(world.offered()) == 1


def test_by_hand_without_a_gateway(world: World) -> None:
    world.to("armed")
    assert world.refused(guiding.begin_guided, world.who("it"), **TYPED, photo=None) == "imei_needed"
    typed = {**TYPED, "imei_typed": IMEI}
    assert world.refused(guiding.begin_guided, world.who("it"), **typed, photo=None) == "photo_needed"
    other = {**TYPED, "imei_typed": "356938035643809"}
    assert world.refused(guiding.begin_guided, world.who("it"), **other, photo=b"x") == "typed_wrong"
    world.guide(imei_typed=IMEI, photo=b"jpeg")
    row = world.row()
    assert (row.state, row.imei_typed, row.expect) == ("delivered", IMEI, None)
    assert row.proof_photo


def test_by_hand_a_phone_that_hides_its_imei(world: World) -> None:
    world.to("armed")
    world.known_for_long()
    world.read_phone(imei=[])
    assert world.refused(guiding.begin_guided, world.who("it"), **TYPED, photo=None) == "imei_needed"
    world.guide(imei_typed=IMEI)
    assert world.state == "delivered"


def test_a_strategy_by_hand_is_not_the_gateways(world: World) -> None:
    world.open()
    world.fill(strategy="guided")
    world.ask()
    world.approve()
    world.arm()
    world.read_phone()
    assert world.refused(releasing.release, world.who("it"), **TYPED) == "by_hand"
    world.guide()
    assert world.state == "delivered"


def test_again_only_after_it_was_seen_not_wiped(world: World) -> None:
    world.to("silent")
    assert world.refused(releasing.retry, world.who("lead"), reason="x") == "wipe_state"
    assert world.refused(asking.cancel, world.who("it"), reason="x") == "wipe_state"
    from app.wipe import store
    from app.wipe.states import Event

    for event in (Event.INSPECT, Event.FAIL):
        with world.writing() as session:
            row = store.by_id(session, world.id)
            assert row is not None
            store.move(session, row, event, world.clock.now(), grade="failed")
    assert world.refused(releasing.retry, world.who("it"), reason="x") == "role_in_centre"
    world.act(releasing.retry, world.who("lead"), reason="照片上还是原来的桌面")
    assert (world.state, world.row().grade) == ("armed", None)
    world.read_phone()
    world.release()
    assert world.row().tries == 2


def test_a_failed_one_and_a_new_one_are_not_both_released(world: World) -> None:
    from app.wipe import store
    from app.wipe.states import Event

    world.to("silent")
    for event in (Event.INSPECT, Event.FAIL):
        with world.writing() as session:
            row = store.by_id(session, world.id)
            assert row is not None
            store.move(session, row, event, world.clock.now())
    old = world.id
    assert world.open() != old
    world.id = old
    assert world.refused(releasing.retry, world.who("lead"), reason="x") == "wipe_open"
