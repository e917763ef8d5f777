"""What is written while a leg is in draft, by whom, and what ugly input becomes of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from app.commands import Command
from app.handover import correcting, items, reading, service, store, testing
from app.handover.items import ItemInput
from app.handover.model import HandoverLeg
from app.kernel.errors import DomainError, Forbidden, Invalid, NotFound, Stale
from app.tasks import open_task
from tests.app.handover.conftest import World

# What a database does with it is tried in the flow, the races and the check; here it is who may do what.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def leg(world: World) -> HandoverLeg:
    """Zhang's, in draft, after an issue that he signed."""
    world.issued("zhang")
    world.clock.move(86_400)
    return world.leg(world.start("handover", world.org.li))


def code(act: Any) -> str:
    with pytest.raises(DomainError) as told:
        act()
    return told.value.code


def test_the_list_comes_from_registry_policy_and_the_last_record(world: World) -> None:
    first = world.leg(world.start("issue", world.org.zhang))
    added = items.add_item(
        world.session,
        world.who("lead"),
        first.id,
        category="accessory",
        name="  车载\u200b支架 ",
        now=world.now,
    )
    assert added.name == "车载支架"
    world.done(first, "lead", "zhang", 包装盒=(False, "", "没有"))
    world.clock.move(86_400)
    leg = world.leg(world.start("handover", world.org.li))
    found = [
        (row.category, row.origin, row.name, row.identifier)
        for row in reading.items_of(world.session, leg.id)
    ]
    assert found == [
        ("handset", "registry", "Redmi 12C", "编号 GJ-1 · 序列号 S1 · IMEI1 860000000000017"),
        ("number", "registry", "SIM 卡 +8613800005678", "ICCID 8986012345678901234"),
        ("wechat", "registry", "微信 小新", ""),
        *[("accessory", "policy", name, "") for name in ("充电器", "数据线", "手机壳", "卡针", "包装盒")],
        ("accessory", "previous", "车载支架", ""),
    ]
    filled = items.same_as_last(world.session, world.who("lead"), leg.id, now=world.now)
    assert (filled, world.item(leg, "包装盒").present, world.item(leg, "充电器").condition) == (
        9,
        False,
        "good",
    )
    assert items.same_as_last(world.session, world.who("lead"), leg.id, now=world.now) == 0


def test_a_thing_is_saved_as_it_was_seen_and_by_nobody_unseen(world: World, leg: HandoverLeg) -> None:
    item = world.item(leg, "充电器")
    assert item.version == 1
    world.save(item, True, "worn", "  线头\n发黑\0  ")
    assert (item.words, item.version, item.saved_by) == ("线头 发黑", 2, world.who("lead").user)
    with pytest.raises(Stale):
        items.save_item(
            world.session, world.who("lead"), item.id, ItemInput(False, ""), version=1, policies=world.policies,
            now=world.now,
        )  # fmt: skip
    assert code(lambda: world.save(item, True, "shiny")) == "invalid"
    world.save(item, False, "cracked", "不见了")
    assert item.condition == ""


def test_what_belongs_to_the_kit_stays_on_the_list(world: World, leg: HandoverLeg) -> None:
    lead = world.who("lead")
    phone, box = world.item(leg, "Redmi"), world.item(leg, "包装盒")
    assert (
        code(lambda: items.remove_item(world.session, lead, phone.id, reason="x", now=world.now))
        == "of_the_kit"
    )
    assert code(lambda: items.remove_item(world.session, lead, box.id, reason="", now=world.now)) == "invalid"
    items.remove_item(world.session, lead, box.id, reason="从来没有", now=world.now)
    assert "包装盒" not in [row.name for row in reading.items_of(world.session, leg.id)]
    items.restore_item(world.session, lead, box.id, now=world.now)
    assert "包装盒" in [row.name for row in reading.items_of(world.session, leg.id)]
    for category in ("handset", "number", "wechat", "", "x"):
        add = {"category": category, "name": "x", "now": world.now}
        assert code(lambda: items.add_item(world.session, lead, leg.id, **add)) == "invalid"  # noqa: B023


def test_pictures_are_few_and_come_back(world: World, leg: HandoverLeg) -> None:
    lead, item = world.who("lead"), world.item(leg, "Redmi")
    added = [
        items.add_photo(world.session, lead, item.id, f"{n:064d}", policies=world.policies, now=world.now)
        for n in range(6)
    ]
    again = items.add_photo(world.session, lead, item.id, f"{0:064d}", policies=world.policies, now=world.now)
    assert (again.id, item.version) == (added[0].id, 1)
    assert code(
        lambda: items.add_photo(world.session, lead, item.id, "f" * 64, policies=world.policies, now=world.now)
    ) == "too_many"  # fmt: skip
    items.drop_photo(world.session, lead, added[0].id, now=world.now)
    assert len(reading.photos_of(world.session, [item.id])[item.id]) == 5
    assert reading.photo_in(world.session, world.who("zhang"), leg.id, f"{0:064d}") == f"{0:064d}"
    items.restore_photo(world.session, lead, added[0].id, now=world.now)
    assert len(reading.photos_of(world.session, [item.id])[item.id]) == 6
    for stranger in ("li", "foreign"):
        with pytest.raises(NotFound):
            reading.photo_in(world.session, world.who(stranger), leg.id, f"{0:064d}")
    with pytest.raises(NotFound):
        reading.photo_in(world.session, lead, leg.id, "e" * 64)


def test_counts_tests_by_hand_and_objections(world: World, leg: HandoverLeg) -> None:
    session, lead, now = world.session, world.who("lead"), world.now
    given = {"friends": 312, "ledger": None}
    values: dict[str, Any] = {"by": "张三", "policies": world.policies, "now": now}
    items.save_counts(session, lead, leg.id, given, version=leg.version, **values)
    assert leg.counts["friends"] == {"value": 312, "by": "张三"}
    assert (
        code(lambda: items.save_counts(session, lead, leg.id, given, version=1, **values)) == "stale_version"
    )
    for bad in ({"dogs": 1}, {"friends": -1}, {"friends": 10**9}):
        act = lambda bad=bad: items.save_counts(session, lead, leg.id, bad, version=leg.version, **values)  # noqa: E731
        assert code(act) == "invalid"
    at: dict[str, Any] = {"policies": world.policies, "now": now}
    items.save_hand_test(session, lead, leg.id, "screen", "fail", "左上角不灵", **at)
    items.save_hand_test(session, lead, leg.id, "screen", "pass", "", **at)
    (test,) = reading.hand_tests_of(session, leg.id)
    assert (test.result, test.words) == ("pass", "")
    assert code(lambda: items.save_hand_test(session, lead, leg.id, "smell", "pass", **at)) == "invalid"
    assert code(lambda: items.save_hand_test(session, lead, leg.id, "screen", "good", **at)) == "invalid"
    items.add_exception(session, world.who("zhang"), leg.id, "giver", "领来就有划痕", now=now)
    with pytest.raises(Forbidden):
        items.add_exception(session, world.who("zhang"), leg.id, "receiver", "x", now=now)
    with pytest.raises(NotFound):
        items.add_exception(session, world.who("li"), leg.id, "giver", "x", now=now)


def test_only_the_desk_writes(world: World, leg: HandoverLeg) -> None:
    item, session, now = world.item(leg, "充电器"), world.session, world.now
    for name, error in (
        ("zhang", Forbidden),
        ("li", NotFound),
        ("auditor", Forbidden),
        ("foreign", NotFound),
    ):
        who = world.who(name)
        with pytest.raises(error):
            items.add_item(session, who, leg.id, category="other", name="伞", now=now)
        with pytest.raises(error):
            items.remove_item(session, who, item.id, reason="x", now=now)
        with pytest.raises(error):
            testing.ask_tests(session, who, leg.id, now=now)
        with pytest.raises(error):
            correcting.correct(session, who, leg.id, reason="x", now=now)
        # A butler who is to come sees the case, not what the one before him hands over.
        with pytest.raises(Forbidden if name == "li" else error):
            service.cancel(session, who, leg.handover_id, reason="x", now=now)


def test_tests_are_what_is_read_from_now_on(world: World, leg: HandoverLeg) -> None:
    before = testing.tests_of(world.session, leg, policies=world.policies, now=world.now)
    assert {line.result for line in before} == {"unknown"}
    assert len(before) == 8
    assert testing.ask_tests(world.session, world.who("lead"), leg.id, now=world.now) == 1
    command = world.session.scalars(select(Command)).one()
    assert (command.kind, command.handset_id, leg.tests_asked_at) == ("read_phone", world.handset, world.now)


def test_a_fresh_reading_is_a_test_and_an_old_one_is_not(world: World, leg: HandoverLeg) -> None:
    import orjson

    from app.readings.model import PhoneState

    state = PhoneState(
        handset_id=world.handset, centre_id=world.org.centre, at=world.now - dt.timedelta(hours=2),
        received_at=world.now, battery_percent=55, unread=orjson.dumps([]).decode(),
    )  # fmt: skip
    world.session.add(state)
    world.session.flush()

    def battery() -> Any:
        lines = testing.tests_of(world.session, leg, policies=world.policies, now=world.now)
        return next(line for line in lines if line.key.startswith("battery"))

    assert (battery().result, battery().stale) == ("unknown", True)
    world.clock.move(60)
    state.at = world.now
    world.session.flush()
    assert (battery().result, battery().words) == ("pass", "55%")
    # Asked again, only what is read after that counts.
    world.clock.move(60)
    testing.ask_tests(world.session, world.who("lead"), leg.id, now=world.now)
    assert battery().stale


def test_open_matters_are_named(world: World, leg: HandoverLeg) -> None:
    open_task(
        world.session, key="x", kind="plug_in", centre_id=world.org.centre, title="接入手机 GJ-1",
        handset_id=world.handset, now=world.now,
    )  # fmt: skip
    case = store.find(world.session, world.who("lead"), leg.handover_id)
    assert "待办：接入手机 GJ-1" in [m.words for m in testing.matters_of(world.session, case, leg)]


def test_what_is_signed_takes_nothing_more(world: World, leg: HandoverLeg) -> None:
    signed = store.completed_legs(world.session, post_id=world.org.post)[0]
    assert code(lambda: items.same_as_last(world.session, world.who("lead"), signed.id, now=world.now)) == (
        "handover_state"
    )
    assert code(lambda: world.save(world.item(signed, "充电器"))) == "handover_state"
    with pytest.raises(Invalid):
        service.cancel(world.session, world.who("lead"), leg.handover_id, reason="", now=world.now)
