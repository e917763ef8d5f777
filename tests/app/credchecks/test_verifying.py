"""A closed round cannot be altered unseen: items, results, reasons, pictures, the report, the round itself."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from sqlalchemy import delete, select, update

from app.audit import AuditRow
from app.credchecks import verifying
from app.credchecks.closing import Hand, close, preview
from app.credchecks.model import CheckItem, CheckRound, ItemChange
from app.kernel.errors import Conflict
from app.papers import Ink, digest
from tests.app.credchecks.test_opening import open_one


@pytest.fixture
def closed(place, full):
    row = open_one(place)
    place.session.execute(
        update(CheckItem).values(state="not_reachable", reason="停电", at=place.clock.now())
    )
    one = place.session.scalars(select(CheckItem).limit(1)).one()
    place.session.add(
        ItemChange(
            centre_id=one.centre_id, item_id=one.id, event="unreachable", state="not_reachable", at=place.clock.now(),
            by=place.lead.user, source="entered", reason="停电", photos=[],
        )
    )  # fmt: skip
    _, document, left = preview(place.session, place.lead, row.id)
    assert left == 0
    hand = Hand(place.lead.user, "林主管", Ink(b"\x89PNG drawn", 1))
    close(
        place.session,
        place.lead,
        row.id,
        hand=hand,
        seen=digest(document),
        blobs=place.rt.blobs,
        **place.given,
    )
    place.commit()
    return row


def test_a_round_ends_with_nothing_open_and_with_the_report_that_was_seen(place, full):
    row = open_one(place)
    hand = Hand(place.lead.user, "林主管", Ink(b"\x89PNG drawn", 1))
    seen = digest(preview(place.session, place.lead, row.id)[1])
    with pytest.raises(Conflict) as refused:
        close(place.session, place.lead, row.id, hand=hand, seen=seen, blobs=place.rt.blobs, **place.given)
    assert refused.value.code == "items_open"
    place.session.execute(update(CheckItem).values(state="waived"))
    place.session.expire_all()
    with pytest.raises(Conflict) as refused:
        close(place.session, place.lead, row.id, hand=hand, seen=seen, blobs=place.rt.blobs, **place.given)
    assert refused.value.code == "report_changed"
    assert row.state == "open"


def problems(place):
    return list(verifying.record_check(place.session, place.rt.blobs, place.rt.keys))


def test_what_was_signed_is_right(place, closed):
    assert problems(place) == []
    assert list(verifying.check_subject(place.session, place.rt.blobs, closed.id)) == []
    assert list(verifying.check_subject(place.session, place.rt.blobs, uuid.uuid4()))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("state", "match"),
        ("reason", "放假"),
        ("photos", ["0" * 64]),
        ("by", "someone"),
        ("hint", "别的"),
        ("kind", "x"),
        ("subject_name", "别的手机"),
        ("rule", "U01"),
        ("checked_at", dt.datetime(2026, 11, 1, tzinfo=dt.UTC)),
    ],
)
def test_every_altered_item_is_found(place, closed, column, value):
    one = place.session.scalars(select(CheckItem.id).limit(1)).one()
    place.session.execute(update(CheckItem).where(CheckItem.id == one).values({column: value}))
    place.session.expire_all()
    (found,) = problems(place)
    assert found.startswith("! 月度核对 2026-11")
    assert "事项或结果已被改动" in found


@pytest.mark.parametrize(
    "change",
    [
        update(CheckRound).values(figures={"all": 6, "match": 6}),
        update(CheckRound).values(closed_by="u-other"),
        update(CheckRound).values(month="2026-10"),
        delete(ItemChange),
        update(ItemChange).values(by="u-other"),
    ],
    ids=["figures", "who", "month", "history gone", "history"],
)
def test_an_altered_round_and_an_altered_way_to_its_results_are_found(place, closed, change):
    place.session.execute(change)
    place.session.expire_all()
    (found,) = problems(place)
    assert "已被改动" in found


def test_a_round_that_was_opened_again_taken_away_or_given_another_report_is_found(place, closed):
    place.session.execute(update(CheckRound).values(paper_id=uuid.uuid4()))
    place.session.expire_all()
    assert "报告已被换掉" in problems(place)[0]
    place.session.execute(update(CheckRound).values(state="open", closed_at=None))
    place.session.expire_all()
    assert "记录却不在了" in problems(place)[0]
    place.session.execute(delete(ItemChange))
    place.session.execute(delete(CheckItem))
    place.session.execute(delete(CheckRound))
    place.session.expire_all()
    assert "记录却不在了" in problems(place)[0]


def test_erased_details_are_told_as_unknown_and_altered_ones_as_false(place, closed):
    place.session.execute(
        update(AuditRow).where(AuditRow.action == "round.close").values(details=None, salt=None)
    )
    place.session.expire_all()
    assert problems(place)[0].startswith("?")
    place.session.execute(
        update(AuditRow).where(AuditRow.action == "round.close").values(details='{"facts":"x"}')
    )
    place.session.expire_all()
    assert problems(place)[0].startswith("!")
