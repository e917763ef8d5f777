"""The lock kinds at simulated phones over real ADB: every answer, every lie, never a second try, nothing told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent import lock, wire
from agent.boxes import Boxes
from agent.clock import steady
from agent.commands import CommandWorker
from agent.contacts import CountContacts, count_of
from agent.errors import TransportFault
from agent.hands import Hands
from agent.inbox import Inbox, Outcome, receive
from agent.lock import LockKind, set_command, verify_command
from agent.parsers.lock import set_code, verify_code
from agent.simulator.android.locksettings import LockLie, throttle_s
from agent.simulator.fleet import Fleet, Mode
from agent.simulator.make import make_phone
from agent.simulator.mksh import MkshRunner
from agent.simulator.state import AuthMode
from agent.sweep import Serials
from agent.transport import CommandResult, TransportOptions, open_transport
from tests.agent.builders import Box
from tests.support import adb as real_adb

OLD, NEW = "73915462", "canary 9'\"$(id)`x\\中文"
AGENT = "a1"


class Rig:
    """One phone and one gateway's worker; `order` gives what the worker made of one command."""

    def __init__(self, tmp_path: Path, mode: Mode = "canned", **state: Any) -> None:
        self.phone = make_phone(0)
        self.phone.identity.sdk = 33
        self.phone.lock_pin = OLD
        self.phone.auth = AuthMode.OPEN
        for name, value in state.items():
            setattr(self.phone, name, value)
        self.fleet = Fleet([self.phone], mode)
        self.key = X25519PrivateKey.generate()
        self.boxes = Boxes()
        self.box = Box(tmp_path / "spool.db")
        self.number = 0

    @contextmanager
    def up(self) -> Iterator[Rig]:
        with self.fleet:
            self.target = f"tcp:127.0.0.1:{self.fleet.ports[0]}"
            self.serials = Serials({self.target: self.phone.identity.serial})
            yield self
        self.box.database.close()

    def kind(self, what: lock.What, **changes: Any) -> LockKind:
        made = LockKind(
            what,
            self.key,
            self.boxes,
            TransportOptions(),
            Hands(),
            self.serials,
            lambda: [self.target],
            steady,
            1.0,
        )
        return replace(made, **changes)

    def worker(self, **changes: Any) -> CommandWorker:
        kinds = {name: self.kind(what, **changes) for name, what in lock.LOCK_KINDS.items()}
        return CommandWorker(
            Inbox(self.box.database, self.box.clock), kinds, self.box.clock, on_result=lambda: None
        )

    def command(
        self, kind: str = "check_lock", texts: dict[str, str] | None = None, **changes: Any
    ) -> wire.Command:
        self.number += 1
        made = wire.Command(
            f"c{self.number}", kind, AGENT, self.phone.identity.serial, tuple(self.phone.identity.imeis), {}, 60,
            wire.DANGER_PURPOSE,
        )  # fmt: skip
        made = replace(made, **changes)
        sealed = wire.seal_box(
            {"old": OLD} if texts is None else texts, self.key.public_key().public_bytes_raw(), command=made.id,
            agent=made.agent, serial=made.serial,
        )  # fmt: skip
        return replace(made, args={"order": "o1", "sealed": sealed, **made.args})

    def receive(self, command: wire.Command) -> None:
        with self.box.database.transaction() as db:
            receive(db, [self.boxes.put(command)], self.box.clock.now())

    def order(
        self, kind: str = "check_lock", texts: dict[str, str] | None = None, **changes: Any
    ) -> tuple[str, Any]:
        self.receive(self.command(kind, texts))
        worker = self.worker(**changes)
        assert worker.step() is True
        return self.result()

    def result(self) -> tuple[str, Any]:
        (told,) = self.box.send()["results"]
        return told["state"], told["detail"]


@pytest.fixture
def rig(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    with Rig(tmp_path, **getattr(request, "param", {})).up() as made:
        yield made


def settles(outcome: str, reason: str | None = None) -> tuple[str, dict[str, str]]:
    state = "failed" if outcome == "unknown" else "succeeded"
    return state, {"outcome": outcome, **({"reason": reason} if reason else {})}


def test_the_right_one_matches_in_one_try(rig: Rig) -> None:
    assert rig.order() == settles("match")
    assert (rig.phone.lock_tries, rig.phone.wrong_pins) == (1, 0)


def test_a_wrong_one_is_tried_once_and_its_echo_goes_nowhere(rig: Rig, caplog: Any, tmp_path: Path) -> None:
    wrong = "canary-4417'$x"
    with caplog.at_level(logging.DEBUG):
        assert rig.order(texts={"old": wrong}) == settles("mismatch")
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
    assert rig.order() == expected
    assert rig.phone.lock_tries <= 1


@pytest.mark.parametrize(
    ("sdk", "outcome", "tries"), [(26, "not_supported", 0), (27, "match", 1), (36, "match", 1)]
)
def test_by_release(rig: Rig, sdk: int, outcome: str, tries: int) -> None:
    rig.phone.identity.sdk = sdk
    assert rig.order() == settles(outcome)
    assert rig.phone.lock_tries == tries, "a phone that cannot is not even asked"


@pytest.mark.parametrize("new", ["86420913", NEW, "-dash", "--old", "a b c", "$(reboot)", "Pin set to 'x'"])
def test_set_is_proved_by_one_look(rig: Rig, new: str) -> None:
    assert rig.order("set_lock", {"old": OLD, "new": new}) == settles("set")
    assert rig.phone.lock_pin == new
    assert (rig.phone.lock_tries, rig.phone.wrong_pins) == (2, 0), "the old to change it, the new to prove it"


@pytest.mark.parametrize("new", ["86420913", NEW, "-d'ash", "`id`; exit 3", 'a\\b"c'])
def test_quoting_holds_in_a_real_mksh(tmp_path: Path, new: str) -> None:
    if not MkshRunner.available():
        pytest.skip("mksh and toybox are not installed")
    with Rig(tmp_path, "mksh").up() as rig:
        assert rig.order("set_lock", {"old": OLD, "new": new}) == settles("set")
        assert rig.phone.lock_pin == new


def test_a_phone_with_the_old_shell_alone(tmp_path: Path) -> None:
    if not MkshRunner.available():
        pytest.skip("mksh and toybox are not installed")
    with Rig(tmp_path, "mksh", shell_v2=False).up() as rig:
        assert rig.order(texts={"old": "wrong"}) == settles("mismatch")
        assert rig.order() == settles("match")


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
    assert rig.order("set_lock", {"old": old, "new": "86420913"}) == expected
    if expected[1]["outcome"] == "not_set":
        assert rig.phone.lock_pin == before
    assert rig.phone.wrong_pins <= 1


def test_nothing_goes_over_a_plain_network(rig: Rig, monkeypatch: Any) -> None:
    monkeypatch.setattr(lock, "SAFE_LINKS", lock.SAFE_LINKS - {"loopback"})
    before = rig.fleet.devices[0].counters.opens
    assert rig.order() == ("not_now", {"reason": "plaintext"})
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
        assert rig.order(texts={"old": NEW}, **way) == settles("mismatch")
        assert rig.order("set_lock", {"old": OLD, "new": NEW}, **way) == settles("set")
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

    monkeypatch.setattr(lock, "open_transport", lambda t, o: Plain(real(t, o)) if t == plain else real(t, o))
    rig.serials = Serials({plain: rig.phone.identity.serial, rig.target: rig.phone.identity.serial})
    assert rig.order(targets=lambda: [plain, rig.target]) == settles("match")


def test_another_phone_at_that_place_is_left_alone(rig: Rig) -> None:
    named = rig.phone.identity.serial
    rig.phone.identity.serial = "OTHER"
    rig.receive(rig.command(serial=named))
    rig.serials = Serials({rig.target: named})
    assert rig.worker().step()
    assert rig.result() == ("refused", {"reason": "other_phone"})
    rig.phone.identity.serial, rig.phone.identity.sdk = named, 28
    rig.phone.identity.imeis = ["356938035643809"]
    rig.receive(rig.command(imei=("490154203237518",)))
    assert rig.worker().step()
    assert rig.result() == ("refused", {"reason": "other_phone"}), (
        "the serial alone is not enough where IMEIs are known"
    )
    assert rig.phone.lock_tries == 0


def test_a_phone_that_tells_no_imei_is_known_by_its_serial(rig: Rig) -> None:
    imeis = tuple(rig.phone.identity.imeis) or ("490154203237518",)
    rig.phone.identity.imeis = []
    rig.receive(rig.command(imei=imeis))
    assert rig.worker().step()
    assert rig.result() == settles("match")


def test_an_absent_phone_is_not_now(rig: Rig) -> None:
    assert rig.order(targets=list) == ("not_now", {"reason": "not_seen"})
    rig.fleet.power_off(0)
    assert rig.order() == ("not_now", {"reason": "unreachable"})


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
    assert rig.result() == ("refused", {"reason": "bad_box"})
    assert rig.phone.lock_tries == 0


@pytest.mark.parametrize(
    "texts", [{}, {"old": ""}, {"old": "a\nb"}, {"old": "x" * 300}, {"old": OLD, "new": "x"}, {"new": "x"}]
)
def test_texts_that_this_kind_does_not_take(rig: Rig, texts: dict[str, str]) -> None:
    assert rig.order("check_lock", texts) == ("refused", {"reason": "bad_box"})


def test_a_set_without_a_new_one_is_refused(rig: Rig) -> None:
    assert rig.order("set_lock", {"old": OLD}) == ("refused", {"reason": "bad_box"})
    assert rig.phone.lock_pin == OLD


def test_the_key_of_reads_may_not_ask_for_this_nor_this_key_for_reads(rig: Rig) -> None:
    rig.receive(rig.command(purpose=wire.COMMAND_PURPOSE))
    assert rig.worker().step()
    assert rig.result() == ("refused", {"reason": "wrong_purpose"})
    reads = CommandWorker(
        Inbox(rig.box.database, rig.box.clock), {"check_lock": lambda _: Outcome("succeeded", {})}, rig.box.clock,
        on_result=lambda: None,
    )  # fmt: skip
    rig.receive(rig.command())
    assert reads.step()
    assert rig.result() == ("refused", {"reason": "wrong_purpose"})
    assert rig.phone.lock_tries == 0


def test_a_command_that_came_too_late_is_not_tried(rig: Rig) -> None:
    rig.receive(rig.command())
    rig.box.steady.now += 61
    assert rig.worker().step()
    assert rig.result() == ("expired", {"reason": "expired"})
    assert rig.phone.lock_tries == 0


def test_after_a_restart_before_the_act_it_asks_for_the_box_again(rig: Rig) -> None:
    sent = rig.command()
    rig.receive(sent)
    rig.boxes = Boxes()
    assert rig.worker().step()
    assert rig.result() == ("not_now", {"reason": "no_box"})
    rig.receive(sent)
    assert rig.worker().step()
    assert rig.result() == settles("match")
    rig.receive(sent)
    assert rig.worker().step() is False, "what was carried out is never carried out again"
    assert rig.result() == settles("match"), "its result is told again"
    assert rig.phone.lock_tries == 1


def test_a_restart_in_the_act_is_told_as_unknown(rig: Rig) -> None:
    sent = rig.command("set_lock", {"old": OLD, "new": "86420913"})
    rig.receive(sent)
    Inbox(rig.box.database, rig.box.clock).start(sent.id)
    rig.worker().drain(threading.Event())
    assert rig.result() == settles("unknown", "interrupted")
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
        assert rig.order(texts={"old": canary}) == settles("unknown", "internal")
    assert canary not in "".join(
        r.getMessage() + str(r.exc_info) for r in caplog.records if r.name.startswith("agent")
    )
    assert canary not in repr(lock._Texts(canary, canary))


def test_a_transport_error_tells_its_code_alone(rig: Rig, monkeypatch: Any) -> None:
    def broken(*_: Any) -> str:
        raise TransportFault(f"quoting {OLD}")

    monkeypatch.setattr(lock, "verify_code", broken)
    assert rig.order() == settles("unknown", "protocol")


# --- words --------------------------------------------------------------------


def said(out: str, code: int | None = 255, err: str = "") -> CommandResult:
    return CommandResult(out.encode(), err.encode(), code, 0.0, 0.0)


@pytest.mark.parametrize(
    ("out", "code", "expected"),
    [
        ("Lock credential verified successfully\n", 0, "match"),
        ("Lock credential verified successfully\r\n", 0, "match"),
        ("Lock credential verified successfully\n", 255, "words"),
        ("Lock credential verified successfully\n", None, "words"),
        ("Old password '1' didn't match\n", 255, "mismatch"),
        ("Old password 'Lock credential verified successfully' didn't match\n", 255, "mismatch"),
        ("Request throttled\n", 255, "throttled"),
        ("Request throttled\nOld password '1' didn't match\n", 255, "words"),
        ("Profile uses unified challenge\n", 255, "profile"),
        ("Old password provided but user has no password\n", 255, "no_lock"),
        ("User has a lock credential, but old credential was not provided\n", 255, "words"),
        ("", 0, "words"),
        ("Segmentation fault\n", 139, "words"),
        ("Unknown command: verify\n", 255, "not_supported"),
        ("cmd: Can't find service: lock_settings\n", 20, "not_supported"),
        ("/system/bin/sh: locksettings: not found\n", 127, "not_supported"),
        ("/system/bin/sh: locksettings: inaccessible or not found\n", 127, "not_supported"),
    ],
)
def test_words_of_verify(out: str, code: int | None, expected: str) -> None:
    assert verify_code(said(out, code)) == expected
    assert verify_code(said("", code, out)) == expected, "on either stream"


@pytest.mark.parametrize(
    ("new", "out", "code", "expected"),
    [
        ("1234", "Pin set to '1234'\n", 0, "set"),
        ("1234", "Pin set to '1235'\n", 0, "words"),
        ("12a4", "Password set to '12a4'\n", 0, "set"),
        ("12a4", "Pin set to '12a4'\n", 0, "words"),
        ("1234", "Pin set to '1234'\n", 1, "words"),
        ("1234", "New credential doesn't satisfy admin policies: Too short\n", 0, "policy"),
        ("1234", "Old password '1' didn't match\n", 255, "mismatch"),
    ],
)
def test_words_of_set(new: str, out: str, code: int, expected: str) -> None:
    assert set_code(said(out, code), new) == expected


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
    assert [rig.order(texts={"old": "0000"})[1]["outcome"] for _ in range(6)] == ["mismatch"] * 5 + [
        "throttled"
    ]
    rig.phone.throttled_until = 0.0
    assert rig.order() == settles("match")


# --- boxes ------------------------------------------------------------------------


def test_boxes_keep_few_and_not_for_long(rig: Rig) -> None:
    clock = rig.box.steady
    boxes = Boxes(clock)
    kept = boxes.put(rig.command())
    assert kept.args == {"order": "o1"}
    clock.now += 61
    assert boxes.take(kept.id) is None
    many = [boxes.put(rig.command()).id for _ in range(51)]
    assert boxes.take(many[0]) is None
    assert boxes.take(many[-1]) is not None
    assert boxes.take(many[-1]) is None
    plain = replace(rig.command(), args={"order": "o2"})
    assert boxes.put(plain) is plain


# --- contacts --------------------------------------------------------------------


@pytest.mark.parametrize(("rig", "told"), [({"contacts": 0}, 0), ({"contacts": 312}, 312)], indirect=["rig"])
def test_contacts_are_counted(rig: Rig, told: int) -> None:
    kind = CountContacts(TransportOptions(), Hands(), rig.serials, lambda: [rig.target], steady)
    assert kind(rig.command(purpose=wire.COMMAND_PURPOSE)) == Outcome("succeeded", {"contacts": told})
    assert kind(replace(rig.command(), serial="X")) == Outcome("not_now", {"reason": "not_seen"})


@pytest.mark.parametrize("rig", [{"contacts": None}], indirect=True)
def test_contacts_that_may_not_be_read_are_unknown(rig: Rig) -> None:
    kind = CountContacts(TransportOptions(), Hands(), rig.serials, lambda: [rig.target], steady)
    assert kind(rig.command()) == Outcome("succeeded", {"contacts": None, "reason": "denied"})


@pytest.mark.parametrize(
    ("out", "code", "number"),
    [
        ("Row: 0 _id=1\nRow: 1 _id=9\n", 0, 2),
        ("Row: 0 _id=1\nRow: 2 _id=9\n", 0, None),
        ("Row: 0 _id=1\nRow: 1 _i", 0, None),
        ("Row: 0 _id=1\n", 1, None),
        ("No result found.\n", 0, 0),
        ("", 0, None),
        ("[ERROR] Unsupported argument\n", 0, None),
    ],
)
def test_counts_are_taken_whole_or_not_at_all(out: str, code: int, number: int | None) -> None:
    assert count_of(said(out, code))[0] == number


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
