"""What tells a phone from another of the same serial, where it hides its IMEI."""

from __future__ import annotations

from typing import Any

import pytest

from app.transfer import TransferState
from app.wipe import rails, releasing
from app.wipe.rails import Look
from app.wipe.rules import REASONS
from tests.app.wipe.wipe_world import IMEI, SIX, TAG, World


def test_another_phone_of_the_same_serial_whose_imei_nobody_sees(world: World) -> None:
    """A serial can be flashed, and who types the IMEI may read it off the file."""
    world.to("armed")
    world.read_phone(imei=None, android_id="ffff000011112222")
    assert world.look(Look.RELEASE) == ["too_new", "android_changed"]
    typed: dict[str, Any] = {"typed_tag": TAG, "typed_imei6": SIX, "imei_typed": IMEI}
    assert world.refused(releasing.release, world.who("it"), **typed) == "blocked"


def test_a_phone_that_hides_its_imei_must_have_been_read_for_long(world: World) -> None:
    """Before the request, too: what lies at the gateway may have come in the place of the registered one."""
    world.read_phone(imei=None, android_id="ffff000011112222")
    world.open()
    world.fill()
    assert world.look(Look.REQUEST) == ["too_new"]
    world.clock.move(6 * 86400)
    world.read_phone(imei=None, android_id="ffff000011112222", security_patch="2026-06-01")
    assert world.look(Look.REQUEST) == ["too_new"], (
        "an update of the system does not begin it anew, nor end it"
    )
    world.clock.move(86400)
    assert world.look(Look.REQUEST) == []
    world.read_phone(imei=None, android_id="00aa11bb22cc33dd")
    assert world.look(Look.REQUEST) == ["too_new"]
    world.read_phone(imei=None, android_id="ffff000011112222")
    assert world.look(Look.REQUEST) == ["too_new"], "which of two was there meanwhile nobody knows"
    world.fill(strategy="guided")
    assert world.look(Look.REQUEST) == []


def test_one_that_tells_its_imei_need_not_but_for_another_id(world: World) -> None:
    """Whoever flashes a serial can flash an IMEI: where another phone was read before, time alone tells them apart."""
    world.open()
    world.fill()
    assert world.look(Look.REQUEST) == []
    world.read_phone(imei=[IMEI], android_id="00aa11bb22cc33dd")
    assert world.look(Look.REQUEST) == ["too_new"]
    world.clock.move(7 * 86400)
    world.read_phone(imei=[IMEI], android_id="00aa11bb22cc33dd", security_patch="2026-06-01")
    assert world.look(Look.REQUEST) == []


def test_what_no_gateway_had_read_is_not_erased_by_one(world: World) -> None:
    world.read_phone(android_id=None)
    world.open()
    world.fill()
    assert world.look(Look.REQUEST) == ["not_met"]
    world.read_phone()
    assert world.look(Look.REQUEST) == [], "the draft may be older than the first reading"
    world.fill(strategy="guided")
    assert world.look(Look.REQUEST) == []


@pytest.mark.parametrize("look", Look)
def test_data_that_was_taken_off_another_phone_of_this_serial(
    world: World, monkeypatch: pytest.MonkeyPatch, look: Look
) -> None:
    world.to("armed")
    met = world.row().android_id
    assert met

    def moved(code: Any, android_id: str | None) -> list[str]:
        state = TransferState(code, world.clock.now(), "x", "/transfers/x", android_id)
        monkeypatch.setattr(rails, "transfer_state", lambda *_: state)
        return [one for one in world.look(look) if one == "moved_other"]

    for code in ("verified", "accepted"):
        assert moved(code, "ffff000011112222") == ["moved_other"]
        assert moved(code, met) == []
        assert moved(code, None) == [], "orders of before name none"
    assert moved("waived", "ffff000011112222") == []
    assert "moved_other" in REASONS
