"""The whole address book over the wire: everything arrives, or what does not is listed; nobody is named."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from agent.simulator.people import people_of
from tests.agent.transfer.people.rig import Moving, StartFleet, two

SOME = 60
LIES = {
    "import_no_photos": "verified",
    "import_no_custom": "verified",
    "import_short_notes": "verified",
    "import_half": "verified",
    "write_denied": "differences",
    "contacts_ignored": "differences",
}


def test_two_hundred_ugly_contacts_arrive_in_every_field(start: StartFleet) -> None:
    moving = Moving(two(start, old={"contacts": 200}, new={"contacts": 3}))
    report = moving.all()
    assert (report.outcome, report.found, report.verified, report.differs) == ("verified", 200, 200, 0)
    assert report.differences == []
    assert moving.count() == 203
    # Not only by the part's own reading: the two databases are laid beside each other.
    for kind, columns in {
        "note": "data1",
        "name": "data1, data2, data3",
        "organization": "data1, data4, data5",
    }.items():
        sql = f"select {columns} from data where mimetype = 'vnd.android.cursor.item/{kind}' order by 1, 2"
        sql = sql.replace(", 2", "") if "," not in columns else sql
        old, new = (people_of(phone).db.execute(sql).fetchall() for phone in moving.fleet.phones)
        assert [row for row in old if row not in new] == []
    stars, photos = "starred = 1", "mimetype like '%/photo'"
    assert moving.count(where=stars) >= moving.count(where=stars, phone=0) > 0
    assert moving.count("data", photos) >= moving.count("data", photos, phone=0) > 0


def test_a_phone_with_the_old_shell_is_read_exactly(start: StartFleet) -> None:
    fleet = two(start, old={"contacts": 7}, shell_v2=False, mode="mksh")
    fleet.phones[0].identity.sdk = 24
    moving = Moving(fleet)
    assert moving.collect().found == 7
    lines = [json.loads(line) for line in moving.store.kept["contacts.rows"].splitlines()]
    sql = "select data1 from data where raw_contact_id = ? and mimetype like '%/note'"
    for line in lines:
        notes = [row[1]["data1"] for row in line["rows"] if row[0].endswith("/note")]
        assert notes == [row[0] for row in people_of(fleet.phones[0]).db.execute(sql, [line["raw"]])]
        photo = moving.store.kept.get(f"contacts.photo-{line['number']}")
        assert (photo is not None) == line["photo"]


def test_an_android_before_content_write_gets_photos_by_the_import_alone(start: StartFleet) -> None:
    fleet = two(start, old={"contacts": SOME})
    fleet.phones[1].identity.sdk = 27
    assert Moving(fleet, import_from_rows=10).all().outcome == "verified"


def test_groups_of_one_title_stay_two_groups(start: StartFleet) -> None:
    moving = Moving(two(start, old={"contacts": 60}))
    moving.all()
    titles = [
        row[0]
        for row in people_of(moving.fleet.phones[1]).db.execute("select title from groups order by _id")
    ]
    assert titles.count("业主") == 2
    sizes = "select count(*) from data where mimetype like '%group_membership' group by data1 order by 1"
    old, new = (people_of(phone).db.execute(sizes).fetchall() for phone in moving.fleet.phones)
    assert old == new


@pytest.mark.parametrize(("lie", "outcome"), LIES.items())
def test_what_the_import_loses_is_filled_or_listed(start: StartFleet, lie: str, outcome: str) -> None:
    moving = Moving(two(start, old={"contacts": SOME}, new={"provider_lies": [lie]}), import_from_rows=10)
    report = moving.all()
    assert report.outcome == outcome
    assert report.found == SOME
    assert report.verified is not None
    assert report.differs == SOME - report.verified
    assert bool(report.differences) == (outcome == "differences")
    assert moving.count() == SOME


def test_photos_that_the_phone_takes_no_way_are_listed(start: StartFleet) -> None:
    moving = Moving(
        two(start, old={"contacts": SOME}, new={"provider_lies": ["no_write", "import_no_photos"]}),
        import_from_rows=10,
    )
    report = moving.all()
    assert (report.outcome, report.reason) == ("differences", "photo_not_taken")
    assert {line["reason"] for line in report.differences} == {"photo_missing"}


def test_a_second_run_brings_nobody_twice(start: StartFleet) -> None:
    moving = Moving(two(start, old={"contacts": SOME}))
    moving.all()
    again = moving.all()
    assert (again.outcome, again.verified, moving.count()) == ("verified", SOME, SOME)


def test_few_contacts_are_written_without_asking_anybody(start: StartFleet) -> None:
    moving = Moving(two(start, old={"contacts": 20}, new={"import_tap": "ask"}))
    assert moving.all().outcome == "verified"
    assert set(moving.notes) == {None}


def test_somebody_is_asked_to_tap_and_then_it_goes_on(start: StartFleet) -> None:
    fleet = two(start, old={"contacts": SOME}, new={"import_tap": "ask"})
    moving = Moving(fleet, import_from_rows=10)
    moving.at_sleep = lambda: moving.now > 60 and fleet.tap(1)
    assert moving.all().outcome == "verified"
    assert "tap_needed" in moving.notes
    assert list(_cards_left(fleet)) == []


def test_nobody_taps_and_the_rest_is_over_the_limit(start: StartFleet) -> None:
    fleet = two(start, old={"contacts": SOME}, new={"import_tap": "ask"})
    moving = Moving(fleet, import_from_rows=10, tap_wait_s=30, insert_rows=40)
    report = moving.all()
    assert (report.outcome, report.reason) == ("differences", "not_tapped")
    assert report.verified is not None
    assert 0 < report.verified < SOME
    assert {line["state"] for line in report.differences} <= {"missing", "differs"}
    assert list(_cards_left(fleet)) == []
    # Who taps on the forgotten screen later brings nobody: its file is gone.
    fleet.tap(1)
    assert moving.count() == moving.verify().moved


def test_contacts_of_the_new_phone_stay_as_they_are(start: StartFleet) -> None:
    fleet = two(start, old={"contacts": 30})
    moving = Moving(fleet)
    moving.change("insert into raw_contacts (contact_id) values (1)")
    name = (
        people_of(fleet.phones[0])
        .db.execute("select data1 from data where mimetype like '%/name'")
        .fetchone()[0]
    )
    moving.change(
        "insert into data (raw_contact_id, mimetype, data1) values (1, 'vnd.android.cursor.item/name', ?)",
        [name],
    )
    assert moving.all().outcome == "verified"
    assert moving.count("data", "raw_contact_id = 1") == 1
    assert moving.count() == 31


def test_an_equal_contact_that_was_there_counts_and_is_not_doubled(start: StartFleet) -> None:
    fleet = two(start, old={"contacts": 20})
    fleet.phones[1].identity.serial = fleet.phones[0].identity.serial
    fleet.phones[1].contacts = 20
    moving = Moving(fleet)
    assert moving.all().outcome == "verified"
    assert moving.count() == 20


def test_who_came_twice_is_told(start: StartFleet) -> None:
    moving = Moving(two(start, old={"contacts": 20}))
    moving.all()
    moving.change("insert into raw_contacts (contact_id) values (0)")
    report = moving.verify()
    assert (report.outcome, report.reason, report.differs) == ("differences", "extra", 0)
    assert [line["path"] for line in report.differences] == ["contacts/extra"]


def test_a_phone_that_may_not_be_read_is_not_offered_and_not_empty(start: StartFleet) -> None:
    moving = Moving(two(start, old={"contacts": None}))
    report = moving.all()
    assert (report.outcome, report.found, report.reason) == ("not_offered", None, "denied")
    moving.fleet.phones[0].contacts = 4
    assert moving.all().outcome == "verified"


def test_a_new_phone_that_may_not_be_read_is_not_verified(start: StartFleet) -> None:
    moving = Moving(two(start, old={"contacts": 5}, new={"contacts": None}))
    report = moving.all()
    assert (report.outcome, report.found, report.verified, report.reason) == ("failed", 5, None, "new_denied")


def test_a_phone_without_contacts_is_verified_as_such(start: StartFleet) -> None:
    report = Moving(two(start, old={"contacts": 0})).all()
    assert (report.outcome, report.found, report.verified) == ("verified", 0, 0)


def test_over_the_limit_nobody_is_brought_in_part(start: StartFleet) -> None:
    moving = Moving(two(start, old={"contacts": 20}), insert_rows=30)
    report = moving.all()
    assert (report.outcome, report.reason) == ("differences", "over_limit")
    # A photo may fall behind the limit; a contact is whole but for that.
    assert {line["reason"] for line in report.differences} <= {"not_there", "photo_missing"}


def test_nobody_is_named_in_words_that_leave_the_copy(
    start: StartFleet, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fleet = two(start, old={"contacts": SOME}, new={"provider_lies": ["write_denied"]})
    moving = Moving(fleet, import_from_rows=10)
    words = (
        json.dumps(_plain([moving.collect(), moving.deliver(), moving.verify()]), ensure_ascii=False)
        + caplog.text
    )
    for (text,) in people_of(fleet.phones[0]).db.execute(
        "select data1 from data where length(data1) > 3 and mimetype not like '%photo'"
    ):
        assert text not in words


def _cards_left(fleet: Any) -> Any:
    yield from fleet.devices[1].files.real("/sdcard/Download").glob("*.vcf")


def _plain(items: list[Any]) -> list[str]:
    return [repr(item) for item in items]
