"""What must not be sent to a gateway, and what leaves the server of a password: nothing but to the phone."""

from __future__ import annotations

import logging
import uuid
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select, update

from agent import wire
from app.commands import Command
from app.escrow.filing import confirm, drop
from app.escrow.lock_orders import ask_lock_set, cancel_order
from app.escrow.model import SecretVersion
from app.kernel.db import db
from app.kernel.errors import Conflict, NotFound
from app.kernel.tenancy import SYSTEM
from tests.app.escrow.lock_world import NEXT_PIN, PIN, World, everything, world
from tests.support.agents import reading
from tests.support.fleet import enroller, gateway, phones, rows

__all__ = ["enroller", "gateway", "phones", "rows", "world"]


# --- what must not be sent ------------------------------------------------------------


def test_while_sealed_they_wait_and_all_else_goes_on(world: World) -> None:
    world.ask()
    root = world.here.vault.root()
    world.here.vault.drop_root()
    answer = world.gateway.checkin(readings=[reading("S1")])
    assert (answer.status_code, answer.get_json()["accepted"]) == (200, 1)
    assert answer.get_json()["commands"] == []
    assert "danger_key" not in answer.get_json()
    with world.writing() as session:
        from app.commands import enqueue

        enqueue(session, SYSTEM, world.phones["S1"], "read_phone", now=world.clock.now())
    assert [c.kind for c in world.lease()] == ["read_phone"]
    assert world.refused() == "escrow_sealed"
    assert world.stands() == ("waiting", None, None)
    world.here.vault.put_root(root)
    assert [c.kind for c in world.lease()] == ["check_lock"]


def test_the_key_of_dangerous_commands_is_always_the_same_and_no_phones(world: World) -> None:
    first = world.gateway.checkin().get_json()["danger_key"]
    assert world.gateway.checkin().get_json()["danger_key"] == first
    told = wire.told_key("danger", first, world.gateway.command_key, world.gateway.agent_id)  # type: ignore[arg-type]
    assert (
        Ed25519PublicKey.from_public_bytes(wire.unb64(told)) == world.here.vault.opened().danger.public_key()
    )
    other = world.enroller.gateway()
    with pytest.raises(wire.WireError):
        wire.told_key("danger", first, world.gateway.command_key, other.agent_id)  # type: ignore[arg-type]
    own = world.enroller.self_agent("S1")
    assert "danger_key" not in own.checkin().get_json()


def test_an_agent_on_the_phone_itself_never_gets_one(world: World) -> None:
    own = world.enroller.self_agent("S1")
    own.checkin(readings=[reading("S1", grade="self")])
    world.ask()
    assert own.commands(own.checkin(readings=[reading("S1", grade="self")])) == []
    assert len(world.lease()) == 1


def test_a_password_that_was_replaced_meanwhile_is_not_sent(world: World) -> None:
    world.ask()
    world.file(NEXT_PIN)
    assert world.lease() == []
    assert world.stands() == ("done", "stale", None)
    world.ask()
    assert world.stands()[0] == "waiting", "the way is free"


def test_a_damaged_record_is_not_sent(world: World) -> None:
    world.file(NEXT_PIN, in_force=False)
    with world.app.app_context():
        first, second = db.session().scalars(select(SecretVersion.record).order_by(SecretVersion.version))
        db.session.remove()
    for record in (first[:-1] + bytes([first[-1] ^ 1]), second):
        world.ask()
        with world.writing() as session:
            session.execute(update(SecretVersion).where(SecretVersion.version == 1).values(record=record))
        assert world.lease() == []
        assert world.stands() == ("done", "damaged", None)
    assert world.trail("escrow.tampered") == [("escrow.tampered", "refused")] * 2
    assert world.gateway.checkin(readings=[reading("S1")]).get_json()["accepted"] == 1


def test_a_fault_while_sealing_ends_that_order_alone(
    world: World, monkeypatch: Any, capfd: Any, caplog: Any
) -> None:
    from app.escrow.lock_hook import LockHook

    def burst(*_: Any) -> None:
        raise RuntimeError(PIN)

    monkeypatch.setattr(LockHook, "seal", burst)
    world.ask()
    with caplog.at_level(logging.DEBUG):
        answer = world.gateway.checkin(readings=[reading("S1")])
    assert (answer.status_code, answer.get_json()["accepted"], answer.get_json()["commands"]) == (200, 1, [])
    assert PIN not in caplog.text + capfd.readouterr().err + everything(world.app)
    world.settle()
    assert world.stands()[:2] == ("done", "expired")


def test_while_a_gateway_may_be_setting_it_nobody_drops_confirms_or_files(world: World) -> None:
    world.file(NEXT_PIN, in_force=False)
    world.ask(ask_lock_set)
    (command,) = world.lease()
    for act in (confirm, drop):
        with pytest.raises(Conflict, match="网关正在"), world.writing() as session:
            act(session, world.who, world.secret, now=world.clock.now())
    with pytest.raises(Conflict):
        world.file("90817263", in_force=False)
    assert world.tell(command, "succeeded", outcome="set") == []
    assert world.kept().in_force == 2


def test_before_a_gateway_has_it_a_person_is_faster(world: World) -> None:
    world.file(NEXT_PIN, in_force=False)
    world.ask(ask_lock_set)
    with world.writing() as session:
        drop(session, world.who, world.secret, now=world.clock.now())
    assert world.stands()[0] == "cancelled"
    assert world.lease() == []


def test_an_order_is_taken_back_until_a_gateway_has_it(world: World) -> None:
    order = world.ask()
    with world.writing() as session:
        cancel_order(session, world.who, order, now=world.clock.now())
    assert world.stands()[0] == "cancelled"
    assert world.lease() == []
    order = world.ask()
    world.lease()
    with pytest.raises(Conflict), world.writing() as session:
        cancel_order(session, world.who, order, now=world.clock.now())
    with pytest.raises(NotFound), world.writing() as session:
        cancel_order(session, world.who, uuid.uuid4(), now=world.clock.now())


def test_a_command_that_was_cancelled_in_the_queue_ends_its_order(world: World) -> None:
    from app.commands import cancel

    world.ask()
    with world.writing() as session:
        cancel(session, world.who, world.order().command_id, now=world.clock.now())
    world.settle()
    assert world.stands()[0] == "cancelled"


def test_a_canary_goes_to_the_phone_and_nowhere_else(
    world: World, caplog: Any, capfd: Any, person: Any
) -> None:
    with caplog.at_level(logging.DEBUG):
        world.ask()
        (command,) = world.lease()
        world.tell(command, "succeeded", outcome="mismatch", said=f"Old password '{PIN}' didn't match")
        world.file(NEXT_PIN, in_force=False)
        world.ask(ask_lock_set)
        (command,) = world.lease()
        sealed = command.args["sealed"]
        world.tell(command, "failed", outcome=f"Pin set to '{NEXT_PIN}'", reason=NEXT_PIN)
        client = world.app.test_client()
        doc = client.get("/api/v1/openapi.json", base_url="http://127.0.0.1").text
    found = everything(world.app) + caplog.text + "".join(capfd.readouterr()) + doc
    for canary in (PIN, NEXT_PIN, sealed):
        assert canary not in found
    assert "escrow.lock_set" in found
    with world.app.app_context():
        assert {str(k) for c in db.session().scalars(select(Command.args)) for k in c} == {"order"}
        db.session.remove()
