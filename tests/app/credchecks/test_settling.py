"""What the escrow found since the opening decides; nothing older, and not the holder's own word."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.credchecks import acts, settling, views
from app.credchecks.model import ChangeCase, CheckItem, CheckRound, ItemChange
from app.escrow import LockOrder
from app.escrow.model import Secret
from app.kernel.errors import Conflict, Forbidden, Unavailable
from app.registry import Handset, PostHolding
from app.tasks import Task
from tests.app.credchecks.conftest import PIN, WECHAT
from tests.app.credchecks.test_opening import open_one


def item(place, kind, post=None):
    query = select(CheckItem).where(CheckItem.kind == kind, CheckItem.post_id == (post or place.org.post))
    return place.session.scalars(query.execution_options(populate_existing=True)).one()


def settle(place):
    number = settling.settle_open(place.session, place.tools, place.clock.now())
    place.commit()
    return number


def open_tasks(place, start):
    query = select(Task.key).where(Task.state == "open", Task.key.startswith(start))
    return list(place.session.scalars(query))


def test_whoever_checked_it_counts(place, full):
    place.check(full.wechat_password, WECHAT)
    place.clock.move(60)
    open_one(place)
    assert settle(place) == 0, "checked before the round: says nothing"
    place.clock.move(60)
    place.check(full.wechat_password, WECHAT, place.operations)
    assert settle(place) == 1
    found = item(place, "wechat_password")
    assert (found.state, found.by, found.source) == ("match", place.operations.user, "typed")
    assert settle(place) == 0, "once"


def test_a_round_of_which_nothing_is_new_is_looked_at_in_its_turn(place, full, monkeypatch):
    """Each run looks at what the escrow touched, and at so many others."""
    monkeypatch.setattr(settling, "_IN_TURN", 0)
    place.clock.move(600)
    open_one(place)
    place.clock.move(600)
    assert settle(place) == 0
    looked = place.session.scalars(select(CheckRound.settled_at)).one()
    assert looked < place.clock.now() - settling._LATE
    place.session.get_one(Handset, place.phone).retired_at = place.clock.now()
    place.commit()
    assert settle(place) == 0, "nothing of the escrow: it waits for its turn"
    place.check(full.wechat_password, WECHAT)
    place.clock.move(30)
    assert settle(place) > 1, "what was checked, and all else of that round"
    assert item(place, "wechat_password").state == "match"
    monkeypatch.setattr(settling, "_IN_TURN", 1)
    place.clock.move(600)
    settle(place)
    assert place.session.scalars(select(CheckRound.settled_at)).one() == place.clock.now()


def test_at_the_very_instant_of_the_opening_counts(place, full):
    open_one(place)
    place.check(full.screen_lock, PIN)
    settle(place)
    assert item(place, "screen_lock").state == "match"


def test_the_phone_s_own_word(place, full):
    open_one(place)
    place.clock.move(600)
    order = place.session.scalars(select(LockOrder)).one()
    secret = place.session.get_one(Secret, full.screen_lock)
    secret.checked_at, secret.matched = place.clock.now(), True
    order.state, order.outcome, order.at = "done", "match", place.clock.now()
    place.session.flush()
    settle(place)
    found = item(place, "screen_lock")
    assert (found.state, found.by, found.source) == ("match", "system", "phone")


def test_a_holder_s_own_check_is_none(place, full):
    """The lead of the centre holds a post himself: what he types about his own kit says nothing."""
    own = place.also(place.zhang, "lead")
    open_one(place)
    place.clock.move(60)
    place.check(full.wechat_password, WECHAT, own)
    assert settle(place) == 0
    assert item(place, "wechat_password").state == "open"
    place.clock.move(60)
    place.check(full.wechat_password, WECHAT, place.lead)
    assert settle(place) == 1


def test_a_lock_that_does_not_match_is_filed_anew_and_blames_nobody(place, full):
    open_one(place)
    place.clock.move(60)
    assert not place.check(full.screen_lock, "000000")
    settle(place)
    assert item(place, "screen_lock").state == "mismatch"
    assert place.session.scalars(select(ChangeCase)).all() == []
    assert sorted(open_tasks(place, "round.file:")) == sorted(
        f"round.file:{phone}:screen_lock" for phone in (place.phone, place.phone2)
    )
    place.clock.move(60)
    place.file("screen_lock", "268413")
    settle(place)
    assert open_tasks(place, f"round.file:{place.phone}:") == []
    assert item(place, "screen_lock").state == "mismatch", "what was found stays, until it is checked again"
    place.clock.move(60)
    place.check(full.screen_lock, "268413")
    settle(place)
    assert item(place, "screen_lock").state == "match"
    events = place.session.scalars(
        select(ItemChange.event).where(ItemChange.item_id == item(place, "screen_lock").id)
    )
    assert list(events) == ["mismatch", "match"]


def test_filed_in_the_round_it_is_to_be_checked(place, full):
    open_one(place)
    key = f"round.file:{place.phone2}:screen_lock"
    assert open_tasks(place, key) == [key]
    place.clock.move(60)
    secret = place.file("screen_lock", "402716", place.phone2)
    settle(place)
    assert item(place, "screen_lock", place.second).state == "open"
    assert open_tasks(place, key) == []
    place.check(secret, "402716")
    settle(place)
    assert item(place, "screen_lock", place.second).state == "match"


def test_what_is_retired_meanwhile_needs_no_check(place, full):
    open_one(place)
    place.session.get_one(Handset, place.phone).retired_at = place.clock.now()
    place.session.flush()
    assert settle(place) == 1
    found = item(place, "screen_lock")
    assert (found.state, found.by, found.reason) == ("waived", "system", "已停用或已调出本服务中心")


def test_two_open_months_are_both_settled_and_a_closed_one_stays(place, full):
    first = open_one(place)
    place.clock.move(10 * 86_400)
    open_one(place)
    place.check(full.wechat_password, WECHAT)
    assert settle(place) == 2
    first.state = "closed"
    place.clock.move(60)
    place.session.flush()
    place.check(full.wechat_password, "wrong")
    assert settle(place) == 1
    states = place.session.execute(
        select(CheckRound.month, CheckItem.state).join(CheckRound, CheckRound.id == CheckItem.round_id)
        .where(CheckItem.kind == "wechat_password").order_by(CheckRound.month)
    ).all()  # fmt: skip
    assert [tuple(row) for row in states] == [("2026-11", "match"), ("2026-12", "mismatch")]


def test_sealed_in_mid_round_items_stay_open(place, full):
    open_one(place)
    place.rt.vault.drop_root()
    found = item(place, "wechat_password")
    assert acts.secret_to_check(place.session, place.lead, found.id, **place.given) == full.wechat_password
    with pytest.raises(Unavailable):
        place.check(full.wechat_password, WECHAT)
    assert settle(place) == 0
    assert item(place, "wechat_password").state == "open"
    attested = acts.attest(place.session, place.lead, item(place, "nickname").id, matches=True, **place.given)
    assert attested.state == "match", "profiles need no escrow"


def test_what_cannot_be_checked_is_told(place, full):
    open_one(place)
    with pytest.raises(Conflict):
        acts.secret_to_check(place.session, place.lead, item(place, "nickname").id, **place.given)
    with pytest.raises(Conflict):
        acts.secret_to_check(
            place.session, place.lead, item(place, "screen_lock", place.second).id, **place.given
        )
    with pytest.raises(Forbidden):
        acts.secret_to_check(place.session, place.zhang, item(place, "wechat_password").id, **place.given)


def test_the_kit_s_new_holder_is_told_apart(place, full):
    row = open_one(place)
    held = place.session.scalars(select(PostHolding).where(PostHolding.post_id == place.org.post)).one()
    place.clock.move(86_400)
    held.valid_to = place.clock.now()
    stamp = {"created_at": place.clock.now(), "updated_at": place.clock.now()}
    other = place.session.scalars(select(PostHolding).where(PostHolding.post_id == place.second)).one()
    other.valid_to = place.clock.now()
    place.add(
        PostHolding(
            centre_id=place.org.centre,
            post_id=place.org.post,
            employee_id=place.org.li,
            valid_from=place.clock.now(),
            **stamp,
        )
    )
    place.clock.move(60)
    cards = views.round_view(place.session, place.lead, row.id, place.clock.now()).cards
    assert [(c.name, c.holder, c.now_holder) for c in cards] == [
        ("一号片区管家", "张三", "李四"),
        ("二号岗", "李四", "无人在岗"),
    ]
