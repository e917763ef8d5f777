"""Who may have a lock tried, of which phones, and what people see of it."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest
from sqlalchemy import update

from app.escrow import lock_results, lock_rules
from app.escrow.filing import Filed, file_secret
from app.escrow.lock_model import LockOrder
from app.escrow.lock_orders import ask_lock_check, ask_lock_set
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
from app.kernel.errors import Conflict, Forbidden, Unavailable
from app.kernel.tenancy import Principal
from app.registry import Handset
from tests.app.escrow.lock_world import NEXT_PIN, PIN, World, world
from tests.support.fleet import enroller, gateway, phones, rows

__all__ = ["enroller", "gateway", "phones", "rows", "world"]


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
