"""What people enter: profiles looked at, out of reach, waived by two, corrected; never their own kit."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.audit import AuditRow
from app.credchecks import acts, last_check, life_events, listing, views
from app.credchecks.model import ItemChange
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from app.kernel.tenancy import SYSTEM
from app.kernel.timeline import Subject
from app.notify.model import Notice
from tests.app.credchecks.conftest import WECHAT
from tests.app.credchecks.test_opening import open_one
from tests.app.credchecks.test_settling import item, open_tasks, settle


@pytest.fixture
def row(place, full):
    made = open_one(place)
    place.clock.move(3600)
    return made


def attest(place, kind, matches=True, who=None, **more):
    return acts.attest(
        place.session, who or place.lead, item(place, kind).id, matches=matches, **{**place.given, **more}
    )


def test_a_profile_is_looked_at_and_corrected(place, row):
    with pytest.raises(Invalid) as refused:
        attest(place, "nickname", False)
    assert refused.value.fields[0].field == "reason"
    found = attest(place, "nickname", False, reason="昵称是旺财")
    assert (found.state, found.source, found.by, found.version) == (
        "mismatch",
        "attested",
        place.lead.user,
        2,
    )
    assert open_tasks(place, "round.mend:") == [f"round.mend:{place.account}:nickname"]
    told = place.session.scalars(select(Notice.body).where(Notice.title == "微信资料：昵称与登记一致")).one()
    assert "昵称是旺财" in told
    found = attest(place, "nickname")
    assert found.state == "match"
    assert open_tasks(place, "round.mend:") == []
    changes = place.session.scalars(
        select(ItemChange).where(ItemChange.item_id == found.id).order_by(ItemChange.at)
    )
    assert [(c.event, c.reason) for c in changes] == [("mismatch", "昵称是旺财"), ("match", "")]


def test_where_policy_wants_a_picture_words_are_not_enough(place, row):
    with pytest.raises(Invalid):
        attest(place, "appearance")
    name = place.rt.blobs.put(place.session, b"picture", "image/jpeg", place.clock.now())
    assert attest(place, "appearance", photos=[name]).photos == [name]
    assert listing.may_see_photo(place.session, place.lead, row.id, name)
    assert listing.may_see_photo(place.session, place.zhang, row.id, name), "it is of his kit"
    assert not listing.may_see_photo(place.session, place.li, row.id, name)
    assert not listing.may_see_photo(place.session, place.lead, row.id, "0" * 64)
    assert not listing.may_see_photo(place.session, place.lead, row.id, "../x")


def test_out_of_reach_needs_a_reason_and_a_later_check_counts(place, full, row):
    with pytest.raises(Invalid):
        acts.unreachable(
            place.session, place.lead, item(place, "wechat_password").id, reason=" ", **place.given
        )
    found = acts.unreachable(
        place.session, place.lead, item(place, "wechat_password").id, reason="管家休假", **place.given
    )
    assert (found.state, found.reason) == ("not_reachable", "管家休假")
    place.clock.move(60)
    place.check(full.wechat_password, WECHAT)
    settle(place)
    assert item(place, "wechat_password").state == "match"


def test_a_waiver_wants_two(place, row):
    asked = acts.waive(
        place.session, place.lead, item(place, "findable").id, reason="手机送修", **place.given
    )
    assert (asked.state, asked.asked_by) == ("waiving", place.lead.user)
    with pytest.raises(Forbidden) as refused:
        acts.settle_waiver(place.session, place.lead, asked.id, grant=True, **place.given)
    assert refused.value.code == "second_person"
    found = acts.settle_waiver(place.session, place.operations, asked.id, grant=True, **place.given)
    assert (found.state, found.reason) == ("waived", "手机送修")
    assert open_tasks(place, "round.waive:") == []
    again = acts.reopen(place.session, place.lead, asked.id, reason="手机回来了", **place.given)
    assert again.state == "open"


def test_a_refused_waiver_of_what_is_not_filed_asks_for_filing_again(place, row):
    found = item(place, "screen_lock", place.second)
    acts.waive(place.session, place.lead, found.id, reason="新手机", **place.given)
    found = acts.settle_waiver(place.session, place.operations, found.id, grant=False, **place.given)
    assert item(place, "screen_lock", place.second).state == "unfiled"
    assert open_tasks(place, f"round.file:{place.phone2}") == [f"round.file:{place.phone2}:screen_lock"]


def test_a_check_s_result_is_corrected_by_a_check_only(place, full, row):
    place.check(full.wechat_password, "wrong-one-1")
    found = item(place, "wechat_password")
    with pytest.raises(Conflict) as refused:
        acts.reopen(place.session, place.lead, found.id, reason="输错了", **place.given)
    assert refused.value.code == "check_again"
    with pytest.raises(Conflict):
        acts.attest(place.session, place.lead, found.id, matches=True, **place.given)


@pytest.mark.parametrize("act", ["attest", "unreachable", "waive", "reopen", "check"])
def test_nobody_acts_on_his_own_kit(place, row, act):
    own = place.also(place.zhang, "lead")
    target = item(place, "nickname").id
    call = {
        "attest": lambda: attest(place, "nickname", who=own),
        "unreachable": lambda: acts.unreachable(place.session, own, target, reason="x", **place.given),
        "waive": lambda: acts.waive(place.session, own, target, reason="x", **place.given),
        "reopen": lambda: acts.reopen(place.session, own, target, reason="x", **place.given),
        "check": lambda: acts.secret_to_check(
            place.session, own, item(place, "screen_lock").id, **place.given
        ),
    }[act]
    with pytest.raises(Forbidden) as refused:
        call()
    assert refused.value.code == "own_kit"
    views_of = views.post_items(
        place.session, own, row.id, place.org.post, policies=place.rt.policies, now=place.clock.now()
    )
    assert {line.acts for line in views_of[2]} == {()}


@pytest.mark.parametrize("who", ["zhang", "foreign", "auditor", "it"])
def test_only_lead_and_operations_of_the_centre_act(place, row, who):
    caller = {
        "zhang": lambda: place.zhang,
        "foreign": lambda: place.person("lead", centre=place.org.other_centre, login="f-lead"),
        "auditor": lambda: place.person("auditor"),
        "it": lambda: place.person("it"),
    }[who]()
    with pytest.raises(NotFound if who == "foreign" else Forbidden):
        attest(place, "nickname", who=caller)


def test_of_two_leads_with_the_same_page_one_is_told(place, row):
    found = item(place, "nickname")
    seen = found.version
    attest(place, "nickname", version=seen)
    with pytest.raises(Stale):
        acts.attest(
            place.session,
            place.operations,
            found.id,
            matches=False,
            reason="不对",
            version=seen,
            **place.given,
        )


def test_the_round_s_memory_for_others(place, full, row):
    assert last_check(place.session, place.account) is None
    attest(place, "nickname")
    place.clock.move(60)
    place.check(full.wechat_password, WECHAT)
    settle(place)
    found = last_check(place.session, place.account)
    assert (found.month, found.by, found.at) == ("2026-11", "lead先生", place.clock.now())
    results = {label: word for label, word, _ in found.results}
    assert (results["微信密码"], results["昵称与登记一致"], results["加好友需要验证"]) == (
        "一致",
        "一致",
        "待核对",
    )
    for subject in (("wechat", place.account), ("post", place.org.post), ("employee", place.org.zhang)):
        event = life_events(place.session, SYSTEM, Subject(*subject))[0]
        assert event.title == "月度核对 2026-11"
        assert event.link == f"/rounds/{row.id}"
    assert life_events(place.session, SYSTEM, Subject("handset", place.spare)) == []
    foreign = place.person("lead", centre=place.org.other_centre, login="f-lead")
    assert life_events(place.session, foreign, Subject("wechat", place.account)) == []


def test_every_human_act_is_in_the_trail(place, row):
    attest(place, "nickname")
    acts.unreachable(place.session, place.lead, item(place, "screen_lock").id, reason="不在", **place.given)
    acts.ask_again(place.session, place.lead, row.id, **place.given)
    place.commit()
    found = place.session.scalars(
        select(AuditRow.action).where(AuditRow.actor == place.lead.user).order_by(AuditRow.seq)
    )
    assert list(found) == ["round.match", "round.unreachable", "round.ask_phones"]
