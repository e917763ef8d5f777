"""Who may sign what; a text that is up does not change; what is signed twice, late or by the wrong one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from app.handover import correcting, items, reading, signing, store
from app.handover.model import HandoverLeg, HandoverSignature
from app.kernel.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from app.papers import Paper, papers_about
from app.people.model import User
from app.registry import holding_of
from tests.app.handover.conftest import INK, World

# What a database does with it is tried in the flow, the races and the check; here it is who may do what.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def leg(world: World) -> HandoverLeg:
    """The first leg of a handover from Zhang to Li, frozen."""
    world.issued("zhang")
    world.clock.move(86_400)
    found = world.leg(world.start("handover", world.org.li))
    world.fill(found)
    world.freeze(found)
    return found


def refused(act: Callable[[], Any]) -> str:
    with pytest.raises(DomainError) as told:
        act()
    return told.value.code


def instead(world: World, leg: HandoverLeg, name: str, **changes: Any) -> HandoverLeg:
    values: dict[str, Any] = {
        "reason": "已失联", "signer": world.signer(name), "ink": INK, "at_hand": world.at_hand, "now": world.now,
        "digest_seen": store.open_round(world.session, leg).digest, **changes,
    }  # fmt: skip
    side = values.pop("side", "giver")
    return signing.sign_instead(world.session, world.who("lead"), leg.id, side, **values)


def test_each_side_signs_itself(world: World, leg: HandoverLeg) -> None:
    for side, name, code in (
        ("giver", "li", "not_this_side"),
        ("giver", "lead", "not_this_side"),
        ("receiver", "zhang", "not_this_side"),
        ("receiver", "desk", "not_this_side"),
        ("nobody", "zhang", "invalid"),
    ):
        with pytest.raises(DomainError) as told:
            world.sign(leg, side, name)
        assert told.value.code == code, (side, name)


def test_another_text_than_the_one_that_is_up(world: World, leg: HandoverLeg) -> None:
    old = store.open_round(world.session, leg).digest
    assert refused(lambda: world.sign(leg, "giver", "zhang", digest="0" * 64)) == "digest"
    signing.unfreeze(world.session, world.who("lead"), leg.id, reason="漏了一项", now=world.now)
    item = world.item(leg, "充电器")
    world.save(item, False, "", "不见了")
    world.freeze(leg)
    assert refused(lambda: world.sign(leg, "giver", "zhang", digest=old)) == "digest"
    world.sign(leg, "giver", "zhang")
    assert leg.state == "half_signed"


def test_nothing_of_the_leg_changes_while_its_text_is_up(world: World, leg: HandoverLeg) -> None:
    session, lead, now = world.session, world.who("lead"), world.now
    item = world.item(leg, "充电器")
    for act in (
        lambda: world.save(item),
        lambda: items.add_item(session, lead, leg.id, category="other", name="伞", now=now),
        lambda: items.remove_item(session, lead, item.id, reason="x", now=now),
        lambda: items.same_as_last(session, lead, leg.id, now=now),
        lambda: items.add_exception(session, world.who("zhang"), leg.id, "giver", "不对", now=now),
        lambda: items.save_hand_test(session, lead, leg.id, "call", "pass", policies=world.policies, now=now),
        lambda: items.save_counts(
            session,
            lead,
            leg.id,
            {"friends": 1},
            by="x",
            version=leg.version,
            policies=world.policies,
            now=now,
        ),
        lambda: items.add_photo(session, lead, item.id, "0" * 64, policies=world.policies, now=now),
    ):
        assert refused(act) == "frozen"
    assert refused(lambda: world.freeze(leg)) == "frozen"


def test_signed_once_by_two_persons(world: World, leg: HandoverLeg) -> None:
    world.sign(leg, "giver", "zhang")
    assert refused(lambda: world.sign(leg, "giver", "zhang")) == "signed_already"
    world.sign(leg, "receiver", "lead")
    assert refused(lambda: world.sign(leg, "receiver", "lead")) == "handover_state"
    papers = world.session.scalar(select(func.count()).select_from(Paper).where(Paper.subject == leg.subject))
    assert papers == 1


def test_one_person_is_not_both_sides(world: World) -> None:
    """A lead who is himself an employee takes no kit over from himself, and a lead of his own case is none."""
    from app.people.model import RoleGrant

    grant = {"user_id": world.users["zhang"], "role": "lead", "centre_id": world.org.centre}
    world.session.add(RoleGrant(valid_from=world.now, **grant))
    world.session.flush()
    wanted = world.wanted("issue", world.org.zhang, lead_user=str(world.users["zhang"]))
    from app.handover import service

    with pytest.raises(Conflict) as told:
        service.start(world.session, world.who("lead"), wanted, policies=world.policies, now=world.now)
    assert told.value.code == "same_person"


def test_a_declined_text_is_kept_and_another_one_follows(world: World, leg: HandoverLeg) -> None:
    world.sign(leg, "receiver", "lead")
    signing.decline(world.session, world.who("zhang"), leg.id, "giver", words="屏幕不是我弄的", now=world.now)
    assert leg.state == "draft"
    (first,) = reading.rounds_of(world.session, leg.id)
    assert (first.outcome, first.outcome_side, first.outcome_words) == ("declined", "giver", "屏幕不是我弄的")
    assert len(reading.signatures_of(world.session, first.id)) == 1
    items.add_exception(world.session, world.who("zhang"), leg.id, "giver", "屏幕不是我弄的", now=world.now)
    second = world.freeze(leg)
    assert (second.number, second.digest != first.digest) == (2, True)
    world.sign(leg, "giver", "zhang")
    world.sign(leg, "receiver", "lead")
    assert leg.state == "completed"
    assert refused(lambda: signing.decline(
        world.session, world.who("zhang"), leg.id, "giver", words="x", now=world.now
    )) == "handover_state"  # fmt: skip


def test_who_may_decline_and_object(world: World, leg: HandoverLeg) -> None:
    session, now = world.session, world.now
    with pytest.raises(NotFound):
        signing.decline(session, world.who("li"), leg.id, "giver", words="x", now=now)
    with pytest.raises(Forbidden):
        signing.decline(session, world.who("zhang"), leg.id, "receiver", words="x", now=now)
    with pytest.raises(Forbidden):
        signing.decline(session, world.who("auditor"), leg.id, "giver", words="x", now=now)
    with pytest.raises(Invalid):
        signing.decline(session, world.who("lead"), leg.id, "giver", words=" ", now=now)
    with pytest.raises(NotFound):
        signing.unfreeze(session, world.who("foreign"), leg.id, reason="x", now=now)
    with pytest.raises(Forbidden):
        signing.unfreeze(session, world.who("zhang"), leg.id, reason="x", now=now)


def test_a_witness_signs_for_who_is_gone(world: World, leg: HandoverLeg) -> None:
    assert refused(lambda: instead(world, leg, "lead")) == "witness"
    assert refused(lambda: instead(world, leg, "zhang")) == "witness"
    assert refused(lambda: instead(world, leg, "wang")) == "witness"
    assert refused(lambda: instead(world, leg, "foreign")) == "witness"
    assert refused(lambda: instead(world, leg, "desk", reason=" ")) == "invalid"
    assert refused(lambda: instead(world, leg, "desk", side="receiver")) == "signs_itself"
    instead(world, leg, "desk")
    world.sign(leg, "receiver", "lead")
    assert leg.state == "completed"
    assert holding_of(world.session, world.org.post, world.now) is None
    (paper,) = papers_about(world.session, world.who("lead"), leg.subject)
    for words in ("见证人（代移交人）", "用户desk", "张三（E001）没有签字，原因：已失联"):
        assert words in paper.document


def test_a_successor_is_never_witnessed(world: World, leg: HandoverLeg) -> None:
    world.sign(leg, "giver", "zhang")
    world.sign(leg, "receiver", "lead")
    second = world.leg(store.find(world.session, world.who("lead"), leg.handover_id), 2)
    world.fill(second)
    world.freeze(second)
    assert refused(lambda: instead(world, second, "desk", side="receiver")) == "signs_itself"
    assert refused(lambda: instead(world, second, "desk", side="giver")) == "signs_itself"


def test_what_must_be_there_before_the_text_is_put_up(world: World) -> None:
    world.issued("zhang")
    world.clock.move(60)
    case = world.start("handover")
    first = world.leg(case)
    with pytest.raises(Conflict) as told:
        world.freeze(first)
    assert (told.value.code, {f.field for f in told.value.fields}) == ("not_ready", {"items"})
    world.done(first, "zhang", "lead")
    second = world.leg(case, 2)
    world.fill(second)
    with pytest.raises(Conflict) as told:
        world.freeze(second)
    assert [(f.field, f.code) for f in told.value.fields] == [("parties", "no_receiver")]
    warned = signing.warnings(
        world.session, world.who("lead"), second.id, policies=world.policies, now=world.now
    )
    assert {w.step for w in warned} == {"tests", "passwords", "counts"}


def acts(world: World, leg: HandoverLeg) -> frozenset[str]:
    case = store.find(world.session, world.who("lead"), leg.handover_id)
    return reading.acts(world.session, world.who("lead"), case, leg)


def test_a_correction_is_a_new_record_that_moves_nothing(world: World, leg: HandoverLeg) -> None:
    lead = world.who("lead")
    assert refused(lambda: correcting.correct(world.session, lead, leg.id, reason="x", now=world.now)) == (
        "handover_state"
    )
    world.sign(leg, "giver", "zhang")
    world.sign(leg, "receiver", "lead")
    row = correcting.correct(world.session, lead, leg.id, reason="充电器其实没有交", now=world.now)
    assert refused(lambda: correcting.correct(world.session, lead, leg.id, reason="y", now=world.now)) == (
        "correction_open"
    )
    charger = world.item(row, "充电器")
    world.save(charger, False, "", "没有交")
    world.freeze(row)
    # The corrected word decides who pays: two of the desk do not write it over his head.
    assert "witness_giver" not in acts(world, row)
    assert refused(lambda: instead(world, row, "desk", reason="不肯签")) == "signs_itself"
    world.session.get_one(User, world.users["zhang"]).active = False
    world.session.flush()
    assert "witness_giver" in acts(world, row)
    instead(world, row, "desk", reason="已离开公司")
    world.sign(row, "receiver", "lead")
    (first,) = papers_about(world.session, lead, leg.subject)
    (second,) = papers_about(world.session, lead, row.subject)
    assert (row.state, second.corrects) == ("completed", first.id)
    assert "（更正）" in second.document
    # What the successor's list is held against is the corrected word.
    next_leg = world.leg(store.find(world.session, lead, leg.handover_id), 2)
    assert next_leg.state == "draft"
    items.same_as_last(world.session, lead, next_leg.id, now=world.now)
    assert world.item(next_leg, "充电器").present is False
    gone = correcting.correct(world.session, lead, row.id, reason="负责人也走了", now=world.now)
    world.freeze(gone)
    assert refused(lambda: instead(world, gone, "lead", side="receiver")) == "witness"
    instead(world, gone, "desk", side="receiver")
    assert refused(lambda: instead(world, gone, "desk", side="giver")) == "second_person"
    world.session.get_one(User, world.users["zhang"]).active = True
    world.sign(gone, "giver", "zhang")
    assert gone.state == "completed"
    again = correcting.correct(world.session, lead, row.id, reason="再更正", now=world.now)
    assert (again.corrects_id, again.correction) == (leg.id, 3)
    correcting.drop_correction(world.session, lead, again.id, reason="不用了", now=world.now)
    assert again.state == "cancelled"


def test_a_signature_is_bound_to_text_person_and_picture(world: World, leg: HandoverLeg) -> None:
    world.sign(leg, "giver", "zhang", by="zhang")
    (row,) = world.session.scalars(select(HandoverSignature).where(HandoverSignature.side == "giver")
                                   .order_by(HandoverSignature.at.desc()).limit(1))  # fmt: skip
    blob, kind = world.at_hand.blobs.get(world.session, row.ink)
    assert (blob, kind, row.over) == (
        INK + b"zhang",
        "image/png",
        store.open_round(world.session, leg).digest,
    )
    assert (row.user, row.employee_id) == (str(world.users["zhang"]), world.org.zhang)
