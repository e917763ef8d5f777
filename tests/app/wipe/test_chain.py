"""From the draft to the gateway's word, and back."""

from __future__ import annotations

from typing import Any

import pytest

from app.wipe import asking, drafting, guiding, releasing
from app.wipe.rails import Look
from tests.app.wipe.wipe_world import ANDROID, IMEI, SIX, TAG, World


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One transaction after the other; `test_races` goes the same way on both kinds of database."""
    return sqlite_url


def test_from_the_draft_to_androids_word(world: World) -> None:
    world.to("draft")
    assert (world.row().asset_tag, world.row().imeis, world.row().android_id) == (TAG, [IMEI], ANDROID)
    for step, state in ((world.ask, "requested"), (world.approve, "approved"), (world.arm, "armed")):
        step()
        assert world.state == state
    world.read_phone()
    world.release()
    assert world.state == "queued"
    order = world.lease()
    assert (order.serial, order.imei, order.purpose) == ("S1", (IMEI,), "danger")
    assert order.args == {
        "wipe": str(world.id), "strategy": "test_harness", "imei_typed": None,
        "expect": {"android_id": ANDROID, "boot_id": world.row().expect["boot_id"]},
    }  # fmt: skip
    assert order.expires_in_s <= 900
    assert world.state == "delivered"
    assert world.offered() == [], "single use"
    assert world.tell("running", stage="checked") == world.tell("running", stage="sent") == []
    assert world.state == "delivered"
    assert world.tell("succeeded", outcome="accepted") == []
    assert world.state == "acknowledged"
    assert world.tasks() == {"acknowledged"}
    assert world.trail() == [
        "open", "fill", "request", "approve", "arm", "release", "deliver", "word", "word", "word", "acknowledge",
    ]  # fmt: skip


def test_one_draft_a_phone(world: World) -> None:
    first = world.open()
    assert world.open() == first
    assert (
        world.refused(drafting.fill, world.who("it"), draft=drafting.Draft(reason="x"), version=7)
        == "stale_version"
    )
    with pytest.raises(Exception, match="没有列入待销毁"):
        world.open("S2")


@pytest.mark.parametrize(
    ("tag", "six"),
    [
        ("GJ-0001", SIX),
        (TAG, "000000"),
        (TAG, SIX[1:]),
        ("", ""),
        (TAG, IMEI),
        ("GJ-000", SIX),
        (TAG, "٠" * 6),
    ],
)
def test_typed_wrong(world: World, tag: str, six: str) -> None:
    world.to("draft")
    assert world.refused(asking.request, world.who("it"), typed_tag=tag, typed_imei6=six) == "typed_wrong"
    assert world.state == "draft"


def test_a_blank_or_a_small_letter_is_no_other_tag(world: World) -> None:
    world.to("draft")
    world.ask(tag=" gj-0000 ")
    assert world.state == "requested"


def test_nobody_is_two_persons(world: World) -> None:
    world.to("requested")
    asker = world.who("lead", "u-asker")
    assert world.refused(asking.approve, asker) == "own_request"
    assert world.refused(asking.refuse_request, asker, reason="x") == "own_request"
    world.approve(world.who("lead", "both"))
    world.arm()
    world.read_phone()
    typed: dict[str, Any] = {"typed_tag": TAG, "typed_imei6": SIX, "imei_typed": None}
    assert world.refused(releasing.release, world.who("it", "both"), **typed) == "own_approval"
    assert world.refused(guiding.begin_guided, world.who("it", "both"), photo=None, **typed) == "own_approval"


def test_operations_approve_for_a_lead_alone(world: World) -> None:
    world.to("requested")
    assert world.refused(asking.approve, world.who("operations")) == "role_in_centre"
    world.act(asking.withdraw, world.who("it", "u-asker"))
    world.ask(world.who("lead", "chief"))
    world.approve(world.who("operations"))
    assert world.state == "approved"


@pytest.mark.parametrize("role", ["operations", "butler", "finance", "auditor", "it"])
def test_who_may_not(world: World, role: str) -> None:
    who = world.who(role)
    typed = {"typed_tag": TAG, "typed_imei6": SIX}
    world.to("draft")
    if role in ("butler", "finance", "auditor"):
        assert world.refused(asking.request, who, **typed) == "role_in_centre"
    world.ask()
    assert world.refused(asking.approve, who) == "role_in_centre"
    world.approve()
    world.arm()
    world.read_phone()
    if role != "it":
        assert world.refused(releasing.release, who, **typed, imei_typed=None) == "role_in_centre"
        assert (
            world.refused(guiding.begin_guided, who, **typed, imei_typed=None, photo=None) == "role_in_centre"
        )


def test_the_token_is_nobody(world: World) -> None:
    from app.http.identity import TOKEN_PRINCIPAL as TOKEN

    world.to("draft")
    assert world.refused(asking.request, TOKEN, typed_tag=TAG, typed_imei6=SIX) == "second_person"
    world.ask()
    assert world.refused(asking.approve, TOKEN) == "second_person"
    world.approve()
    world.arm()
    given: dict[str, Any] = {"typed_tag": TAG, "typed_imei6": SIX, "imei_typed": None}
    assert world.refused(releasing.release, TOKEN, **given) == "second_person"


def test_sent_back_and_asked_anew(world: World) -> None:
    world.to("requested")
    world.act(asking.refuse_request, world.who("lead"), reason="IMEI 照片不清楚")
    assert (world.state, world.row().decision) == ("draft", "IMEI 照片不清楚")
    world.ask()
    world.approve()
    world.act(asking.withdraw, world.who("it", "u-asker"))
    assert (world.state, world.row().approved_by) == ("draft", None)
    assert world.refused(asking.withdraw, world.who("it", "u-asker")) == "wipe_state"
    world.act(asking.cancel, world.who("it"), reason="不清了")
    assert world.state == "cancelled"
    assert world.open() != world.row().disposal_id
    assert world.state == "draft", "another one may be opened"


def test_the_cooling_off_and_its_end(world: World) -> None:
    world.to("approved")
    world.sweep(3 * 3600)
    assert world.state == "approved"
    assert "cooling" in world.look(Look.RELEASE)
    world.sweep(3700)
    assert world.state == "armed"
    world.sweep(8 * 86_400)
    assert world.state == "expired"
    assert world.tasks() == set()


def test_recalled_while_it_waits(world: World) -> None:
    world.to("queued")
    world.act(releasing.recall, world.who("it"))
    assert (world.state, world.command().state) == ("armed", "cancelled")
    assert world.offered() == []
    assert world.refused(releasing.recall, world.who("it")) == "wipe_state"
    world.release()
    world.lease()
    assert world.refused(releasing.recall, world.who("it")) == "wipe_state"
    assert world.refused(asking.cancel, world.who("it"), reason="x") == "wipe_state"


def test_cancelled_with_its_order(world: World) -> None:
    world.to("queued")
    world.act(asking.cancel, world.who("it"), reason="搞错了")
    assert (world.state, world.command().state) == ("cancelled", "cancelled")
    assert world.offered() == []


def test_no_gateway_took_it(world: World) -> None:
    world.to("queued")
    world.sweep(901)
    assert (world.state, world.row().why) == ("armed", "not_taken")
    assert world.offered() == []
