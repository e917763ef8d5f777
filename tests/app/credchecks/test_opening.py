"""Rounds open by themselves, once a month and centre, with what each post has then."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app.credchecks import opening, store
from app.credchecks.model import CheckItem, CheckRound
from app.escrow import LockOrder
from app.kernel.errors import Conflict, Forbidden
from app.notify.model import Notice
from app.policy import LayerInput, put_layer
from app.registry import Grid, Handset, KitAssignment, Number, Post, PostHolding
from app.tasks import Task
from tests.app.credchecks.conftest import DAY


def items(place, row=None):
    query = select(CheckItem).order_by(CheckItem.place)
    return list(place.session.scalars(query if row is None else query.where(CheckItem.round_id == row.id)))


def open_one(place):
    assert opening.open_due(place.session, place.tools, place.clock.now()) == 1
    place.commit()
    return place.session.scalars(select(CheckRound).order_by(CheckRound.opened_at.desc())).first()


def test_what_a_round_asks(place, full):
    row = open_one(place)
    assert (row.month, row.state, row.opened_by) == ("2026-11", "open", "system")
    assert row.due_at == dt.datetime(2026, 12, 2, 16, tzinfo=dt.UTC), "the end of 2 December in Shanghai"
    mine = [i for i in items(place) if i.post_id == place.org.post]
    assert [(i.area, i.kind, i.state) for i in mine] == [
        ("secret", "screen_lock", "open"),
        ("secret", "service_password", "open"),
        ("secret", "wechat_password", "open"),
        ("profile", "registered_number", "open"),
        ("profile", "nickname", "open"),
        ("profile", "appearance", "open"),
        ("profile", "findable", "open"),
        ("profile", "verification", "open"),
    ]
    assert {i.holder_id for i in mine} == {place.org.zhang}
    assert [(i.rule, i.hint) for i in mine[3:5]] == [("U01", "+8613800005678"), ("U02", "锦绣小新")]
    assert mine[6].hint == "jx-xiaoxin、+8613800005678"
    others = [i for i in items(place) if i.post_id == place.second]
    assert [(i.kind, i.state, i.holder_id) for i in others] == [("screen_lock", "unfiled", place.org.li)]
    tasks = {t.key: t for t in place.session.scalars(select(Task))}
    filing = tasks[f"round.file:{place.phone2}:screen_lock"]
    assert filing.link == f"/escrow/file?of=handset&subject={place.phone2}&kind=screen_lock"
    assert tasks[f"round:{row.id}"].due_at == row.due_at
    assert place.session.scalar(select(Notice.title).where(Notice.kind == "round")) == "月度核对 2026-11"


def test_a_sim_pin_is_asked_for_only_where_it_is_filed(place, full):
    open_one(place)
    assert "sim_pin" not in {i.kind for i in items(place)}


def test_once_a_month_whoever_opens_it(place):
    open_one(place)
    assert opening.open_due(place.session, place.tools, place.clock.now()) == 0
    with pytest.raises(Conflict):
        opening.open_round(place.session, place.lead, place.tools, place.org.centre, place.clock.now())
    place.clock.set(dt.datetime(2026, 11, 30, 15, 59, 59, tzinfo=dt.UTC))
    assert opening.open_due(place.session, place.tools, place.clock.now()) == 0, "still November in Shanghai"
    place.clock.move(1)
    assert opening.open_due(place.session, place.tools, place.clock.now()) == 1
    months = place.session.scalars(select(CheckRound.month).order_by(CheckRound.month)).all()
    assert list(months) == ["2026-11", "2026-12"]


def test_not_before_policy_s_day_but_by_hand(place):
    layer = LayerInput("credchecks", "centre", place.org.centre, {"opens_day": 25}, "test")
    put_layer(
        place.session, place.operations, place.rt.policies, layer, expected_version=0, now=place.clock.now()
    )
    assert opening.open_due(place.session, place.tools, place.clock.now()) == 0, "it is the 22nd"
    row = opening.open_round(place.session, place.lead, place.tools, place.org.centre, place.clock.now())
    assert row.opened_by == place.lead.user
    place.clock.move(3 * 86_400)
    assert opening.open_due(place.session, place.tools, place.clock.now()) == 0, "it is open already"


def test_who_may_open(place):
    with pytest.raises(Forbidden):
        opening.open_round(place.session, place.zhang, place.tools, place.org.centre, place.clock.now())
    foreign = place.person("lead", centre=place.org.other_centre, login="other-lead")
    with pytest.raises(Forbidden):
        opening.open_round(place.session, foreign, place.tools, place.org.centre, place.clock.now())
    with pytest.raises(Conflict) as told:
        opening.open_round(place.session, foreign, place.tools, place.org.other_centre, place.clock.now())
    assert told.value.code == "no_kit"


def test_a_centre_gets_its_round_with_its_first_kit(place):
    open_one(place)
    stamp = {"created_at": place.clock.now(), "updated_at": place.clock.now()}
    centre = place.org.other_centre
    grid = place.add(Grid(centre_id=centre, code="G9", name="九号片区", **stamp))
    post = place.add(Post(centre_id=centre, grid_id=grid, code="P9", name="九号岗", **stamp))
    number = place.add(Number(centre_id=centre, e164="+8613900001111", **stamp))
    assert opening.open_due(place.session, place.tools, place.clock.now()) == 0
    place.add(
        KitAssignment(centre_id=centre, post_id=post, number_id=number, valid_from=place.clock.now(), **stamp)
    )
    place.clock.move(60)
    row = open_one(place)
    assert row.centre_id == centre
    assert [(i.kind, i.holder_id) for i in items(place, row)] == [("service_password", None)], (
        "nobody holds it"
    )


def test_all_centres_begin_a_few_a_run(place, monkeypatch):
    monkeypatch.setattr(opening, "_AT_ONCE", 1)
    stamp = {"created_at": place.clock.now(), "updated_at": place.clock.now()}
    centre = place.org.other_centre
    grid = place.add(Grid(centre_id=centre, code="G9", name="九号片区", **stamp))
    post = place.add(Post(centre_id=centre, grid_id=grid, code="P9", name="九号岗", **stamp))
    number = place.add(Number(centre_id=centre, e164="+8613900001111", **stamp))
    place.add(
        KitAssignment(centre_id=centre, post_id=post, number_id=number, valid_from=place.clock.now(), **stamp)
    )
    place.clock.move(60)
    runs = [opening.open_due(place.session, place.tools, place.clock.now()) for _ in range(3)]
    assert runs == [1, 1, 0]


def test_what_is_retired_or_at_no_post_is_not_asked(place):
    place.session.get_one(Handset, place.phone2).retired_at = place.clock.now()
    open_one(place)
    assert {i.subject_id for i in items(place)} == {place.phone, place.number, place.account}


def test_screen_locks_are_asked_of_the_phones(place, full):
    open_one(place)
    orders = place.session.scalars(select(LockOrder)).all()
    assert [(o.handset_id, o.what, o.asked_by) for o in orders] == [(place.phone, "check", "system")]


def test_a_sealed_escrow_opens_a_round_all_the_same(place, full):
    place.rt.vault.drop_root()
    open_one(place)
    assert place.session.scalars(select(LockOrder)).all() == []
    assert store.items(place.session, items(place)[0].round_id)[0].state == "open"


def test_who_holds_it_is_as_of_the_opening(place):
    held = place.session.scalars(select(PostHolding).where(PostHolding.post_id == place.org.post)).one()
    held.valid_to = place.clock.now() - DAY
    place.session.flush()
    open_one(place)
    assert {i.holder_id for i in items(place) if i.post_id == place.org.post} == {None}
