"""The lock kinds at simulated phones over real ADB: every answer, every lie, never a second try, nothing told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent import identity, lock, wire
from agent.boxes import Boxes
from agent.clock import steady
from agent.commands import CommandWorker
from agent.errors import TransportFault
from agent.inbox import Inbox, Outcome
from agent.lock import set_command, verify_command
from agent.simulator.android.locksettings import LockLie, throttle_s
from agent.simulator.mksh import MkshRunner
from agent.sweep import Serials
from agent.transport import TransportOptions, open_transport
from tests.agent.lock_rig import NEW, OLD, Rig, settles
from tests.support import adb as real_adb
from tests.support.orders import AGENT


@pytest.fixture
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    with Rig(tmp_path, **getattr(request, "param", {})).up() as made:
        yield made


def test_the_right_one_matches_in_one_try(rig: Rig) -> None:
    assert rig.tried() == settles("match")
    assert (rig.phone.lock_tries, rig.phone.wrong_pins) == (1, 0)


def test_a_wrong_one_is_tried_once_and_its_echo_goes_nowhere(rig: Rig, caplog: Any, tmp_path: Path) -> None:
    wrong = "canary-4417'$x"
    with caplog.at_level(logging.DEBUG):
        assert rig.tried(texts={"old": wrong}) == settles("mismatch")
    assert (rig.phone.lock_tries, rig.phone.wrong_pins) == (1, 1)
    assert all(rig.worker().step() is False for _ in range(3)), "never again by itself"
    assert not [r for r in caplog.records if r.name.startswith("agent") and "canary" in r.getMessage()]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"canary" not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("rig", "expected"),
    [
        ({"lock_pin": None}, settles("no_lock")),
        ({"unified_challenge": True}, settles("profile")),
        ({"throttled_until": steady() + 3600}, settles("throttled")),
        ({"lock_lie": LockLie.WRONG_EXIT}, settles("unknown", "words")),
        ({"lock_lie": LockLie.OTHER_WORDS}, settles("unknown", "words")),
        ({"lock_lie": LockLie.BOTH_WORDS}, settles("unknown", "words")),
        ({"lock_lie": LockLie.SAYS_NOTHING}, settles("unknown", "words")),
        ({"lock_lie": LockLie.NO_ANSWER}, settles("unknown", "dropped")),
    ],
    indirect=["rig"],
)
def test_each_answer_of_a_check(rig: Rig, expected: Any) -> None:
    assert rig.tried() == expected
    assert rig.phone.lock_tries <= 1


@pytest.mark.parametrize(
    ("sdk", "outcome", "tries"), [(26, "not_supported", 0), (27, "match", 1), (36, "match", 1)]
)
def test_by_release(rig: Rig, sdk: int, outcome: str, tries: int) -> None:
    rig.phone.identity.sdk = sdk
    assert rig.tried() == settles(outcome)
    assert rig.phone.lock_tries == tries, "a phone that cannot is not even asked"


@pytest.mark.parametrize("new", ["86420913", NEW, "-dash", "--old", "a b c", "$(reboot)", "Pin set to 'x'"])
def test_set_is_proved_by_one_look(rig: Rig, new: str) -> None:
    assert rig.tried("set_lock", {"old": OLD, "new": new}) == settles("set")
    assert rig.phone.lock_pin == new
    assert (rig.phone.lock_tries, rig.phone.wrong_pins) == (2, 0), "the old to change it, the new to prove it"


@pytest.mark.parametrize("new", ["86420913", NEW, "-d'ash", "`id`; exit 3", 'a\\b"c'])
def test_quoting_holds_in_a_real_mksh(tmp_path: Path, new: str) -> None:
    if not MkshRunner.available():
        pytest.skip("mksh and toybox are not installed")
    with Rig(tmp_path, "mksh").up() as rig:
        assert rig.tried("set_lock", {"old": OLD, "new": new}) == settles("set")
        assert rig.phone.lock_pin == new


def test_a_phone_with_the_old_shell_alone(tmp_path: Path) -> None:
    if not MkshRunner.available():
        pytest.skip("mksh and toybox are not installed")
    with Rig(tmp_path, "mksh", shell_v2=False).up() as rig:
        assert rig.tried(texts={"old": "wrong"}) == settles("mismatch")
        assert rig.tried() == settles("match")


@pytest.mark.parametrize(
    ("rig", "old", "expected"),
    [
        ({}, "00000000", settles("not_set", "mismatch")),
        ({"throttled_until": steady() + 3600}, OLD, settles("not_set", "throttled")),
        ({"lock_pin": None}, OLD, settles("not_set", "no_lock")),
        ({"unified_challenge": True}, OLD, settles("not_set", "profile")),
        ({"lock_least": 20}, OLD, settles("not_set", "policy")),
        ({"lock_lie": LockLie.SAYS_SET}, OLD, settles("unknown", "unverified")),
        ({"lock_lie": LockLie.SAYS_NOTHING}, OLD, settles("unknown", "words")),
        ({"lock_lie": LockLie.WRONG_EXIT}, OLD, settles("unknown", "words")),
        ({"lock_lie": LockLie.BOTH_WORDS}, OLD, settles("unknown", "words")),
        ({"lock_lie": LockLie.NO_ANSWER}, OLD, settles("unknown", "dropped")),
    ],
    indirect=["rig"],
)
def test_each_answer_of_a_set(rig: Rig, old: str, expected: Any) -> None:
    before = rig.phone.lock_pin
    assert rig.tried("set_lock", {"old": old, "new": "86420913"}) == expected
    if expected[1]["outcome"] == "not_set":
        assert rig.phone.lock_pin == before
    assert rig.phone.wrong_pins <= 1


def test_nothing_goes_over_a_plain_network(rig: Rig, monkeypatch: Any) -> None:
    monkeypatch.setattr(identity, "SAFE_LINKS", identity.SAFE_LINKS - {"loopback"})
    before = rig.fleet.devices[0].counters.opens
    assert rig.tried() == ("not_now", {"reason": "plaintext"})
    assert rig.fleet.devices[0].counters.opens == before, "not a word was sent on it"
    assert rig.phone.lock_tries == 0


def test_through_a_real_adb_server(rig: Rig, tmp_path: Path) -> None:
    found = real_adb.binaries()
    if not found:
        pytest.skip("no adb on this machine")
    with real_adb.running_server(next(iter(found.values())), tmp_path) as server:
        target = f"server:{server.connect(rig.fleet.ports[0])}"
        rig.serials = Serials({target: rig.phone.identity.serial})
        way: dict[str, Any] = {
            "options": TransportOptions(adb_server=server.address),
            "targets": lambda: [target],
        }
        assert rig.tried(texts={"old": NEW}, **way) == settles("mismatch")
        assert rig.tried("set_lock", {"old": OLD, "new": NEW}, **way) == settles("set")
        assert rig.phone.lock_pin == NEW
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"canary" not in path.read_bytes(), path


def test_a_plain_way_is_passed_over_for_a_safe_one(rig: Rig, monkeypatch: Any) -> None:
    plain = f"tcp:localhost:{rig.fleet.ports[0]}"
    real = open_transport

    class Plain:
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        def __getattr__(self, name: str) -> Any:
            return "plain_tcp" if name == "link" else getattr(self._inner, name)

        def __enter__(self) -> Plain:
            return self

        def __exit__(self, *_: object) -> None:
            self._inner.close()

    monkeypatch.setattr(
        identity, "open_transport", lambda t, o: Plain(real(t, o)) if t == plain else real(t, o)
    )
    rig.serials = Serials({plain: rig.phone.identity.serial, rig.target: rig.phone.identity.serial})
    assert rig.tried(targets=lambda: [plain, rig.target]) == settles("match")


def test_another_phone_at_that_place_is_left_alone(rig: Rig) -> None:
    named = rig.phone.identity.serial
    rig.phone.identity.serial = "OTHER"
    rig.receive(rig.command(serial=named))
    rig.serials = Serials({rig.target: named})
    assert rig.worker().step()
    assert rig.told() == ("refused", {"reason": "other_phone"})
    rig.phone.identity.serial, rig.phone.identity.sdk = named, 28
    rig.phone.identity.imeis = ["356938035643809"]
    rig.receive(rig.command(imei=("490154203237518",)))
    assert rig.worker().step()
    assert rig.told() == ("refused", {"reason": "other_phone"}), (
        "the serial alone is not enough where IMEIs are known"
    )
    assert rig.phone.lock_tries == 0


def test_a_phone_that_tells_no_imei_is_known_by_its_serial(rig: Rig) -> None:
    imeis = tuple(rig.phone.identity.imeis) or ("490154203237518",)
    rig.phone.identity.imeis = []
    rig.receive(rig.command(imei=imeis))
    assert rig.worker().step()
    assert rig.told() == settles("match")


def test_an_absent_phone_is_not_now(rig: Rig) -> None:
    assert rig.tried(targets=list) == ("not_now", {"reason": "not_seen"})
    rig.fleet.power_off(0)
    assert rig.tried() == ("not_now", {"reason": "unreachable"})


@pytest.mark.parametrize("change", ["agent", "id", "serial", "key", "rubbish", "none", "list", "extra"])
def test_a_box_opens_for_its_own_order_alone(rig: Rig, change: str) -> None:
    sent = rig.command()
    sealed: Any = sent.args["sealed"]
    if change == "agent":
        sent = replace(sent, agent="other")
    if change == "id":
        sent = replace(sent, id="other")
    if change == "serial":
        sealed = rig.command(serial="OTHER", id=sent.id).args["sealed"]
    if change == "key":
        rig.key = X25519PrivateKey.generate()
    sealed = {"rubbish": "x" * 40, "list": ["x"], "extra": "A" * 10_000}.get(change, sealed)
    if change == "none":
        sealed = rig.command(texts={"new": "1"}).args["sealed"]
    rig.receive(replace(sent, args={"sealed": sealed}))
    assert rig.worker().step()
    assert rig.told() == ("refused", {"reason": "bad_box"})
    assert rig.phone.lock_tries == 0


@pytest.mark.parametrize(
    "texts", [{}, {"old": ""}, {"old": "a\nb"}, {"old": "x" * 300}, {"old": OLD, "new": "x"}, {"new": "x"}]
)
def test_texts_that_this_kind_does_not_take(rig: Rig, texts: dict[str, str]) -> None:
    assert rig.tried("check_lock", texts) == ("refused", {"reason": "bad_box"})


def test_a_set_without_a_new_one_is_refused(rig: Rig) -> None:
    assert rig.tried("set_lock", {"old": OLD}) == ("refused", {"reason": "bad_box"})
    assert rig.phone.lock_pin == OLD


def test_the_key_of_reads_may_not_ask_for_this_nor_this_key_for_reads(rig: Rig) -> None:
    rig.receive(rig.command(purpose=wire.COMMAND_PURPOSE))
    assert rig.worker().step()
    assert rig.told() == ("refused", {"reason": "wrong_purpose"})
    reads = CommandWorker(
        Inbox(rig.box.database, rig.box.clock), {"check_lock": lambda _: Outcome("succeeded", {})}, rig.box.clock,
        on_result=lambda: None,
    )  # fmt: skip
    rig.receive(rig.command())
    assert reads.step()
    assert rig.told() == ("refused", {"reason": "wrong_purpose"})
    assert rig.phone.lock_tries == 0


def test_a_command_that_came_too_late_is_not_tried(rig: Rig) -> None:
    rig.receive(rig.command())
    rig.box.steady.now += 61
    assert rig.worker().step()
    assert rig.told() == ("expired", {"reason": "expired"})
    assert rig.phone.lock_tries == 0


def test_after_a_restart_before_the_act_it_asks_for_the_box_again(rig: Rig) -> None:
    sent = rig.command()
    rig.receive(sent)
    rig.boxes = Boxes()
    assert rig.worker().step()
    assert rig.told() == ("not_now", {"reason": "no_box"})
    rig.receive(sent)
    assert rig.worker().step()
    assert rig.told() == settles("match")
    rig.receive(sent)
    assert rig.worker().step() is False, "what was carried out is never carried out again"
    assert rig.told() == settles("match"), "its result is told again"
    assert rig.phone.lock_tries == 1


def test_a_restart_in_the_act_is_told_as_unknown(rig: Rig) -> None:
    sent = rig.command("set_lock", {"old": OLD, "new": "86420913"})
    rig.receive(sent)
    Inbox(rig.box.database, rig.box.clock).start(sent.id)
    rig.worker().drain(threading.Event())
    assert rig.told() == settles("unknown", "interrupted")
    rig.receive(sent)
    assert rig.worker().step() is False
    assert rig.phone.lock_tries == 0


def test_nothing_that_goes_wrong_within_the_act_tells_what_was_tried(
    rig: Rig, monkeypatch: Any, caplog: Any
) -> None:
    canary = "canary-5561"

    def burst(*_: Any) -> str:
        raise RuntimeError(f"at {canary}")

    monkeypatch.setattr(lock, "verify_code", burst)
    with caplog.at_level(logging.DEBUG, "agent"):
        assert rig.tried(texts={"old": canary}) == settles("unknown", "internal")
    assert canary not in "".join(
        r.getMessage() + str(r.exc_info) for r in caplog.records if r.name.startswith("agent")
    )
    assert canary not in repr(lock._Texts(canary, canary))


def test_a_transport_error_tells_its_code_alone(rig: Rig, monkeypatch: Any) -> None:
    def broken(*_: Any) -> str:
        raise TransportFault(f"quoting {OLD}")

    monkeypatch.setattr(lock, "verify_code", broken)
    assert rig.tried() == settles("unknown", "protocol")


def test_commands_are_quoted() -> None:
    assert verify_command("a'b c") == "locksettings verify --old 'a'\"'\"'b c' --user 0"
    assert set_command("1", "23") == "locksettings set-pin --old 1 --user 0 23"
    assert set_command("1", "２３") == "locksettings set-password --old 1 --user 0 '２３'"
    assert set_command("1", "-x") == "locksettings set-password --old 1 --user 0 -- -x"


def test_throttling_as_gatekeeper_has_it() -> None:
    assert [throttle_s(n) for n in (0, 4, 5, 6, 10, 11, 29, 39, 40, 139, 140)] == [
        0, 0, 30, 0, 30, 30, 30, 30, 60, 30 * 2**10, 86_400,
    ]  # fmt: skip


def test_a_phone_counts_wrong_tries_and_waits(rig: Rig) -> None:
    assert [rig.tried(texts={"old": "0000"})[1]["outcome"] for _ in range(6)] == ["mismatch"] * 5 + [
        "throttled"
    ]
    rig.phone.throttled_until = 0.0
    assert rig.tried() == settles("match")


def test_boxes_keep_few_and_not_for_long(rig: Rig) -> None:
    clock = rig.box.steady
    boxes = Boxes(clock)
    kept = boxes.put(rig.command())
    assert kept.args == {"order": "o1", "sealed": True}, "that there was a box, and not what it was"
    clock.now += 61
    assert boxes.take(kept.id) is None
    many = [boxes.put(rig.command()).id for _ in range(51)]
    assert boxes.take(many[0]) is None
    assert boxes.take(many[-1]) is not None
    assert boxes.take(many[-1]) is None
    plain = replace(rig.command(), args={"order": "o2"})
    assert boxes.put(plain) is plain


def test_a_signed_order_is_for_one_agent_and_purpose() -> None:
    key, reads = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    command = wire.Command("c1", "check_lock", AGENT, "S1", (), {}, 60, wire.DANGER_PURPOSE)
    envelope = wire.seal_command(command, key)
    keys = {wire.COMMAND_PURPOSE: reads.public_key(), wire.DANGER_PURPOSE: key.public_key()}
    assert wire.open_command(envelope, keys, AGENT) == command

    def refused(changed: Any, with_keys: Any = keys, agent: str = AGENT) -> str:
        with pytest.raises(wire.WireError) as told:
            wire.open_command(changed, with_keys, agent)
        return told.value.code

    assert refused(envelope, {wire.COMMAND_PURPOSE: reads.public_key()}) == "no_key"
    assert refused({**envelope, "purpose": wire.COMMAND_PURPOSE}) == "bad_command"
    assert refused({**envelope, "purpose": 3}) == "bad_command"
    assert refused({**envelope, "purpose": "certificate"}) == "no_key"
    assert refused(wire.seal_command(command, reads)) == "bad_command"
    assert refused(envelope, agent="a2") == "foreign_command"
    # A signature of one purpose serves no other, even if both had the same key.
    same = {wire.COMMAND_PURPOSE: key.public_key(), wire.DANGER_PURPOSE: key.public_key()}
    assert refused({k: v for k, v in envelope.items() if k != "purpose"}, same) == "bad_command"
