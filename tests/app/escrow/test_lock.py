"""Orders about the lock on a phone: from asking to the gateway's word, and everything that must not happen between."""

from __future__ import annotations

import itertools
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from agent import wire
from app.audit import AuditRow
from app.commands import Command, expire_commands
from app.escrow import keeping, lock_results, lock_rules
from app.escrow.filing import Filed, confirm, drop, file_secret
from app.escrow.lock_model import LockOrder
from app.escrow.lock_orders import ask_lock_check, ask_lock_set, cancel_order, lock_orders_of
from app.escrow.lock_results import settle_orders
from app.escrow.lock_rules import (
    ACTIVE,
    NEXT,
    LockEvent,
    LockState,
    advance,
    outcome_of,
    tells_of_force,
    words_of,
)
from app.escrow.model import Secret, SecretVersion
from app.kernel.db import Base, begin_write, db
from app.kernel.errors import Conflict, DomainError, Forbidden, NotFound, Unavailable
from app.kernel.tenancy import SYSTEM, Principal
from app.registry import Handset
from app.tasks import Task
from tests.support.agents import FakeAgent, reading
from tests.support.fleet import enroller, gateway, phones, rows

__all__ = ["enroller", "gateway", "phones", "rows"]
PIN, NEXT_PIN = "73915468", "26841375"


@dataclass
class World:
    """An open escrow, S1 with its lock filed, a gateway that reads S1, an operator."""

    app: Any
    clock: Any
    phones: Any
    gateway: FakeAgent
    enroller: Any
    who: Principal
    secret: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def here(self) -> Any:
        return self.app.extensions["butler"]

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.app.app_context():
            session = begin_write(db.session())
            try:
                yield session
                session.commit()
            finally:
                session.rollback()
                db.session.remove()

    def file(self, text: str, *, in_force: bool = True, phone: str = "S1") -> uuid.UUID:
        with self.writing() as session:
            filed = Filed("handset", self.phones[phone], "screen_lock", text, in_force)
            secret, _ = file_secret(
                session,
                self.who,
                filed,
                vault=self.here.vault,
                policies=self.here.policies,
                now=self.clock.now(),
            )
            return secret.id

    def ask(self, what: Any = ask_lock_check, who: Principal | None = None) -> uuid.UUID:
        with self.writing() as session:
            order = what(session, who or self.who, self.secret, vault=self.here.vault, now=self.clock.now())
            return uuid.UUID(str(order.id))

    def refused(self, what: Any = ask_lock_check, who: Principal | None = None) -> str:
        with pytest.raises(DomainError) as told:
            self.ask(what, who)
        return told.value.code

    def lease(self, agent: FakeAgent | None = None) -> list[wire.Command]:
        agent = agent or self.gateway
        return agent.commands(agent.checkin(readings=[reading("S1")]))

    def texts(self, command: wire.Command) -> dict[str, str]:
        return wire.open_box(
            command.args["sealed"],
            self.gateway.sealed,
            command=command.id,
            agent=command.agent,
            serial=command.serial,
        )

    def tell(self, command: wire.Command, state: str, age_s: float = 1.0, **detail: Any) -> list[Any]:
        result = {"id": command.id, "state": state, "age_s": age_s, "detail": detail}
        answer = self.gateway.checkin(results=[result])
        assert answer.status_code == 200, answer.text
        rejected: list[Any] = answer.get_json()["rejected"]
        return rejected

    def settle(self) -> int:
        with self.writing() as session:
            expire_commands(session, self.clock.now())
            return settle_orders(session, self.clock.now())

    def order(self) -> LockOrder:
        with self.app.app_context():
            found = lock_orders_of(db.session(), self.secret)[0]
            db.session().expunge_all()
            db.session.remove()
        return found

    def stands(self) -> tuple[str, str | None, str | None]:
        order = self.order()
        return order.state, order.outcome, order.reason

    def kept(self) -> Secret:
        with self.app.app_context():
            found = db.session().get_one(Secret, self.secret)
            db.session().expunge_all()
            db.session.remove()
        return found

    def trail(self, prefix: str = "escrow.lock") -> list[tuple[str, str]]:
        with self.app.app_context():
            query = select(AuditRow.action, AuditRow.outcome).where(AuditRow.action.startswith(prefix))
            found = [(row.action, row.outcome) for row in db.session().execute(query.order_by(AuditRow.seq))]
            db.session.remove()
        return found

    def tasks(self) -> int:
        with self.app.app_context():
            query = (
                select(func.count())
                .select_from(Task)
                .where(Task.key.startswith("escrow.lock"), Task.state == "open")
            )
            found = db.session().scalar(query)
            db.session.remove()
        return found or 0


@pytest.fixture
def world(app: Any, clock: Any, phones: Any, gateway: Any, enroller: Any, as_user: Any, org: Any) -> World:
    caller = as_user("operations", org.centre)
    who = Principal(
        str(caller.user_id), frozenset({"operations"}), frozenset({org.centre}),
        rights=frozenset({("operations", org.centre)}),
    )  # fmt: skip
    made = World(app, clock, phones, gateway, enroller, who)
    with made.writing() as session:
        keeping.set_up(session, made.here.vault, None, clock.now())
    made.secret = made.file(PIN)
    gateway.checkin(readings=[reading("S1")])
    return made


# --- asked, sent, answered ----------------------------------------------------------


def test_a_check_that_matches(world: World) -> None:
    world.ask()
    assert world.stands() == ("waiting", None, None)
    (command,) = world.lease()
    assert (command.kind, command.purpose, command.serial) == ("check_lock", "danger", "S1")
    assert command.imei == ("490154203237518",)
    assert world.texts(command) == {"old": PIN}
    assert world.stands()[0] == "sent"
    assert world.tell(command, "succeeded", outcome="match") == []
    assert world.stands() == ("done", "match", None)
    secret = world.kept()
    assert (secret.matched, secret.checked_at) == (True, world.clock.now())
    assert world.trail() == [
        ("escrow.lock_check_ask", "ok"), ("escrow.lock_check_send", "ok"), ("escrow.lock_check", "ok"),
    ]  # fmt: skip
    assert world.lease() == [], "one order, one try"


def test_a_mismatch_is_not_tried_again_but_by_a_person_or_another_password(world: World) -> None:
    world.ask()
    (command,) = world.lease()
    world.tell(command, "succeeded", outcome="mismatch")
    assert world.kept().matched is False
    assert world.trail()[-1] == ("escrow.lock_check", "mismatch")
    assert world.refused(who=SYSTEM) == "mismatched_before"
    world.ask()  # a person may
    (command,) = world.lease()
    world.tell(command, "succeeded", outcome="mismatch")
    world.file(NEXT_PIN)
    assert world.kept().matched is None
    world.ask(who=SYSTEM)  # another password may be tried by itself
    assert world.stands()[0] == "waiting"


def test_an_answer_that_proves_nothing_changes_nothing(world: World) -> None:
    for outcome in ("throttled", "no_lock", "profile", "not_supported"):
        world.ask()
        (command,) = world.lease()
        world.tell(command, "succeeded", outcome=outcome)
        assert world.stands() == ("done", outcome, None)
        assert (world.kept().matched, world.kept().checked_at) == (None, None)


def test_words_that_are_not_plain_prove_nothing(world: World) -> None:
    cases: list[tuple[str, dict[str, Any], str, str | None]] = [
        ("failed", {"outcome": "unknown", "reason": "interrupted"}, "unknown", "interrupted"),
        ("failed", {"outcome": "match"}, "unknown", None),
        ("succeeded", {"outcome": "set"}, "unknown", None),
        ("succeeded", {}, "unknown", None),
        ("succeeded", {"outcome": ["match"]}, "unknown", None),
        ("succeeded", {"outcome": "match " + PIN}, "unknown", None),
        ("refused", {"reason": "other_phone"}, "refused", "other_phone"),
        ("refused", {"reason": f"Old password '{PIN}' didn't match"}, "refused", "unknown"),
        ("expired", {"reason": "expired"}, "expired", "expired"),
    ]
    for state, detail, outcome, reason in cases:
        world.ask()
        (command,) = world.lease()
        world.tell(command, state, **detail, echo=f"Pin set to '{PIN}'")
        assert world.stands() == ("done", outcome, reason), detail
        assert world.kept().matched is None
    assert PIN not in everything(world.app), "whatever an agent says, codes alone are kept"


def test_a_set_comes_into_force_when_the_phone_has_it(world: World) -> None:
    assert world.refused(ask_lock_set) == "nothing_waits"
    world.file(NEXT_PIN, in_force=False)
    world.ask(ask_lock_set)
    (command,) = world.lease()
    assert command.kind == "set_lock"
    assert world.texts(command) == {"old": PIN, "new": NEXT_PIN}
    assert (world.kept().in_force, world.kept().pending) == (1, 2), "until it is done the old is in force"
    world.tell(command, "succeeded", outcome="set")
    secret = world.kept()
    assert (secret.in_force, secret.pending, secret.matched) == (2, None, True)
    assert world.trail("escrow.in_force")[-1] == ("escrow.in_force", "ok")
    world.ask()
    (command,) = world.lease()
    assert world.texts(command) == {"old": NEXT_PIN}


def test_a_set_that_did_not_happen_leaves_both(world: World) -> None:
    world.file(NEXT_PIN, in_force=False)
    for reason, matched in (("throttled", None), ("policy", None), ("no_lock", None), ("mismatch", False)):
        world.ask(ask_lock_set)
        (command,) = world.lease()
        world.tell(command, "succeeded", outcome="not_set", reason=reason)
        secret = world.kept()
        assert (secret.in_force, secret.pending, secret.matched) == (1, 2, matched)
    assert world.tasks() == 0


@pytest.mark.parametrize("how", ["told", "silence"])
def test_a_set_of_which_nothing_is_known_keeps_both_and_asks_people(world: World, how: str) -> None:
    world.file(NEXT_PIN, in_force=False)
    world.ask(ask_lock_set)
    (command,) = world.lease()
    if how == "told":
        world.tell(command, "failed", outcome="unknown", reason="unverified")
    else:
        world.clock.move(9 * 3600)
        assert world.settle() == 1
    assert world.stands()[:2] == ("done", "unknown")
    assert (world.kept().in_force, world.kept().pending) == (1, 2)
    assert world.tasks() == 1
    with world.writing() as session:
        confirm(session, world.who, world.secret, now=world.clock.now())
    assert world.tasks() == 0, "who confirmed or dropped it has found out"
    if how == "silence":
        assert world.tell(command, "succeeded", outcome="match")[0]["code"] == "command_finished"


# --- one try ------------------------------------------------------------------------


def test_asked_twice_it_is_one_order_and_of_two_kinds_one_is_refused(world: World) -> None:
    assert world.ask() == world.ask()
    world.file(NEXT_PIN, in_force=False)
    assert world.refused(ask_lock_set) == "lock_busy"


def test_a_lost_answer_goes_to_the_same_gateway_alone(world: World) -> None:
    """It alone knows whether it began; it answers a command that it has carried out with the stored result."""
    other = world.enroller.gateway()
    world.lease(other)
    world.ask()
    (command,) = world.lease()
    assert world.lease(other) == []
    world.clock.move(301)
    with world.writing() as session:
        expire_commands(session, world.clock.now())
    assert world.lease(other) == [], "another might try a second time"
    world.clock.move(5)
    (again,) = world.lease()
    assert again.id == command.id
    assert again.args["sealed"] != command.args["sealed"], "sealed anew, nothing of it is kept"
    world.tell(again, "not_now", reason="not_seen")
    assert world.stands() == ("waiting", "not_seen", "not_seen")
    world.clock.move(60)
    (elsewhere,) = world.lease(other)
    assert elsewhere.id == command.id, "nothing was done there, so another may"


def test_silence_ends_as_unknown(world: World) -> None:
    world.ask()
    for _ in range(3):
        assert len(world.lease()) == 1
        world.clock.move(301)
        with world.writing() as session:
            expire_commands(session, world.clock.now())
    assert world.lease() == []
    assert world.settle() == 1
    assert world.stands() == ("done", "unknown", "no_answer")
    assert world.kept().matched is None


def test_an_order_that_nobody_took_was_not_tried(world: World) -> None:
    world.ask()
    world.clock.move(9 * 3600)
    assert world.settle() == 1
    assert world.stands() == ("done", "expired", None)
    assert world.settle() == 0


def test_a_plain_link_is_told_and_not_asked_again_hot(world: World) -> None:
    world.ask()
    (command,) = world.lease()
    world.tell(command, "not_now", reason="plaintext")
    assert world.stands() == ("waiting", "plaintext", "plaintext")
    world.clock.move(890)
    assert world.lease() == []
    world.clock.move(20)
    assert len(world.lease()) == 1
    world.tell(command, "not_now", reason="plaintext")
    world.clock.move(9 * 3600)
    world.settle()
    assert world.stands() == ("done", "plaintext", "plaintext")


def test_a_late_word_after_its_password_was_replaced_says_nothing_of_the_new(world: World) -> None:
    world.ask()
    (command,) = world.lease()
    world.clock.move(5)
    world.file(NEXT_PIN)
    world.tell(command, "succeeded", outcome="mismatch")
    assert world.stands()[:2] == ("done", "mismatch")
    assert world.kept().matched is None


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
    from app.fleet import checkin_commands

    def burst(*_: Any) -> None:
        raise RuntimeError(PIN)

    monkeypatch.setattr(checkin_commands, "seal_lock", burst)
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


# --- who, and of what -----------------------------------------------------------------


def test_who_may_ask(world: World, as_user: Any, org: Any) -> None:
    path = f"/api/v1/escrow/secrets/{world.secret}"
    cases = [(role, org.centre, 201) for role in ("operations", "lead", "it")]
    cases += [(role, org.centre, 403) for role in ("butler", "finance", "auditor")]
    for role, centre, status in [*cases, ("operations", org.other_centre, 404)]:
        caller = as_user(role, centre)
        answer = caller.post(f"{path}/lock-checks")
        assert answer.status_code == status, (role, answer.text)
        assert caller.post(f"{path}/lock-sets").status_code == (409 if status == 201 else status)
        if status == 201:
            assert answer.get_json()["state"] == "waiting"
            found = caller.get(f"{path}/lock-checks").get_json()["items"]
            assert found[0]["id"] == answer.get_json()["id"]
            cancelled = caller.post(f"/api/v1/escrow/lock-orders/{found[0]['id']}/cancel")
            assert cancelled.get_json()["state"] == "cancelled"


def test_a_role_elsewhere_is_none_here(world: World, org: Any) -> None:
    both = frozenset({("butler", org.centre), ("operations", org.other_centre)})
    who = Principal(str(uuid.uuid4()), frozenset({"operations", "butler"}), None, rights=both)
    with pytest.raises(Forbidden):
        world.ask(who=who)


def test_what_cannot_be_asked(world: World) -> None:
    with world.writing() as session:
        filed = Filed("handset", world.phones["S2"], "screen_lock", "60718293", False)
        secret, _ = file_secret(
            session,
            world.who,
            filed,
            vault=world.here.vault,
            policies=world.here.policies,
            now=world.clock.now(),
        )
        waiting = secret.id
        session.execute(
            update(Handset).where(Handset.id == world.phones["S1"]).values(serial="0123456789ABCDEF")
        )
    assert world.refused() == "no_identity"
    mine, world.secret = world.secret, waiting
    assert world.refused() == "nothing_in_force"
    assert world.refused(ask_lock_set) == "nothing_in_force"
    world.secret = mine
    with world.writing() as session:
        session.execute(
            update(Handset)
            .where(Handset.id == world.phones["S1"])
            .values(serial="S1", retired_at=world.clock.now())
        )
    assert world.refused() == "retired_phone"
    world.here.vault.drop_root()
    with pytest.raises(Unavailable), world.writing() as session:
        ask_lock_check(session, world.who, waiting, vault=world.here.vault, now=world.clock.now())


# --- pages ------------------------------------------------------------------------------


def test_the_page_asks_and_shows(world: World, person: Any) -> None:
    who = person("lead", login="lead")
    who.sign_in()
    who.enrol()
    page = f"/escrow/secrets/{world.secret}"
    text = who.get(page).text
    assert "让网关在手机上核对" in text
    assert "让网关改成新密码" not in text
    assert who.post(f"{page}/lock-check").status_code == 303
    part = who.get(f"{page}/lock").text
    assert "等待网关" in part
    assert "hx-get" in part, "live while it has not ended"
    assert "让网关在手机上核对" not in part
    (command,) = world.lease()
    world.tell(command, "succeeded", outcome="mismatch")
    part = who.get(f"{page}/lock").text
    assert "不一致" in part
    assert "重新备案" in part
    assert "hx-get" not in part
    assert "再核对一次" in part
    world.file(NEXT_PIN, in_force=False)
    assert "让网关改成新密码" in who.get(page).text
    assert who.post(f"{page}/lock-set").status_code == 303
    assert who.post(f"/escrow/lock-orders/{world.order().id}/cancel").status_code == 303
    assert who.post(f"{page}/lock-set").status_code == 303
    (command,) = world.lease()
    assert "网关正在处理" in who.get(f"{page}/lock").text
    world.tell(command, "not_now", reason="plaintext")
    assert "USB" in who.get(f"{page}/lock").text
    assert PIN not in who.get(page).text + part
    assert who.get("/inbox").status_code == 200


# --- rules ------------------------------------------------------------------------------


def test_every_state_with_every_event() -> None:
    for state, event in itertools.product(LockState, LockEvent):
        if (state, event) in NEXT:
            assert advance(state, event) == NEXT[state, event]
        else:
            with pytest.raises(Conflict):
                advance(state, event)
    assert {state for state, _ in NEXT} == set(ACTIVE), "what has ended stays as it is"


def test_every_outcome_has_words() -> None:
    for what, outcomes in lock_rules._OUTCOMES.items():
        for outcome in outcomes:
            assert outcome_of(what, "succeeded", {"outcome": outcome}) == (outcome, None)
            assert words_of("done", outcome, None) != words_of("done", "unknown", None)
    assert words_of("waiting", "plaintext", "plaintext").startswith("等待网关：手机只有明文")
    assert words_of("sent", None, None) == "网关正在处理"
    assert tells_of_force("set", "set", None) is None
    assert lock_results._why_not(LockOrder(reason="plaintext")) == "plaintext"


def everything(app: Any) -> str:
    """Every cell of every table, as text and as bytes."""
    with app.app_context():
        cells = [
            repr(cell)
            for table in Base.metadata.sorted_tables
            for row in db.session().execute(select(table))
            for cell in row
        ]
        db.session.remove()
    return "\n".join(cells)


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
