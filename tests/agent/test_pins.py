"""The key of dangerous commands: pinned once, from the server alone, on disk before it is used."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent import wire
from agent.batches import Batches
from agent.client import Client
from agent.enrol import enrol, renew
from agent.instant import site_clock
from agent.pins import KeyPins
from agent.reporter import Reporter
from agent.state import Identity, State, StateError
from tests.agent.builders import STATE, Box
from tests.agent.stub_server import Stub

COMMANDS, DANGER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
RAW = DANGER.public_key().public_bytes_raw()


def identity(kind: Any = "gateway", danger: str = "") -> Identity:
    key = wire.b64(COMMANDS.public_key().public_bytes_raw())
    return Identity("https://h", "a1", key, "n", kind, 60, danger)


def told(raw: bytes = RAW, agent: str = "a1", by: Ed25519PrivateKey = COMMANDS) -> wire.PurposeKey:
    return wire.tell_key(wire.DANGER_PURPOSE, raw, agent, by)


def test_the_first_is_pinned_and_another_refused(state: State, caplog: Any) -> None:
    state.save_identity(identity())
    pins = KeyPins(identity(), state.save_identity)
    assert set(pins.keys) == {wire.COMMAND_PURPOSE}
    pins.learn(None)
    pins.learn(told())
    assert pins.keys[wire.DANGER_PURPOSE].public_bytes_raw() == RAW
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with caplog.at_level(logging.ERROR, "agent"):
        pins.learn(told(other))
        pins.learn(told(other))
    said = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == 1, "said once, not at each check-in"
    kept = state.identity()
    assert kept is not None
    again = KeyPins(kept, state.save_identity)
    again.learn(told(other))
    assert again.keys[wire.DANGER_PURPOSE].public_bytes_raw() == RAW, "after a restart too"


@pytest.mark.parametrize(
    "bad",
    [
        told(agent="a2"),
        told(by=Ed25519PrivateKey.generate()),
        {**told(), "key": wire.b64(bytes(32))},
        {**told(), "key": "x"},
        {"key": wire.b64(RAW)},
        {**told(), "signature": 3},
        "text",
        [],
    ],
)
def test_what_the_command_key_does_not_vouch_for_is_not_pinned(bad: Any) -> None:
    pins = KeyPins(identity())
    pins.learn(bad)
    assert set(pins.keys) == {wire.COMMAND_PURPOSE}


def test_an_agent_on_a_phone_pins_none() -> None:
    pins = KeyPins(identity("self"))
    pins.learn(told())
    assert set(pins.keys) == {wire.COMMAND_PURPOSE}


def test_a_key_that_cannot_be_kept_is_not_used() -> None:
    def full(_: Identity) -> None:
        raise StateError("no space")

    pins = KeyPins(identity(), full)
    pins.learn(told())
    assert set(pins.keys) == {wire.COMMAND_PURPOSE}


def test_a_damaged_pin_is_told(state: State) -> None:
    state.save_identity(identity(danger="rubbish"))
    with pytest.raises(StateError):
        state.identity()


def test_a_renewed_agent_pins_anew(stub: Stub, state: State) -> None:
    enrol(state, wire.EnrolmentCode.parse(stub.code()), name="n", kind="gateway")
    known = state.identity()
    assert known is not None
    KeyPins(known, state.save_identity).learn(told(agent=known.agent_id, by=stub.command_key))
    assert json.loads((state.path / "agent.json").read_text())["danger_key"] == wire.b64(RAW)
    stub.tokens["second"] = None
    renew(state, wire.EnrolmentCode.parse(stub.code("second")), name="n", kind="gateway")
    assert json.loads((state.path / "agent.json").read_text())["danger_key"] == ""


def test_a_sealed_part_is_in_no_file_of_the_agent(stub: Stub, state: State) -> None:
    """Command and key come in one answer; what is stored of the command is all but its box."""
    known = enrol(state, wire.EnrolmentCode.parse(stub.code()), name="n", kind="gateway")
    box = Box(state.spool)
    sealed = wire.seal_box(
        {"old": "canary-1"}, state.keys().x25519.public_key().public_bytes_raw(), command="c1", agent=known.agent_id,
        serial="S1",
    )  # fmt: skip
    command = wire.Command(
        "c1",
        "check_lock",
        known.agent_id,
        "S1",
        (),
        {"order": "o1", "sealed": sealed},
        60,
        wire.DANGER_PURPOSE,
    )
    stub.dangerous = [(command, DANGER)]
    stub.answer_more = {"danger_key": told(agent=known.agent_id, by=stub.command_key)}
    client = Client(stub.url, state.keys().ed25519, known.agent_id)
    pins = KeyPins(known, state.save_identity)
    reporter = Reporter(
        Batches(box.spool, site_clock()),
        client,
        known,
        status=lambda: STATE,
        on_commands=lambda: None,
        pins=pins,
    )
    reporter.check_in()
    client.close()
    with box.database.transaction() as db:
        ((body,),) = db.execute("SELECT body FROM command").fetchall()
    assert json.loads(body)["args"] == {"order": "o1", "sealed": True}
    assert json.loads(body)["purpose"] == wire.DANGER_PURPOSE
    box.database.close()
    for path in state.path.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert sealed.encode() not in raw
            assert b"canary" not in raw


def test_a_dangerous_order_that_answers_another_request_is_not_taken(stub: Stub, state: State) -> None:
    """Somebody between keeps an answer back and gives it later, whole and well signed."""
    known = enrol(state, wire.EnrolmentCode.parse(stub.code()), name="n", kind="gateway")
    box = Box(state.spool)
    pins = KeyPins(known, state.save_identity)
    pins.learn(told(agent=known.agent_id, by=stub.command_key))
    client = Client(stub.url, state.keys().ed25519, known.agent_id)
    reporter = Reporter(
        Batches(box.spool, site_clock()),
        client,
        known,
        status=lambda: STATE,
        on_commands=lambda: None,
        pins=pins,
    )

    def stored() -> list[str]:
        reporter.check_in()
        with box.database.transaction() as db:
            return [row[0] for row in db.execute("SELECT id FROM command").fetchall()]

    order = wire.Command("w1", "wipe_phone", known.agent_id, "S1", (), {}, 60, wire.DANGER_PURPOSE)
    reporter.check_in()
    stub.commands = [wire.seal_command(replace(order, nonce=client.nonce), DANGER)]
    assert stored() == [], "that of the request before"
    stub.commands = [wire.seal_command(order, DANGER)]
    assert stored() == [], "that of none"
    reads = wire.Command("r1", "read_phone", known.agent_id, "S1", (), {}, 60)
    stub.commands = [wire.seal_command(reads, stub.command_key)]
    stub.dangerous = [(order, DANGER)]
    assert sorted(stored()) == ["r1", "w1"], "a reading harms nobody late, and this one is of this request"
    client.close()
