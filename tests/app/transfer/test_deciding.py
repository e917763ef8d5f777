"""What people decide: who may be old and new, who may take what, and never alone."""

from __future__ import annotations

import datetime as dt

import pytest

from app.audit import AuditEvent, record
from app.hardware import order_disposal
from app.kernel.errors import DomainError
from app.kernel.tenancy import SYSTEM, TOKEN_USER, Principal
from app.registry import Handset, KitAssignment
from app.transfer import deciding, running
from app.transfer.copies import discard
from tests.app.transfer.conftest import entry, person


@pytest.fixture
def database_url(one_database):
    return one_database


def edit(world, phone, **values):
    with world.writing() as session:
        row = session.get_one(Handset, world.phones[phone])
        for name, value in values.items():
            setattr(row, name, value)


def give(world, org, phone, post=None, since=None):
    with world.writing() as session:
        now = world.clock.now()
        session.add(
            KitAssignment(
                centre_id=org.centre, post_id=post or org.post, handset_id=world.phones[phone],
                valid_from=since or now - dt.timedelta(days=9), created_at=now, updated_at=now,
            )
        )  # fmt: skip


# --- who is old and who is new ------------------------------------------------------------------------------------


def test_a_phone_and_its_successor_need_no_reason(world, org):
    give(world, org, "S1")
    assert world.refused(world.open, reason="") == "invalid"
    with world.writing() as session:
        order_disposal(
            session,
            SYSTEM,
            world.phones["S1"],
            cause="replaced",
            reason="换机",
            source="/x",
            now=world.clock.now(),
        )
    assert world.open(reason="")


def test_who_took_the_place_in_the_kit_is_the_successor(world, org):
    give(world, org, "S1", since=world.clock.now() - dt.timedelta(days=90))
    with world.writing() as session:
        tie = session.query(KitAssignment).one()
        tie.valid_to = world.clock.now() - dt.timedelta(days=9)
    give(world, org, "S2")
    assert world.open(reason="")


@pytest.mark.parametrize(
    ("phone", "values", "code"),
    [
        ("S1", {"serial": "0123456789ABCDEF"}, "placeholder_serial"),
        ("S2", {"serial": "unknown"}, "placeholder_serial"),
        ("S1", {"retired_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, "retired_phone"),
        ("S2", {"retired_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, "retired_phone"),
    ],
)
def test_what_makes_two_phones_no_pair(world, phone, values, code):
    edit(world, phone, **values)
    assert world.refused(world.open) == code


def test_a_phone_that_is_to_be_destroyed_is_nobodys_new_one(world):
    with world.writing() as session:
        order_disposal(
            session,
            SYSTEM,
            world.phones["S2"],
            cause="replaced",
            reason="换机",
            source="/x",
            now=world.clock.now(),
        )
    assert world.refused(world.open) == "new_out_of_use"


def test_not_the_same_not_elsewhere_not_twice(world):
    assert world.refused(world.open, new_id=world.phones["S1"]) == "same_phone"
    assert world.refused(world.open, new_id=world.phones["F1"]) == "not_found"
    everywhere = Principal("u-all", frozenset({"it"}), None)
    assert world.refused(world.open, everywhere, new_id=world.phones["F1"]) == "other_centre"
    world.open()
    assert world.refused(world.open) == "transfer_open"
    assert world.refused(world.open, old_id=world.phones["S2"], new_id=None) == "transfer_open"
    assert world.refused(world.open, parts=("apps",)) in {"invalid", "transfer_open"}


def test_an_identity_that_contradicts_the_registry_is_no_pair(world):
    from app.readings.model import PhoneState

    world.open()
    with world.writing() as session:
        session.get_one(PhoneState, world.phones["S1"]).refused_identity = "x" * 32
    assert world.refused(world.start) == "identity"


@pytest.mark.parametrize("role", ["auditor", "finance", "butler"])
def test_only_those_who_do_may_open_or_start(world, role):
    assert world.refused(world.open, world.who(role)) == "role_in_centre"
    world.open()
    for act in (running.cancel, deciding.ask_waiver):
        assert world.refused(world.act, act, world.who(role), reason="x") == "role_in_centre"
    assert world.refused(world.start, world.who(role)) == "role_in_centre"
    assert world.refused(world.act, discard, world.who(role)) == "role_in_centre"
    assert world.refused(world.wechat, "no", world.who(role), words="x") == "role_in_centre"


def test_without_a_successor_nothing_starts(world):
    world.open(new_id=None)
    assert world.refused(world.start) == "no_successor"


# --- never alone --------------------------------------------------------------------------------------------------


def short(world, by=None):
    world.open(by)
    world.start(by)
    [command] = world.lease()
    world.final(command, [entry(0, "failed")], "differences")


def test_who_ran_it_does_not_accept_it(world):
    lead = world.who("lead")
    short(world, lead)
    assert world.refused(world.act, deciding.accept_data, lead, reason="x") == "second_person"
    assert (
        world.refused(world.act, deciding.accept_data, world.who("operations"), reason="x")
        == "role_in_centre"
    )
    token = Principal(TOKEN_USER, frozenset({"admin"}), None)
    assert world.refused(world.act, deciding.accept_data, token, reason="x") == "second_person"
    foreign = person("lead", world.phones.centre.__class__(int=1), "u-foreign")
    assert world.refused(world.act, deciding.accept_data, foreign, reason="x") == "not_found"
    other = world.who("lead", "u-lead2")
    assert world.refused(world.act, deciding.accept_data, other, reason=" ") == "invalid"
    world.act(deciding.accept_data, other, reason="重复的照片")
    assert world.state == "moved"


def test_who_recorded_wechat_does_not_accept_it(world):
    short(world)
    world.act(deciding.accept_data, world.who("lead", "u-lead2"), reason="重复")
    lead = world.who("lead")
    assert world.refused(world.act, deciding.accept_wechat, lead, reason="x") == "transfer_state"
    world.wechat("partly", lead)
    assert world.tasks() == ["lead"]
    assert world.refused(world.act, deciding.accept_wechat, lead, reason="x") == "second_person"
    world.act(deciding.accept_wechat, world.who("lead", "u-lead2"), reason="三个群已解散")
    assert (world.state, world.tasks()) == ("accepted", [])


def test_a_later_record_of_wechat_undoes_what_was_accepted_of_the_earlier(world):
    world.open()
    world.wechat("no", words="微信没装")
    world.act(deciding.accept_wechat, world.who("lead"), reason="没有微信")
    assert world.row().wechat_accepted_by == "u-lead"
    world.wechat("partly")
    assert world.row().wechat_accepted_by is None


def test_a_waiver_takes_two(world):
    lead = world.who("lead")
    world.open()
    assert world.refused(world.act, deciding.decide_waiver, lead, grant=True) == "transfer_state"
    world.act(deciding.ask_waiver, lead, reason="主板损坏")
    assert world.refused(world.act, deciding.decide_waiver, lead, grant=True) == "second_person"
    assert world.refused(world.act, deciding.ask_waiver, world.who("it"), reason="x") == "transfer_state"
    second = world.who("lead", "u-lead2")
    assert world.refused(world.act, deciding.decide_waiver, second, grant=False) == "invalid"
    world.act(deciding.decide_waiver, second, grant=False, reason="先送修")
    assert (world.state, world.row().waive_asked_by, world.tasks()) == ("draft", None, [])
    world.act(deciding.ask_waiver, lead, reason="修不好")
    world.act(deciding.decide_waiver, second, grant=True)
    assert (world.state, world.row().waived_by, world.tasks()) == ("waived", "u-lead2", [])
    assert world.refused(world.act, running.cancel, world.who("it"), reason="x") == "transfer_state"


def test_what_is_at_work_is_not_waived(world):
    world.begin()
    assert world.refused(world.act, deciding.ask_waiver, world.who("it"), reason="x") == "transfer_state"


def test_starting_again_drops_the_question_of_waiving(world):
    world.open()
    world.act(deciding.ask_waiver, world.who("it"), reason="读不出来")
    world.start()
    assert world.row().waive_asked_by is None
    assert world.refused(world.act, deciding.decide_waiver, world.who("lead"), grant=True) == "transfer_state"


# --- what is typed of WeChat ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "more", "field"),
    [
        ("all", {}, "outcome"), ("yes", {"photos": ()}, "photos"), ("yes", {"began_at": None}, "finished_at"),
        ("yes", {"finished_at": None}, "finished_at"), ("yes", {"before": None}, "after"),
        ("yes", {"after": 11}, "after"), ("yes", {"before": -1}, "before"), ("yes", {"after": 10**7}, "after"),
        ("partly", {"words": ""}, "words"), ("no", {"words": " "}, "words"),
        ("yes", {"finished_at": dt.datetime(2030, 1, 1, tzinfo=dt.UTC)}, "finished_at"),
        ("yes", {"began_at": dt.datetime(2026, 11, 22, 1, 59, tzinfo=dt.UTC),
                 "finished_at": dt.datetime(2026, 11, 22, 1, 0, tzinfo=dt.UTC)}, "finished_at"),
    ],
)  # fmt: skip
def test_a_record_of_wechat_has_its_evidence(world, outcome, more, field):
    world.open()
    with pytest.raises(DomainError) as told:
        world.wechat(outcome, **more)
    assert [f.field for f in told.value.fields] == [field]


def test_too_many_pictures(world, photo):
    world.open()
    assert world.refused(world.wechat, photos=(photo,) * 7) == "invalid"


def test_after_the_end_nothing_is_recorded(world):
    world.open()
    world.act(running.cancel, world.who("it"), reason="不迁移了")
    assert world.refused(world.wechat) == "transfer_state"
    assert world.refused(world.start) == "transfer_state"


# --- time ---------------------------------------------------------------------------------------------------------


def test_what_lies_about_is_asked_after(world, clock):
    world.open()
    world.run_jobs()
    assert world.tasks() == []
    clock.move(8 * 86400)
    world.run_jobs()
    assert world.tasks() == ["open"]
    world.act(running.cancel, world.who("it"), reason="不迁移了")
    assert world.tasks() == []


def test_a_settled_transfer_whose_event_somebody_else_wrote_is_none(world):
    """The first event counts: an attacker who can append one more cannot replace what it holds."""
    from app.kernel.db import db
    from app.transfer import transfer_state
    from app.transfer.marks import settled_mark
    from app.transfer.model import Transfer

    short(world)
    world.act(deciding.accept_data, world.who("lead"), reason="重复")
    world.wechat()
    with world.writing() as session:
        row = session.get_one(Transfer, world.id)
        row.data_reason = "都在"
        session.flush()
        forged = AuditEvent(
            at=world.clock.now(), actor="u-lead", action="transfer.accept", object=f"transfer:{row.id}",
            centre_id=row.centre_id, details={"mark": settled_mark(row)},
        )  # fmt: skip
        record(session, forged)
    with world.app.app_context():
        assert transfer_state(db.session(), world.phones["S1"]).code == "unverified"
        db.session.remove()
