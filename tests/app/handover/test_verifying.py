"""A signed record cannot be altered: whatever is changed in the database is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.audit import AuditRow
from app.handover import items
from app.handover.model import (
    HandoverException,
    HandoverItem,
    HandoverLeg,
    HandoverPhoto,
    HandoverRound,
    HandoverSignature,
    HandoverTest,
)
from app.handover.verifying import record_check
from app.kernel.blobs import Blob
from app.kernel.db import begin_write
from tests.app.handover.conftest import World

PICTURE = b"\xff\xd8 a picture"


@pytest.fixture
def signed(world: World) -> HandoverLeg:
    """A signed leg with everything in it, committed, so that its events stand in the trail."""
    world.issued("zhang")
    world.clock.move(86_400)
    leg = world.leg(world.start("handover", world.org.li))
    session, lead = world.session, world.who("lead")
    at: dict[str, Any] = {"policies": world.policies, "now": world.now}
    sha = world.at_hand.blobs.put(session, PICTURE, "image/jpeg", world.now)
    items.add_photo(session, lead, world.item(leg, "Redmi").id, sha, caption="正面", **at)
    items.save_hand_test(session, lead, leg.id, "screen", "pass", **at)
    items.save_counts(session, lead, leg.id, {"friends": 5}, by="张三", version=leg.version, **at)
    items.add_exception(session, world.who("zhang"), leg.id, "giver", "划痕早就有", now=world.now)
    world.done(leg, "zhang", "lead")
    session.commit()
    begin_write(session)
    return leg


def problems(world: World) -> list[str]:
    world.session.flush()
    world.session.expire_all()
    return list(record_check(world.session, world.at_hand.blobs, world.at_hand.keys))


Damage = Callable[[Session, HandoverLeg], Any]


def _of(session: Session, leg: HandoverLeg) -> Any:
    """The ids of the leg's rounds."""
    return [row.id for row in session.query(HandoverRound).filter_by(leg_id=leg.id)]


DAMAGES: dict[str, tuple[Damage, str]] = {
    "a condition": (
        lambda s, leg: s.execute(
            update(HandoverItem).where(HandoverItem.leg_id == leg.id, HandoverItem.place == 0).values(condition="new")
        ),
        "清点的内容",
    ),
    "a thing taken off": (
        lambda s, leg: s.execute(
            update(HandoverItem).where(HandoverItem.leg_id == leg.id, HandoverItem.place == 3)
            .values(removed_reason="x")
        ),
        "清点的内容",
    ),
    "a thing put in": (
        lambda s, leg: s.add(
            HandoverItem(
                leg_id=leg.id, centre_id=leg.centre_id, key="x", category="other", origin="hand", name="金条",
                identifier="", condition="", words="", place=99,
            )
        ),
        "清点的内容",
    ),
    "a picture hidden": (
        lambda s, leg: s.execute(update(HandoverPhoto).values(dropped_at=leg.completed_at)),
        "清点的内容",
    ),
    "a picture exchanged": (lambda s, leg: s.execute(update(HandoverPhoto).values(sha256="0" * 64)), "清点的内容"),
    "a picture's bytes": (
        lambda s, leg: s.execute(update(Blob).where(Blob.media_type == "image/jpeg").values(data=b"other")),
        "图片",
    ),
    "a signature's ink": (
        lambda s, leg: s.execute(update(Blob).where(Blob.media_type == "image/png").values(data=b"other")),
        "图片",
    ),
    "an objection": (lambda s, leg: s.execute(delete(HandoverException)), "清点的内容"),
    "a test": (lambda s, leg: s.execute(update(HandoverTest).values(result="fail")), "清点的内容"),
    "a count": (
        lambda s, leg: s.execute(
            update(HandoverLeg).where(HandoverLeg.id == leg.id).values(counts={"friends": {"value": 6, "by": "x"}})
        ),
        "清点的内容",
    ),
    "who received": (
        lambda s, leg: s.execute(
            update(HandoverLeg).where(HandoverLeg.id == leg.id).values(receiver_user="somebody")
        ),
        "清点的内容",
    ),
    "the text and its digest": (
        lambda s, leg: s.execute(
            update(HandoverRound).where(HandoverRound.leg_id == leg.id).values(digest="0" * 64)
        ),
        "签名不是签在这份文本上的",
    ),
    "the rows and their digest": (
        lambda s, leg: s.execute(
            update(HandoverRound).where(HandoverRound.leg_id == leg.id).values(facts="0" * 64)
        ),
        "文本里的摘要",
    ),
    "who signed": (
        lambda s, leg: s.execute(
            update(HandoverSignature).where(HandoverSignature.round_id.in_(_of(s, leg))).values(user="somebody")
        ),
        "审计记录",
    ),
    "a name under it": (
        lambda s, leg: s.execute(
            update(HandoverSignature).where(HandoverSignature.round_id.in_(_of(s, leg))).values(name="别人")
        ),
        "单据与签字",
    ),
    "a signature gone": (
        lambda s, leg: s.execute(
            delete(HandoverSignature).where(
                HandoverSignature.round_id.in_(_of(s, leg)), HandoverSignature.side == "giver"
            )
        ),
        "单据与签字",
    ),
    "the round gone": (
        lambda s, leg: s.execute(
            update(HandoverRound).where(HandoverRound.leg_id == leg.id).values(outcome="declined")
        ),
        "不在了",
    ),
    "not signed at all": (
        lambda s, leg: s.execute(
            update(HandoverLeg).where(HandoverLeg.id == leg.id).values(state="draft", completed_at=None)
        ),
        "记录却不在了",
    ),
    "the event": (
        lambda s, leg: s.execute(
            update(AuditRow).where(AuditRow.action == "handover.signed").values(actor="somebody")
        ),
        "审计记录",
    ),
    "no event": (lambda s, leg: s.execute(delete(AuditRow)), "审计记录中没有签完的事件"),
}  # fmt: skip


def test_every_change_is_found(world: World, signed: HandoverLeg) -> None:
    """Each in a savepoint of its own: to sign a handover costs more than to look at it."""
    for name, (damage, words) in DAMAGES.items():
        with world.session.begin_nested() as savepoint:
            damage(world.session, signed)
            found = problems(world)
            assert found, name
            assert any(words in line for line in found), (name, found)
            assert all(line.startswith("! ") for line in found), (name, found)
            savepoint.rollback()
        world.session.expire_all()
    assert problems(world) == []


def test_a_blank_more_is_the_same_text(world: World, signed: HandoverLeg) -> None:
    world.session.execute(update(HandoverRound).values(document=HandoverRound.document.concat(" ")))
    assert problems(world) == []


def test_a_word_of_the_text(world: World, signed: HandoverLeg) -> None:
    row = world.session.query(HandoverRound).filter_by(leg_id=signed.id).one()
    row.document = row.document.replace("完好", "全新", 1)
    assert any("签字的文本已被改动" in line for line in problems(world))


def test_erased_details_cannot_be_told(world: World, signed: HandoverLeg) -> None:
    world.session.execute(
        update(AuditRow).where(AuditRow.action == "handover.signed").values(details=None, salt=None)
    )
    found = problems(world)
    assert found
    assert all(line.startswith("? ") for line in found), found
