"""From the issue to the successor: what each signature brings about."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.escrow.model import Secret
from app.handover import correcting, differences_of, last_records, open_handovers, received_at, service
from app.handover.rules import ChangeKind
from app.kernel.errors import Conflict
from app.papers import from_plain, papers_about
from app.registry import Handset, KitAssignment, Post, PostHolding, holding_of, holds_on
from app.tasks import Task
from tests.app.handover.conftest import DAY, World, hold_post


def subjects(world: World) -> list[tuple[str, Any]]:
    return [
        ("handset", world.handset), ("number", world.number), ("wechat", world.account), ("post", world.org.post),
    ]  # fmt: skip


def holder(world: World) -> Any:
    found = holding_of(world.session, world.org.post, world.now)
    return found and found.employee_id


def test_an_issue_starts_the_clock_of_the_receiver(world: World) -> None:
    case = world.start("issue", world.org.zhang)
    assert len(holds_on(world.session, subjects(world))) == 4
    assert received_at(world.session, world.org.post) is None
    leg = world.done(world.leg(case), "lead", "zhang")
    assert (leg.state, case.state, holder(world)) == ("completed", "completed", world.org.zhang)
    assert received_at(world.session, world.org.post) == world.now
    assert holds_on(world.session, subjects(world)) == []
    (paper,) = papers_about(world.session, world.who("zhang"), leg.subject)
    tag = world.session.scalar(select(Handset.asset_tag).where(Handset.id == world.handset))
    assert f" · {tag} · " in paper.about, "papers are found by the phone"
    assert (paper.kind, paper.id) == ("issue", leg.paper_id)
    task = world.session.scalars(select(Task).where(Task.kind == "handover")).one()
    assert task.state != "open"
    # Whoever issued it is staff: nobody who leaves knows its passwords.
    assert world.session.scalars(select(Secret).where(Secret.renew_cause == "handed")).all() == []


def test_the_giver_is_free_and_the_successor_holds(world: World) -> None:
    world.issued("zhang")
    world.clock.move(30 * 86_400)
    case = world.start("handover", world.org.li)
    first, second = world.leg(case), world.leg(case, 2)
    assert (first.state, second.state) == ("draft", "waiting")
    world.done(
        first, "zhang", "lead", 充电器=(False, "", "说是丢了"), **{"Redmi 12C": (True, "cracked", "左上角")}
    )
    assert holder(world) is None
    handed = world.session.scalars(select(Secret).where(Secret.renew_cause == "handed")).all()
    assert len(handed) == 3
    assert case.state == "open"
    assert open_handovers(world.session, world.who("lead"), handset_id=world.handset) == [case]
    world.session.refresh(second)
    assert second.state == "draft"
    at_lead = world.now
    world.clock.move(86_400)
    world.done(second, "lead", "li", 充电器=(False, "", "没有"), **{"Redmi 12C": (True, "cracked", "左上角")})
    assert (case.state, holder(world)) == ("completed", world.org.li)
    found = {c.name: c for c in differences_of(world.session, world.who("lead"), first.id)}
    assert found["充电器"].kind is ChangeKind.MISSING
    phone = found["Redmi 12C"]
    assert phone.kind is ChangeKind.WORSE
    assert phone.in_custody_of is not None
    assert phone.in_custody_of.employee_id == world.org.zhang
    assert phone.in_custody_of.until == at_lead
    # What the lead passes on as he got it is nobody's fault.
    later = {c.name: c.kind for c in differences_of(world.session, world.who("lead"), second.id)}
    assert set(later.values()) == {ChangeKind.SAME}
    assert [record.number for record in last_records(world.session, world.handset)] == [2, 1, 1]


def test_liability_lies_with_the_right_one_of_three(world: World) -> None:
    """Zhang hands on a whole kit; the box gets lost at the lead's; Li breaks the screen and Wang finds it so."""
    world.issued("zhang")
    world.clock.move(86_400)
    case = world.start("handover", world.org.li)
    world.done(world.leg(case), "zhang", "lead")
    world.clock.move(86_400)
    world.done(world.leg(case, 2), "lead", "li", 包装盒=(False, "", "找不到"))
    world.clock.move(86_400)
    case = world.start("handover", world.wang)
    world.done(
        world.leg(case), "li", "lead", 包装盒=(False, "", "没有"), **{"Redmi 12C": (True, "broken", "摔坏")}
    )

    def blamed(record: Any) -> dict[str, Any]:
        found = differences_of(world.session, world.who("lead"), record.leg_id)
        return {
            c.name: c.in_custody_of and (c.in_custody_of.employee_id, c.in_custody_of.name)
            for c in found
            if c.kind in (ChangeKind.MISSING, ChangeKind.WORSE)
        }

    latest, second, first, issue = last_records(world.session, world.handset)
    assert blamed(latest) == {"Redmi 12C": (world.org.li, "李四（E002）")}
    assert blamed(second) == {"包装盒": (None, "用户lead")}
    assert blamed(first) == {}
    assert differences_of(world.session, world.who("lead"), issue.leg_id) == []


def test_a_holding_that_was_to_end_by_itself_ends_before_the_signatures(world: World) -> None:
    """The registry knew Zhang's last day, and Li's first: the kit is handed over two days later."""
    world.issued("zhang")
    last_day = world.now + DAY
    held = holding_of(world.session, world.org.post, world.now)
    assert held is not None
    held.valid_to = last_day
    hold_post(world, "li", last_day)
    case = world.start("handover", world.org.li)
    world.clock.move(3 * 86_400)
    first = world.done(world.leg(case), "zhang", "lead", 充电器=(False, "", "没有带来"))
    assert (first.state, held.valid_to, holder(world)) == ("completed", last_day, world.org.li)
    world.done(world.leg(case, 2), "lead", "li", 充电器=(False, "", "没有"))
    assert (case.state, holder(world)) == ("completed", world.org.li)
    assert received_at(world.session, world.org.post) == world.now


def test_a_phone_from_another_post_is_held_against_its_own_record(world: World) -> None:
    """Zhang's phone goes to Li's post beside Li's own: told of as changed, and Li's own as Li's."""
    session, org = world.session, world.org
    world.issued("zhang")
    stamp = {"created_at": world.now, "updated_at": world.now}
    other = Post(centre_id=org.centre, grid_id=org.grid, code="P9", name="九号岗", **stamp)
    phone = Handset(
        centre_id=org.centre, asset_tag="GJ-9", serial="S9", brand="Redmi", model="13C", specification={}, **stamp
    )  # fmt: skip
    session.add_all([other, phone])
    session.flush()
    since = {"centre_id": org.centre, "post_id": other.id, "valid_from": world.now, **stamp}
    session.add(KitAssignment(handset_id=phone.id, **since))
    session.flush()
    session.add(PostHolding(employee_id=world.wang, **since))
    session.flush()
    wanted = service.Wanted(other.id, "handover", "left", receiver_id=org.li)
    case = service.start(session, world.who("lead"), wanted, policies=world.policies, now=world.now)
    world.done(world.leg(case), "wang", "lead")
    world.done(world.leg(case, 2), "lead", "li")
    world.clock.move(86_400)
    old = session.scalars(select(KitAssignment).where(KitAssignment.handset_id == world.handset)).one()
    zhangs = holding_of(session, org.post, world.now)
    assert zhangs is not None
    old.valid_to = zhangs.valid_to = world.now
    session.add(KitAssignment(handset_id=world.handset, **{**since, "valid_from": world.now + DAY}))
    session.flush()
    world.clock.move(2 * 86_400)
    wanted = service.Wanted(other.id, "return", "leave")
    case = service.start(session, world.who("lead"), wanted, policies=world.policies, now=world.now)
    broken = {"Redmi 12C": (True, "cracked", "左上角"), "Redmi 13C": (True, "broken", "进水")}
    leg = world.done(world.leg(case), "li", "lead", **broken)
    told = {c.name: c for c in differences_of(session, world.who("lead"), leg.id)}
    assert {told[name].kind for name in broken} == {ChangeKind.WORSE}
    blamed = {name: told[name].in_custody_of for name in broken}
    assert blamed["Redmi 13C"] is not None
    assert blamed["Redmi 13C"].employee_id == org.li
    # Li had it too, and nobody signed for that: it cannot be said who broke it.
    assert blamed["Redmi 12C"] is not None
    assert (blamed["Redmi 12C"].employee_id, blamed["Redmi 12C"].name[:4]) == (None, "无法确定")


def test_a_late_correction_blames_whoever_had_it_then(world: World) -> None:
    """Li has the kit when it is noticed that Zhang never gave the charger back; nothing of Li's stands in the paper."""
    world.issued("zhang")
    world.clock.move(86_400)
    case = world.start("handover", world.org.li)
    first = world.done(world.leg(case), "zhang", "lead")
    world.done(world.leg(case, 2), "lead", "li")
    world.clock.move(30 * 86_400)
    row = correcting.correct(world.session, world.who("lead"), first.id, reason="没有充电器", now=world.now)
    world.save(world.item(row, "充电器"), False, "", "没有交")
    draft = world.freeze(row)
    assert "张三（E001） 自" in draft.document
    assert "无法确定" not in draft.document
    assert "最近核对" not in draft.document
    world.sign(row, "giver", "zhang")
    world.sign(row, "receiver", "lead")
    for record in (first, row):
        (change,) = [
            c
            for c in differences_of(world.session, world.who("lead"), record.id)
            if c.kind is ChangeKind.MISSING
        ]
        assert change.in_custody_of is not None
        assert (change.in_custody_of.employee_id, change.in_custody_of.until) == (
            world.org.zhang,
            first.completed_at,
        )


def test_a_custody_that_the_registry_tells_otherwise_blames_nobody(world: World) -> None:
    """Nobody signed for what Wang had in between."""
    world.issued("zhang")
    held = holding_of(world.session, world.org.post, world.now)
    assert held is not None
    world.clock.move(86_400)
    held.valid_to = world.now
    hold_post(world, "wang", world.now)
    world.clock.move(86_400)
    case = world.start("return")
    leg = world.done(world.leg(case), "wang", "lead", 数据线=(False, "", "没有"))
    found = [
        c.in_custody_of
        for c in differences_of(world.session, world.who("lead"), leg.id)
        if c.kind is ChangeKind.MISSING
    ]
    assert [(who.employee_id, who.name[:4]) for who in found if who] == [(None, "无法确定")]
    assert (case.state, holder(world)) == ("completed", None)


def test_the_paper_says_everything(world: World) -> None:
    world.issued("zhang")
    world.clock.move(86_400)
    case = world.start("handover", world.org.li, place="前台")
    leg = world.leg(case)
    from app.handover import items

    items.add_exception(
        world.session, world.who("zhang"), leg.id, "giver", "屏幕领来时就有划痕", now=world.now
    )
    world.done(leg, "zhang", "lead", 卡针=(False, "", "丢了"))
    (paper,) = papers_about(world.session, world.who("lead"), leg.subject)
    text = paper.document
    for words in (
        "移交物品单", "860000000000017", "8986012345678901234", "不在场", "屏幕领来时就有划痕", "缺失", "张三（E001）",
        "没有核对", "前台", "电量", "未知", "用户lead",
    ):  # fmt: skip
        assert words in text, words
    assert "739154" not in text
    import orjson

    assert from_plain(orjson.loads(text)).title == "移交物品单"


def test_a_post_is_taken_or_empty(world: World) -> None:
    with pytest.raises(Conflict) as vacant:
        world.start("handover", world.org.li)
    assert vacant.value.code == "post_vacant"
    world.issued("zhang")
    with pytest.raises(Conflict) as taken:
        world.start("issue", world.org.li)
    assert taken.value.code == "post_taken"
    # The present holder may sign for his kit once more, e.g. after a change of phones; his month goes on.
    first = received_at(world.session, world.org.post)
    world.clock.move(10 * 86_400)
    world.issued("zhang")
    assert received_at(world.session, world.org.post) == first
    assert holder(world) == world.org.zhang


def test_what_an_issue_lacks_is_listed_with_links(world: World) -> None:
    secret = world.session.scalars(select(Secret).where(Secret.wechat_account_id.is_not(None))).one()
    secret.in_force = None
    world.session.flush()
    found = service.what_is_missing(
        world.session, world.who("lead"), world.org.post, policies=world.policies, now=world.now
    )
    assert [(m.code, m.words) for m in found] == [("missing_secret", "小新 的微信密码还没有备案")]
    with pytest.raises(Conflict) as refused:
        world.start("issue", world.org.zhang)
    assert refused.value.code == "not_ready"
    assert f"/escrow/secrets/{secret.id}" in refused.value.fields[0].message


def test_a_return_ends_the_custody_and_a_handover_without_successor_becomes_one(world: World) -> None:
    world.issued("zhang")
    world.clock.move(86_400)
    case = world.start("handover")
    lead = world.who("lead")
    with pytest.raises(Conflict):
        service.conclude(world.session, lead, case.id, reason="无人接任", now=world.now)
    world.done(world.leg(case), "zhang", "lead")
    with pytest.raises(Conflict) as done:
        service.cancel(world.session, lead, case.id, reason="x", now=world.now)
    assert done.value.code == "leg_done"
    service.conclude(world.session, lead, case.id, reason="无人接任", now=world.now)
    assert (case.kind, case.state, world.leg(case, 2).state) == ("return", "completed", "cancelled")
    assert holds_on(world.session, subjects(world)) == []
    assert received_at(world.session, world.org.post) is None
    # He is entered again by hand, and signed for nothing: what he once signed is not this time's receipt.
    world.clock.move(60)
    hold_post(world, "zhang", world.now)
    assert received_at(world.session, world.org.post) is None


def test_a_cancelled_case_releases_and_keeps_its_rows(world: World) -> None:
    world.issued("zhang")
    case = world.start("handover", world.org.li)
    leg = world.leg(case)
    world.fill(leg)
    row = world.freeze(leg)
    service.cancel(world.session, world.who("lead"), case.id, reason="不走了", now=world.now)
    world.session.refresh(row)
    assert (case.state, leg.state, row.outcome, row.outcome_words) == (
        "cancelled", "cancelled", "cancelled", "不走了",
    )  # fmt: skip
    assert holds_on(world.session, subjects(world)) == []
    assert holder(world) == world.org.zhang
    with pytest.raises(Conflict):
        service.cancel(world.session, world.who("lead"), case.id, reason="x", now=world.now)


def test_who_received_and_left_again_has_no_clock(world: World) -> None:
    world.issued("zhang")
    world.clock.move(86_400)
    case = world.start("handover", world.org.li)
    world.done(world.leg(case), "zhang", "lead")
    world.done(world.leg(case, 2), "lead", "li")
    assert received_at(world.session, world.org.post) == world.now
    assert world.now - DAY < world.now
