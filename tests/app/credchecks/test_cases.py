"""A password that does not match: from the check to the paper, and back where somebody only mistyped."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.credchecks import case_store, case_views, cases
from app.credchecks.model import ChangeCase
from app.credchecks.states import Finding
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.kernel.tenancy import SYSTEM
from app.ledger.model import LedgerEntry
from app.notify.model import Notice
from app.papers import papers_about
from app.registry import PostHolding
from app.tasks import Task
from tests.app.credchecks.conftest import DAY, SERVICE, WECHAT
from tests.app.credchecks.test_opening import open_one
from tests.app.credchecks.test_settling import item, open_tasks, settle

HOUR = 3600


@pytest.fixture
def case(place, full):
    """Zhang's WeChat password does not match, and he was told."""
    open_one(place)
    place.clock.move(HOUR)
    assert not place.check(full.wechat_password, "changed-by-me1")
    settle(place)
    place.clock.move(HOUR)
    assert tell(place) == 1
    place.commit()
    return only(place)


def only(place) -> ChangeCase:
    return place.session.scalars(select(ChangeCase).execution_options(populate_existing=True)).one()


def tell(place) -> int:
    return cases.tell_due(place.session, place.rt.policies, place.clock.now())


def close(place) -> int:
    return cases.close_restored(place.session, place.rt.policies, place.clock.now())


def decide(place, case, finding=Finding.UNAUTHORISED, who=None, reason="管家承认自己改了"):
    who = who or place.lead
    return cases.decide(place.session, who, case.id, finding=finding, reason=reason, **place.given)


def state(place, case, who=None, text="我忘了原来的，自己改了"):
    return cases.make_statement(place.session, who or place.zhang, case.id, text, **place.told)


def answer(place, case, uphold, who=None):
    who = who or place.operations
    return cases.answer(place.session, who, case.id, uphold=uphold, reason="看过了", **place.given)


def titles(place):
    return list(
        place.session.scalars(select(Notice.title).where(Notice.kind == "change").order_by(Notice.id))
    )


def test_a_mistyped_password_accuses_nobody(place, full):
    open_one(place)
    place.clock.move(HOUR)
    place.check(full.wechat_password, "typo-in-haste1")
    settle(place)
    assert (only(place).state, only(place).employee_id) == ("opened", place.org.zhang)
    assert tell(place) == 0, "half an hour to type it again"
    place.clock.move(600)
    place.check(full.wechat_password, WECHAT)
    settle(place)
    assert only(place).state == "dropped"
    place.clock.move(DAY.total_seconds())
    assert tell(place) == 0
    assert titles(place) == []
    assert open_tasks(place, "round.file:") == [f"round.file:{place.phone2}:screen_lock"]


def test_told_he_cannot_change_it_back_unseen(place, full, case):
    place.check(full.wechat_password, WECHAT)
    settle(place)
    assert only(place).state == "opened", "it matched before he was told, or not at all"
    assert not only(place).finding


def test_the_whole_way_to_the_paper(place, full, case):
    assert case.statement_until == case.told_at + 3 * DAY
    assert titles(place) == ["密码核对不一致，请说明", "密码核对不一致：锦绣小新"]
    with pytest.raises(Conflict):
        decide(place, case)
    assert state(place, case).state == "stated"
    assert open_tasks(place, "change_case:") == [f"change_case:{case.id}"]
    found = decide(place, case)
    assert (found.state, found.finding, found.decided_by) == ("decided", "unauthorised", place.lead.user)
    assert found.appeal_until == place.clock.now() + 5 * DAY
    assert open_tasks(place, "change_case:") == []
    (paper,) = papers_about(place.session, SYSTEM, f"change_case:{case.id}")
    assert paper.id == found.paper_id
    assert paper.number.startswith("GG-C1-2026-")
    assert "我忘了原来的" in paper.document
    assert papers_about(place.session, place.zhang, f"change_case:{case.id}") == [paper]
    assert close(place) == 0, "no new password"
    place.file("wechat_password", "brand-New7x9Qp2")
    assert close(place) == 0, "he may still appeal"
    place.clock.move(5 * DAY.total_seconds())
    assert close(place) == 1
    assert only(place).state == "closed"
    assert place.session.scalars(select(LedgerEntry)).all() == [], "the rules name no money for it"


def test_an_appeal_is_answered_by_another(place, full, case):
    state(place, case)
    decide(place, case)
    appealed = cases.appeal(place.session, place.zhang, case.id, "是营业厅重置的", **place.told)
    assert appealed.state == "appealed"
    with pytest.raises(Conflict):
        cases.appeal(place.session, place.zhang, case.id, "再说一次", **place.told)
    with pytest.raises(Forbidden) as refused:
        answer(place, case, True, place.lead)
    assert refused.value.code == "second_person"
    found = answer(place, case, False)
    assert (found.state, found.finding) == ("answered", "explained")
    first, second = papers_about(place.session, SYSTEM, f"change_case:{case.id}")
    assert (second.corrects, second.id) == (first.id, found.paper_id)
    assert "原认定：擅自更改" in second.document
    with pytest.raises(Conflict):
        cases.appeal(place.session, place.zhang, case.id, "再来", **place.told)
    place.clock.move(60)
    place.check(full.wechat_password, WECHAT)
    assert close(place) == 1, "nobody is to blame and it matches again"


def test_upheld_it_is_the_last_word(place, full, case):
    state(place, case)
    decide(place, case)
    cases.appeal(place.session, place.zhang, case.id, "不是我", **place.told)
    assert answer(place, case, True).finding == "unauthorised"
    place.clock.move(60)
    place.check(full.wechat_password, WECHAT)
    assert close(place) == 0, "changed back is not filed anew"


def test_silence_is_decided_without_him_but_a_late_word_counts(place, case):
    assert cases.lapse(place.session, place.rt.policies, place.clock.now()) == 0
    place.clock.move(3 * DAY.total_seconds())
    assert cases.lapse(place.session, place.rt.policies, place.clock.now()) == 1
    assert only(place).state == "silent"
    assert open_tasks(place, "change_case:") == [f"change_case:{case.id}"]
    assert state(place, case, text="刚休假回来，是我改的").state == "stated"
    decide(place, case, Finding.EXPLAINED)
    with pytest.raises(Conflict):
        state(place, case)
    with pytest.raises(Conflict):
        cases.appeal(place.session, place.zhang, case.id, "?", **place.told)


def test_our_own_mistake_may_be_said_at_once(place, full, case):
    found = decide(place, case, Finding.RECORD_WRONG, reason="上次换密码没有备案")
    assert (found.state, found.appeal_until) == ("decided", None)
    assert close(place) == 0
    place.clock.move(1)
    place.file("wechat_password", "brand-New7x9Qp2")
    assert close(place) == 1


def test_at_a_vacant_post_nobody_is_to_blame(place, full):
    held = place.session.scalars(select(PostHolding).where(PostHolding.post_id == place.org.post)).one()
    held.valid_to = place.clock.now() - DAY
    open_one(place)
    place.clock.move(HOUR)
    place.check(full.service_password, "111222")
    settle(place)
    place.clock.move(HOUR)
    assert tell(place) == 1
    found = only(place)
    assert (found.state, found.employee_id) == ("silent", None)
    with pytest.raises(Conflict) as refused:
        decide(place, found)
    assert refused.value.code == "nobody_to_blame"
    assert decide(place, found, Finding.EXPLAINED).state == "decided"


def test_who_had_it_decides_nothing(place, full, case):
    """Also whoever held the post earlier, since the password was last known to be right."""
    own = place.also(place.zhang, "lead")
    state(place, case)
    with pytest.raises(Forbidden) as refused:
        decide(place, case, who=own)
    assert refused.value.code == "own_kit"
    assert (
        case_views.case_view(
            place.session, own, case.id, policies=place.rt.policies, now=place.clock.now()
        ).acts
        == ()
    )
    for who in (place.li, place.person("it"), place.person("auditor")):
        with pytest.raises((Forbidden, NotFound)):
            decide(place, case, who=who)


def test_only_he_speaks_for_himself(place, case):
    for who in (place.lead, place.operations):
        with pytest.raises(Forbidden):
            state(place, case, who)
    with pytest.raises(NotFound):
        state(place, case, place.li)
    with pytest.raises(Invalid):
        state(place, case, text=" \n ")
    assert case_store.find(place.session, place.zhang, case.id).id == case.id


def test_for_who_has_no_user_the_desk_writes_it_down(place, full):
    held = place.session.scalars(select(PostHolding).where(PostHolding.post_id == place.org.post)).one()
    from app.registry import Employee

    stamp = {"created_at": place.clock.now(), "updated_at": place.clock.now()}
    held.employee_id = place.add(Employee(centre_id=place.org.centre, number="E777", name="无号", **stamp))
    open_one(place)
    place.clock.move(HOUR)
    place.check(full.wechat_password, "changed-by-me1")
    settle(place)
    place.clock.move(HOUR)
    tell(place)
    found = state(place, only(place), place.lead, "电话里说是他改的")
    assert (found.state, found.stated_by) == ("stated", place.lead.user)


def test_one_case_at_a_time_for_a_password(place, full, case):
    place.clock.move(60)
    place.check(full.wechat_password, "changed-again2")
    settle(place)
    assert only(place).id == case.id
    place.check(full.service_password, "000001")
    settle(place)
    assert len(place.session.scalars(select(ChangeCase)).all()) == 2
    assert SERVICE not in "".join(titles(place))


def test_who_held_it_since_it_was_last_right(place, full):
    """Li takes the post over, the password was right while Zhang had it: both are named, in order."""
    open_one(place)
    place.clock.move(HOUR)
    place.check(full.wechat_password, WECHAT)
    settle(place)
    good = place.clock.now()
    held = place.session.scalars(select(PostHolding).where(PostHolding.post_id == place.org.post)).one()
    place.clock.move(DAY.total_seconds())
    held.valid_to = place.clock.now()
    stamp = {"created_at": place.clock.now(), "updated_at": place.clock.now()}
    place.add(
        PostHolding(
            centre_id=place.org.centre, post_id=place.org.post, employee_id=place.org.li,
            valid_from=place.clock.now(), **stamp,
        )
    )  # fmt: skip
    place.clock.move(DAY.total_seconds())
    place.check(full.wechat_password, "changed-by-me1")
    settle(place)
    found = only(place)
    assert (found.employee_id, found.known_good_at) == (place.org.li, good)
    view = case_views.case_view(
        place.session, place.lead, found.id, policies=place.rt.policies, now=place.clock.now()
    )
    assert [person.name for person, *_ in view.held] == ["张三", "李四"]
    assert item(place, "wechat_password").state == "mismatch"
    assert place.session.scalars(select(Task.key).where(Task.key.startswith("round.file:"))).all() != []
