"""What rooms hear of their commands, whatever a hook does; and the joins of other rooms that a wipe asks."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import select, update

from app.commands import enqueue
from app.commands.rules import KINDS, kept_detail
from app.contracts import running_contract
from app.contracts.model import NumberContract
from app.hardware import finish_disposal, is_lost
from app.hardware.model import Disposal
from app.kernel.tenancy import SYSTEM
from app.wipe.hook import WipeHook
from tests.app.wipe.test_rails import contract_runs
from tests.app.wipe.wipe_world import World
from tests.support.agents import reading


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_a_hook_that_breaks_costs_its_word_alone(world: World, monkeypatch: Any) -> None:
    world.to("delivered")

    def burst(*_: Any) -> None:
        raise RuntimeError("odd")

    with monkeypatch.context() as patched:
        patched.setattr(WipeHook, "word", burst)
        rejected = world.tell("succeeded", outcome="accepted")
    assert [one["code"] for one in rejected] == ["not_taken"]
    assert (world.state, world.command().state) == ("delivered", "leased"), "all of it is undone"
    assert world.tell("succeeded", outcome="accepted") == []
    assert world.state == "acknowledged"


def test_a_hook_that_breaks_while_sealing_sends_nothing(world: World, monkeypatch: Any) -> None:
    world.to("queued")

    def burst(*_: Any) -> None:
        raise RuntimeError("odd")

    with monkeypatch.context() as patched:
        patched.setattr(WipeHook, "seal", burst)
        assert world.offered() == []
    assert (world.state, world.row().why, world.command().state) == ("armed", "not_taken", "failed")


def test_a_dangerous_kind_without_a_hook_is_never_sent(world: World, monkeypatch: Any) -> None:
    world.to("queued")
    hooks = {k: h for k, h in world.app.extensions["butler_command_hooks"].items() if k != "wipe_phone"}
    monkeypatch.setitem(world.app.extensions, "butler_command_hooks", hooks)
    assert world.offered() == []
    assert world.command().state == "failed"


def test_an_agent_on_the_phone_gets_none_of_it(world: World, enroller: Any) -> None:
    """Neither the order nor the reading that would prove it: a phone is no witness of its own."""
    world.to("armed")
    own = enroller.agent()
    assert own.enrol(enroller.code(handset_id=world.phones["S1"]), kind="self").status_code == 201
    with world.writing() as session:
        enqueue(
            session,
            SYSTEM,
            world.phones["S1"],
            "inspect_phone",
            {"wipe": str(world.id)},
            now=world.clock.now(),
        )
        enqueue(session, SYSTEM, world.phones["S1"], "identify_phone", {"label": "GJ"}, now=world.clock.now())
    answer = own.checkin(readings=[reading("S1", grade="self")])
    assert answer.get_json()["commands"] == []
    world.clock.move(60)
    kinds = {c.kind for c in world.read_phone()}
    assert kinds == {"inspect_phone", "identify_phone"}


def test_what_is_kept_of_a_word() -> None:
    kind = KINDS["wipe_phone"]
    kept = kept_detail(kind, {"a": "x" * 900, "b": [{"c": "y" * 900}], "n": 1, "z": None})
    assert kept == {"a": "x" * 300, "b": [{"c": "y" * 300}], "n": 1, "z": None}
    assert (kind.max_attempts, kind.by_hand, kind.one_agent, kind.for_self) == (1, False, True, False)
    assert kind.expires_s <= 900
    reads = [name for name, one in KINDS.items() if one.for_self]
    assert reads == ["read_phone", "probe", "count_contacts"]


def test_a_disposal_is_finished_once(world: World) -> None:
    with world.writing() as session:
        row = session.scalars(select(Disposal)).one()
        assert finish_disposal(session, row.id, by="u", reason="证明", now=world.clock.now())
        assert not finish_disposal(session, row.id, by="u", reason="证明", now=world.clock.now())
        assert not finish_disposal(session, uuid.uuid4(), by="u", reason="x", now=world.clock.now())
        assert (row.state, row.end_reason) == ("done", "证明")


def test_lost_until_found(world: World) -> None:
    with world.writing() as session:
        assert not is_lost(session, world.phones["S1"])
        session.execute(update(Disposal).values(cause="lost"))
        assert is_lost(session, world.phones["S1"])
        session.execute(update(Disposal).values(found_at=world.clock.now()))
        assert not is_lost(session, world.phones["S1"])


def test_which_contract_keeps_a_phone(world: World) -> None:
    now, phone = world.clock.now(), world.phones["S1"]
    with world.writing() as session:
        assert running_contract(session, phone, "test:1", now) is None
        contract_runs(world, session)
        session.flush()
        assert running_contract(session, phone, "test:1", now) is not None
        assert running_contract(session, phone, "replacement_request:nonsense", now) is not None
        session.execute(update(NumberContract).values(voided_at=now))
        assert running_contract(session, phone, "test:1", now) is None
        day = now.date()
        later = {"voided_at": None, "starts_on": day + dt.timedelta(days=1)}
        session.execute(update(NumberContract).values(later))
        assert running_contract(session, phone, "test:1", now) is None
        # The number's next contract began after the phone had left: it is none of this phone's.
        session.execute(update(NumberContract).values(starts_on=day))
        assert running_contract(session, phone, "test:1", now) is None
