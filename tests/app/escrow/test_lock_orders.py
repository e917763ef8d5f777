"""Orders about the lock on a phone: asked, sent, answered; one order is one try."""

from __future__ import annotations

from typing import Any

import pytest

from app.commands import expire_commands
from app.escrow.filing import confirm
from app.escrow.lock_orders import ask_lock_set
from app.kernel.tenancy import SYSTEM
from tests.app.escrow.lock_world import NEXT_PIN, PIN, World, everything, world
from tests.support.fleet import enroller, gateway, phones, rows

__all__ = ["enroller", "gateway", "phones", "rows", "world"]


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


def test_three_wrong_tries_are_the_end_until_another_password_is_filed(world: World) -> None:
    for _ in range(3):
        world.ask()
        (command,) = world.lease()
        world.tell(command, "succeeded", outcome="mismatch")
    assert world.refused() == "wrong_too_often"
    world.clock.move(1)
    world.file(NEXT_PIN)
    world.ask()
    assert world.stands()[0] == "waiting"


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
