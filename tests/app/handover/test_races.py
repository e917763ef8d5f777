"""Two people at once: one wins, the other is told; a step that is repeated happens once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from app.handover import items, service, signing, store
from app.handover.items import ItemInput
from app.handover.model import Handover, HandoverLeg, HandoverSignature
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.papers import Paper
from app.registry import Hold, PostHolding
from tests.app.handover.conftest import INK, World


def at_once(app: Flask, *acts: Callable[[Any], Any]) -> list[str]:
    """Run each act in a thread, session and transaction of its own; "" for done, else the code of its refusal."""
    gate = threading.Barrier(len(acts))
    codes: list[str] = []

    def run(act: Callable[[Any], Any]) -> None:
        with app.app_context():
            gate.wait()
            session = begin_write(db.session())
            try:
                act(session)
                session.commit()
                codes.append("")
            except DomainError as exc:
                session.rollback()
                codes.append(exc.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(codes)


def together(world: World, *acts: Callable[[Any], Any]) -> list[str]:
    world.session.commit()
    codes = at_once(world.app, *acts)
    world.session.expire_all()
    begin_write(world.session)
    return codes


def how_many(world: World, model: Any, *where: Any) -> int:
    return world.session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def test_two_begin_a_case_of_the_same_post(world: World) -> None:
    lead, wanted = world.who("lead"), world.wanted("issue", world.org.zhang)

    def start(session: Any) -> None:
        service.start(session, lead, wanted, policies=world.policies, now=world.now)

    assert together(world, start, start) == ["", "held"]
    assert (how_many(world, Handover), how_many(world, HandoverLeg), how_many(world, Hold)) == (1, 1, 4)


def test_both_sides_sign_in_the_same_moment_and_one_twice(world: World) -> None:
    """Two good signatures and a double click: one paper, one holder."""
    case = world.start("issue", world.org.zhang)
    leg = world.leg(case)
    world.fill(leg)
    digest = world.freeze(leg).digest
    leg_id, now = leg.id, world.now
    people = {name: (world.who(name), world.signer(name)) for name in ("lead", "zhang")}
    at_hand = world.at_hand

    def signs(side: str, name: str) -> Callable[[Any], Any]:
        principal, signer = people[name]

        def act(session: Any) -> None:
            signing.sign(
                session,
                principal,
                leg_id,
                side,
                signer=signer,
                ink=INK,
                digest_seen=digest,
                at_hand=at_hand,
                now=now,
            )

        return act

    codes = together(world, signs("giver", "lead"), signs("receiver", "zhang"), signs("receiver", "zhang"))
    assert codes[:2] == ["", ""]
    assert codes[2] in ("signed_already", "handover_state")
    assert how_many(world, HandoverSignature) == 2
    assert how_many(world, Paper) == 1
    assert how_many(world, PostHolding, PostHolding.valid_to.is_(None)) == 1
    assert how_many(world, Hold, Hold.ended_at.is_(None)) == 0


def test_one_signs_what_another_takes_back(world: World) -> None:
    case = world.start("issue", world.org.zhang)
    leg = world.leg(case)
    world.fill(leg)
    digest = world.freeze(leg).digest
    lead, signer, now, at_hand, leg_id = (
        world.who("lead"),
        world.signer("lead"),
        world.now,
        world.at_hand,
        leg.id,
    )

    def sign(session: Any) -> None:
        signing.sign(
            session,
            lead,
            leg_id,
            "giver",
            signer=signer,
            ink=INK,
            digest_seen=digest,
            at_hand=at_hand,
            now=now,
        )

    def unfreeze(session: Any) -> None:
        signing.unfreeze(session, lead, leg_id, reason="漏项", now=now)

    codes = together(world, sign, unfreeze)
    # Signed first, it is taken back with its signature; taken back first, there is nothing to sign.
    assert codes in (["", ""], ["", "handover_state"])
    assert world.leg(store.find(world.session, lead, leg.handover_id)).state == "draft"


def test_two_save_the_same_thing(world: World) -> None:
    leg = world.leg(world.start("issue", world.org.zhang))
    item, lead = world.item(leg, "充电器"), world.who("lead")
    item_id, now = item.id, world.now

    def save(words: str) -> Callable[[Any], Any]:
        def act(session: Any) -> None:
            given = ItemInput(True, "good", words)
            items.save_item(session, lead, item_id, given, version=1, policies=world.policies, now=now)

        return act

    assert together(world, save("一"), save("二")) == ["", "stale_version"]
    world.session.refresh(item)
    assert (item.version, item.words in ("一", "二")) == (2, True)


def test_a_case_is_cancelled_while_it_is_put_up(world: World) -> None:
    leg = world.leg(world.start("issue", world.org.zhang))
    world.fill(leg)
    lead, now, leg_id, case_id = world.who("lead"), world.now, leg.id, leg.handover_id

    def freeze(session: Any) -> None:
        signing.freeze(session, lead, leg_id, policies=world.policies, now=now)

    def cancel(session: Any) -> None:
        service.cancel(session, lead, case_id, reason="不办了", now=now)

    codes = together(world, freeze, cancel)
    assert codes in (["", ""], ["", "handover_state"])
    case = store.find(world.session, lead, case_id)
    assert (case.state, world.leg(case).state) == ("cancelled", "cancelled")
    assert how_many(world, Hold, Hold.ended_at.is_(None)) == 0
