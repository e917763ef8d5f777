"""The order to erase a phone at simulated ones over real ADB: every refusal, every answer, every lie."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent import identity, wipe, wire
from agent.boxes import Boxes
from agent.errors import TransportFault
from agent.guard import guard
from agent.inbox import Inbox
from agent.parsers.wipe import cleared_code, enable_code, harness_code
from agent.simulator.android.locksettings import LockLie
from agent.simulator.android.testharness import HarnessLie
from agent.simulator.mksh import MkshRunner
from agent.simulator.state import Account
from agent.sweep import Serials
from agent.transport import TransportOptions
from tests.agent.lock_rig import said
from tests.agent.wipe_rig import PIN, WipeRig
from tests.support import adb as real_adb

ACCEPTED = ("succeeded", {"outcome": "accepted"})
OTHER_IMEI = "490154203237518"


@pytest.fixture
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[WipeRig]:
    with WipeRig(tmp_path, **getattr(request, "param", {})).up() as made:
        yield made


def refused(reason: str, **told: Any) -> tuple[str, dict[str, Any]]:
    return "refused", {"reason": reason, **told}


def unknown(reason: str) -> tuple[str, dict[str, Any]]:
    return "failed", {"outcome": "unknown", "reason": reason}


def test_the_named_phone_is_erased_and_only_android_says_accepted(rig: WipeRig) -> None:
    sent = rig.command()
    assert rig.order(sent) == ACCEPTED
    assert rig.stages == ["checked", "sent"]
    rig.settle()
    assert rig.resets == [1]
    rig.receive(sent)
    assert rig.worker().step() is False, "an order that was carried out is never carried out again"
    assert rig.told() == ACCEPTED, "its result is told again"
    assert (rig.phones[0].wipe_orders, rig.phones[0].resets) == (1, 1)


def test_a_locked_phone_is_opened_with_one_try(rig: WipeRig, caplog: Any, tmp_path: Path) -> None:
    rig.phones[0].lock_pin = PIN
    with caplog.at_level(logging.DEBUG, "agent"):
        assert rig.order(rig.command(texts={"old": PIN})) == ACCEPTED
    assert rig.stages == ["checked", "lock_cleared", "sent"]
    rig.settle()
    assert (rig.resets, rig.phones[0].lock_tries) == ([1], 1)
    assert PIN not in caplog.text
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or PIN.encode() not in path.read_bytes(), path


def _given(**args: Any) -> dict[str, Any]:
    return {"args": args}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (_given(strategy="guided"), "bad_args"),
        (_given(strategy=None), "bad_args"),
        (_given(expect=None), "bad_args"),
        (_given(expect=["x"]), "bad_args"),
        (_given(expect={"android_id": 7}), "bad_args"),
        (_given(expect={"android_id": None, "boot_id": None}), "expect"),
        (_given(expect={}), "expect"),
        (_given(expect={"android_id": "0" * 16, "boot_id": None}), "expect"),
        (_given(imei_typed=7), "bad_args"),
        (_given(imei_typed="123456789012345"), "bad_args"),
        (_given(imei_typed=None), "no_imei"),
        (_given(imei_typed=OTHER_IMEI), "other_phone"),
        ({"expires_in_s": 601}, "no_imei"),
        ({"imei": ()}, "other_phone"),
        ({"imei": (), "args": {"imei_typed": None}}, "no_imei"),
        ({"texts": {"old": ""}}, "bad_box"),
        ({"texts": {"old": "a\nb"}}, "bad_box"),
        ({"texts": {"old": PIN, "new": "1"}}, "bad_box"),
        ({"texts": {"new": "1"}}, "bad_box"),
    ],
)
def test_what_the_server_asks_is_refused(rig: WipeRig, changes: dict[str, Any], reason: str) -> None:
    assert rig.order(rig.command(0, **changes)) == refused(reason)
    assert (rig.stages, rig.phones[0].wipe_orders, rig.phones[0].lock_tries) == ([], 0, 0)


def test_a_boot_that_nobody_looked_at_is_not_erased(rig: WipeRig) -> None:
    sent = rig.command()
    rig.fleet.reboot(0)
    assert rig.order(sent) == refused("expect")
    expect = {"android_id": rig.phones[0].identity.android_id, "boot_id": None}
    assert rig.order(rig.command(args={"expect": expect})) == ACCEPTED


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"accounts": [Account(0, "com.google", "a@b")]}, "accounts"),
        ({"accounts": [Account(999, "com.xiaomi", "1")]}, "accounts"),
        ({"persistent_block": False}, "no_block"),
        ({"test_harness_service": False}, "not_supported"),
        ({"lock_pin": PIN}, "lock_set"),
    ],
)
def test_what_the_phone_is_like_is_refused_before_anything_is_done(
    tmp_path: Path, state: dict[str, Any], reason: str
) -> None:
    with WipeRig(tmp_path, **state).up() as rig:
        texts = {"old": PIN} if reason in ("no_block", "not_supported", "accounts") else None
        assert rig.order(rig.command(texts=texts)) == refused(reason)
        assert (rig.phones[0].wipe_orders, rig.phones[0].lock_tries, rig.stages) == (0, 0, [])


@pytest.mark.parametrize("sdk", [26, 28])
def test_before_android_10_there_is_no_such_order(rig: WipeRig, sdk: int) -> None:
    rig.phones[0].identity.sdk = sdk
    assert rig.order(rig.command()) == refused("too_old")


def test_accounts_that_cannot_be_read_are_not_none(rig: WipeRig, monkeypatch: Any) -> None:
    real = vars(identity)["read_snapshot"]

    def blind(*args: Any, **kwargs: Any) -> Any:
        snapshot = real(*args, **kwargs)
        return replace(snapshot, body={**snapshot.body, "accounts": None})

    monkeypatch.setattr(identity, "read_snapshot", blind)
    assert rig.order(rig.command()) == refused("accounts")


def test_a_reading_that_was_cut_is_not_acted_on(rig: WipeRig, monkeypatch: Any) -> None:
    real = vars(identity)["read_snapshot"]
    monkeypatch.setattr(identity, "read_snapshot", lambda *a, **k: replace(real(*a, **k), whole=False))
    assert rig.order(rig.command()) == ("not_now", {"reason": "dropped"})
    assert rig.phones[0].wipe_orders == 0


def test_a_phone_that_tells_its_imei_needs_nobody_to_type_it(rig: WipeRig) -> None:
    mine = rig.phones[0].identity.imeis[1]
    rig.phones[0].properties["ro.ril.oem.imei"] = mine
    assert rig.order(rig.command(args={"imei_typed": None}, expires_in_s=900)) == ACCEPTED


def test_another_imei_behind_the_same_serial_is_another_phone(rig: WipeRig) -> None:
    sent = rig.command()
    rig.phones[0].properties["ro.ril.oem.imei"] = OTHER_IMEI
    assert rig.order(sent) == refused("other_phone")


@pytest.mark.parametrize(
    ("state", "reason", "told"),
    [
        ({"lock_pin": "other"}, "lock_wrong", {}),
        ({"throttled_until": 1e18}, "lock_throttled", {}),
        ({"unified_challenge": True}, "lock_profile", {}),
        ({"lock_lie": LockLie.SAYS_NOTHING}, "lock_unclear", {"lock_cleared": None}),
        ({"lock_lie": LockLie.OTHER_WORDS}, "lock_unclear", {"lock_cleared": None}),
        ({"lock_lie": LockLie.WRONG_EXIT}, "lock_unclear", {"lock_cleared": None}),
        ({"lock_lie": LockLie.NO_ANSWER}, "lock_unclear", {"lock_cleared": None}),
    ],
)
def test_a_lock_that_does_not_open_ends_it_after_one_try(
    tmp_path: Path, state: dict[str, Any], reason: str, told: dict[str, Any]
) -> None:
    with WipeRig(tmp_path, **({"lock_pin": PIN} | state)).up() as rig:
        assert rig.order(rig.command(texts={"old": PIN})) == refused(reason, **told)
        assert rig.stages == ["checked"]
        assert (rig.phones[0].wipe_orders, rig.phones[0].lock_tries <= 1) == (0, True)


def test_a_lock_that_shows_nowhere_is_androids_to_refuse(rig: WipeRig) -> None:
    """Android 10 does not say whether a lock is set; an open one says "no password", and the order goes on."""
    rig.phones[0].identity.sdk, rig.phones[0].screen_on = 29, True
    assert rig.order(rig.command(texts={"old": PIN})) == ACCEPTED
    rig.settle()
    rig.phones[0].lock_pin, rig.phones[0].screen_on = PIN, True
    assert rig.order(rig.command()) == refused("lock_set")
    assert rig.stages == ["checked", "sent"]
    assert rig.resets == [1]


@pytest.mark.parametrize(
    ("lie", "told", "resets"),
    [
        (HarnessLie.DOES_NOTHING, ACCEPTED, 0),
        (HarnessLie.KEEPS_MEDIA, ACCEPTED, 1),
        (HarnessLie.OTHER_WORDS, unknown("words"), 1),
        (HarnessLie.LOST_BEFORE, unknown("dropped"), 0),
        (HarnessLie.LOST_AFTER, unknown("dropped"), 1),
        (HarnessLie.SILENT_BEFORE, unknown("timeout"), 0),
        (HarnessLie.SILENT_AFTER, unknown("timeout"), 1),
    ],
)
def test_each_lie_is_told_as_no_more_than_what_was_heard(
    tmp_path: Path, monkeypatch: Any, lie: HarnessLie, told: Any, resets: int
) -> None:
    monkeypatch.setattr(wipe, "ORDER_S", 0.3)
    with WipeRig(tmp_path, harness_lie=lie).up() as rig:
        said = rig.order(rig.command())
        # A phone that goes off at once may take the connection with it before the wait is over.
        assert said == told or (lie == HarnessLie.SILENT_AFTER and said == unknown("dropped"))
        rig.settle()
        assert (rig.resets, rig.phones[0].wipe_orders) == ([resets], 1)


def test_nothing_goes_over_a_plain_network(rig: WipeRig, monkeypatch: Any) -> None:
    monkeypatch.setattr(identity, "SAFE_LINKS", identity.SAFE_LINKS - {"loopback"})
    before = rig.fleet.devices[0].counters.opens
    assert rig.order(rig.command()) == ("not_now", {"reason": "plaintext"})
    assert rig.fleet.devices[0].counters.opens == before, "not a word was sent on it"


def test_an_absent_phone_is_not_now(rig: WipeRig) -> None:
    sent = rig.command()
    rig.fleet.power_off(0)
    assert rig.order(sent) == ("not_now", {"reason": "unreachable"})
    rig.targets.clear()
    assert rig.order(rig.command()) == ("not_now", {"reason": "not_seen"})


def test_an_order_too_late_is_not_given_wherever_the_time_went(rig: WipeRig, monkeypatch: Any) -> None:
    rig.phones[0].lock_pin = PIN
    rig.receive(rig.command(texts={"old": PIN}))
    rig.box.steady.now += 601
    assert rig.worker().step()
    assert rig.told() == ("expired", {"reason": "expired"})

    def slow(name: str) -> None:
        """The call takes longer than the order lasts."""
        real = vars(wipe)[name]

        def called(*args: Any) -> Any:
            rig.box.steady.now += 601
            return real(*args)

        monkeypatch.setattr(wipe, name, called)

    slow("_look")
    assert rig.order(rig.command(texts={"old": PIN})) == ("expired", {"reason": "expired"})
    assert rig.phones[0].lock_tries == 0
    monkeypatch.undo()
    slow("cleared_code")
    late = ("expired", {"reason": "expired", "lock_cleared": True})
    assert rig.order(rig.command(texts={"old": PIN})) == late
    assert rig.phones[0].wipe_orders == 0
    assert rig.phones[0].lock_pin is None


def test_after_a_restart_of_the_gateway_an_order_has_no_time_left(rig: WipeRig) -> None:
    rig.receive(rig.command())
    rig.box.restart("g2")
    assert rig.worker().step()
    assert rig.told() == ("expired", {"reason": "expired"})


def test_after_a_restart_of_the_agent_the_box_is_asked_for_again(rig: WipeRig) -> None:
    rig.phones[0].lock_pin = PIN
    sent = rig.command(texts={"old": PIN})
    rig.receive(sent)
    rig.boxes = Boxes()
    assert rig.worker().step()
    assert rig.told() == ("not_now", {"reason": "no_box"})
    rig.receive(sent)
    assert rig.worker().step()
    assert rig.told() == ACCEPTED


def test_an_order_that_was_cut_off_is_unknown_and_never_given_again(rig: WipeRig) -> None:
    sent = rig.command()
    rig.receive(sent)
    Inbox(rig.box.database, rig.box.clock).start(sent.id)
    rig.worker().drain(threading.Event())
    assert rig.told() == unknown("interrupted")
    rig.receive(sent)
    assert rig.worker().step() is False
    assert rig.phones[0].wipe_orders == 0


@pytest.mark.parametrize("change", ["agent", "id", "serial", "rubbish"])
def test_a_box_opens_for_its_own_order_alone(rig: WipeRig, change: str) -> None:
    sent = rig.command(texts={"old": PIN})
    changed = {
        "agent": replace(sent, agent="other"),
        "id": replace(sent, id="other"),
        "serial": replace(rig.command(texts={"old": PIN}, serial="OTHER1"), serial=sent.serial),
        "rubbish": replace(sent, args={**sent.args, "sealed": "x"}),
    }[change]
    assert rig.order(changed) == refused("bad_box")


def test_the_key_of_reads_may_not_ask_for_this(rig: WipeRig) -> None:
    assert rig.order(rig.command(purpose=wire.COMMAND_PURPOSE)) == refused("wrong_purpose")
    assert rig.phones[0].wipe_orders == 0


def test_nothing_that_goes_wrong_within_the_act_tells_what_was_tried(
    rig: WipeRig, monkeypatch: Any, caplog: Any
) -> None:
    rig.phones[0].lock_pin = PIN

    def burst(*_: Any) -> str:
        raise RuntimeError(f"at {PIN}")

    monkeypatch.setattr(wipe, "cleared_code", burst)
    with caplog.at_level(logging.DEBUG, "agent"):
        assert rig.order(rig.command(texts={"old": PIN})) == refused("lock_unclear", lock_cleared=None)
    monkeypatch.setattr(wipe, "cleared_code", lambda _: (_ for _ in ()).throw(TransportFault(PIN)))
    rig.phones[0].lock_pin = PIN
    assert rig.order(rig.command(texts={"old": PIN})) == refused("lock_unclear", lock_cleared=None)
    assert PIN not in "".join(r.getMessage() + str(r.exc_info) for r in caplog.records)


def test_through_a_real_adb_server(rig: WipeRig, tmp_path: Path) -> None:
    found = real_adb.binaries()
    if not found:
        pytest.skip("no adb on this machine")
    rig.phones[0].lock_pin, rig.phones[0].reset_after_s = PIN, 0.5
    with real_adb.running_server(next(iter(found.values())), tmp_path) as server:
        target = f"server:{server.connect(rig.fleet.ports[0])}"
        rig.serials = Serials({target: rig.phones[0].identity.serial})
        rig.targets, rig.options = [target], TransportOptions(adb_server=server.address)
        assert rig.order(rig.command(texts={"old": PIN})) == ACCEPTED
        rig.settle()
    assert rig.resets == [1]


@pytest.mark.parametrize("shell_v2", [True, False])
def test_in_a_real_shell_the_guard_holds(tmp_path: Path, shell_v2: bool) -> None:
    if not MkshRunner.available():
        pytest.skip("mksh and toybox are not installed")
    secret = 'a\'b $(id) `x` "c"'
    with WipeRig(tmp_path, 2, "mksh", shell_v2=shell_v2, lock_pin=secret).up() as rig:
        assert rig.order(rig.command(texts={"old": secret})) == ACCEPTED
        rig.settle()
        assert rig.resets == [1, 0]
        for serial, boot_id in (("OTHER", rig.phones[1].boot_id), (rig.phones[1].identity.serial, "0" * 36)):
            with rig.at_hand(rig.command(1)) as held:
                line = f"{guard(serial, boot_id)}\n{wipe.enable_command()}"
                assert enable_code(held.transport.run(line, 10.0)) == "other_phone"
        assert rig.phones[1].wipe_orders == 0


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (said("", 0), "accepted"),
        (said("", 93), "other_phone"),
        (said("\n", None), "words"),
        (said("", 1), "words"),
        (said("ok", 0), "words"),
        (said("", 0, "Test Harness Mode cannot be enabled if there is a lock screen"), "words"),
        (said("Test Harness Mode cannot be enabled if there is a lock screen\n", 2), "lock_set"),
        (said("Test Harness Mode cannot be enabled if there is a lock screen\nmore\n", 2), "words"),
        (said("Failed to enable Test Harness Mode", 1), "no_block"),
        (said("Failed to enable Test Harness Mode", 0), "words"),
        (said("cmd: Can't find service: testharness", 20), "not_supported"),
        (said("x", 93), "words"),
    ],
)
def test_words_and_exit_code_must_agree(result: Any, code: str) -> None:
    assert enable_code(result) == code


def test_words_of_a_cleared_lock() -> None:
    assert cleared_code(said("Lock credential cleared\n", 0)) == "cleared"
    assert cleared_code(said("Lock credential cleared\n", 255)) == "words"
    assert cleared_code(said(f"Old password '{PIN}' didn't match")) == "mismatch"
    assert cleared_code(said("", 93)) == "other_phone"
    assert cleared_code(said("", 0)) == "words"


def test_whether_a_phone_can_at_all() -> None:
    found = "Service testharness: found\n"
    assert harness_code("/dev/block/frp\n", found) is None
    assert harness_code("\n", found) == "no_block"
    assert harness_code("/dev/x", "Service testharness: not found\n") == "not_supported"
    assert harness_code("/dev/x", "Permission denied") == "words"
