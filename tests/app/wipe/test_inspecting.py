from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import select, update

from app.commands import Command, ResultInput
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.wipe import inspection_store
from app.wipe.certificate_verifying import check_wipe, record_check
from app.wipe.confirming import confirm_failed
from app.wipe.hook import tools
from app.wipe.inspect_hook import read_between
from app.wipe.inspecting import ask_inspection, ask_inspections
from app.wipe.inspection_model import WipeInspection
from tests.app.conftest import START
from tests.app.wipe.certificate_world import Story, picture
from tests.app.wipe.test_pages import database_url
from tests.app.wipe.wipe_world import ANDROID, IMEI, World

__all__ = ["database_url"]


@pytest.fixture
def story(world: World) -> Story:
    return Story(world)


def code_of(act: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(DomainError) as told:
        act(*args, **named)
    return told.value.code


def rows(story: Story) -> list[WipeInspection]:
    with story.world.app.app_context():
        found = list(inspection_store.inspections(db.session(), story.world.id))
        db.session().expunge_all()
        db.session.remove()
    return found


def problems(story: Story) -> list[str]:
    with story.world.app.app_context():
        found = list(record_check(db.session(), story.world.app.extensions["butler"].blobs, story.press.keys))
        db.session.remove()
    return found


class TestReadings:
    def test_what_is_read_waits_for_a_second_person(self, story: Story) -> None:
        story.world.to("acknowledged")
        story.read()
        assert (story.world.state, story.world.row().grade) == ("inspected", "verified")
        assert story.world.row().verified_by is None
        assert [row.kind for row in rows(story)] == ["automatic"]
        assert problems(story) == []

    def test_a_reading_before_the_order_is_kept_to_compare_with(self, story: Story) -> None:
        story.world.to("armed")
        story.read(story.before())
        story.world.read_phone()
        story.world.release()
        story.world.lease()
        story.world.tell("succeeded", outcome="accepted")
        story.read()
        kinds = [(row.kind, row.grade) for row in rows(story)]
        assert kinds == [("before", None), ("automatic", "verified")]
        facts = {fact["code"]: fact["verdict"] for fact in rows(story)[1].facts}
        assert (facts["boot_count"], facts["new_identity"], facts["storage"]) == ("pass", "pass", "unknown")

    def test_a_phone_that_has_not_gone_down_yet_is_no_failure(self, story: Story) -> None:
        story.world.to("acknowledged")
        story.read(story.before(), minutes=1)
        assert (story.world.state, rows(story)[0].grade) == ("acknowledged", "failed")
        story.read()
        assert (story.world.state, story.world.row().grade) == ("inspected", "verified")

    def test_after_silence_it_is_one(self, story: Story) -> None:
        story.world.to("acknowledged")
        story.read(story.before(), minutes=1)
        story.world.sweep(3600)
        assert story.world.state == "silent"
        story.read(story.before(), minutes=1)
        assert (story.world.state, story.world.row().grade) == ("inspected", "failed")
        assert code_of(story.verify, grade="failed") == "grade"
        assert code_of(story.verify) == "grade"
        story.world.act(confirm_failed, story.lead, words="还能看到照片", tools=tools_of(story))
        assert story.world.state == "failed"

    def test_the_same_told_again_is_not_kept_twice(self, story: Story) -> None:
        story.world.to("acknowledged")
        told = story.told()
        story.read(told)
        assert len(rows(story)) == 1
        story.read({**told, "uptime_s": 600.0 + 900, "phone_now_s": told["phone_now_s"] + 900})
        assert len(rows(story)) == 1

    def test_an_odd_answer_breaks_and_proves_nothing(self, story: Story) -> None:
        story.world.to("acknowledged")
        answers: list[Any] = [None, "", [], {"serial": 3}, {"imei": "x"}, 5]
        for odd in answers:
            assert story.answer(story.command(), "succeeded", evidence=odd) == []
            assert story.world.state == "acknowledged"

    def test_a_reading_that_may_stem_from_before_the_order_does_not_count(self, story: Story) -> None:
        """Asked for before, answered after: only that it was leased before is sure."""
        story.world.to("armed")
        command = story.command()
        story.world.clock.move(5)
        story.world.release()
        story.world.lease()
        story.world.tell("succeeded", outcome="accepted")
        story.world.clock.move(100)
        story.answer(command, "succeeded", evidence=story.told())
        assert (story.world.state, rows(story)[0].kind) == ("acknowledged", "before")

    def test_another_phones_answer_moves_nothing(self, story: Story) -> None:
        story.world.to("silent")
        story.read(serial="S2", imei=[])
        assert (story.world.state, rows(story)[0].grade) == ("silent", "unverified")

    def test_a_refused_key_is_kept_once_and_proves_nothing_alone(self, story: Story) -> None:
        story.world.to("silent")
        for _ in range(2):
            story.world.clock.move(3600)
            story.answer(story.command(), "not_now", reason="unauthorized")
        assert [row.words for row in rows(story)] == ["unauthorized"]
        assert (story.world.state, rows(story)[0].grade) == ("silent", "unverified")

    def test_a_late_word_counts_once(self, story: Story) -> None:
        story.world.to("acknowledged")
        story.world.clock.move(900)
        command, told = story.command(), story.told()
        story.world.sweep(4000)
        story.answer(command, "succeeded", age_s=4000.0, evidence=told)
        story.answer(command, "succeeded", age_s=4000.0, evidence=told)
        assert (story.world.state, len(rows(story))) == ("inspected", 1)

    def test_the_job_asks_at_a_pace(self, story: Story) -> None:
        story.world.to("acknowledged")
        here = story.world.app.extensions["butler"]

        def run() -> int:
            with story.world.writing() as session:
                return ask_inspections(session, here.policies, story.now)

        assert [run(), run()] == [1, 0]
        story.world.clock.move(301)
        assert run() == 1  # the same order stands there still

    def test_there_is_nothing_to_read_before_the_approval(self, story: Story) -> None:
        story.world.to("requested")
        assert story.world.refused(ask_inspection, story.world.who("it")) == "wipe_state"

    def test_who_may_not_ask(self, story: Story) -> None:
        story.world.to("acknowledged")
        for role in ("butler", "finance", "auditor"):
            assert story.world.refused(ask_inspection, story.world.who(role)) == "role_in_centre"


def tools_of(story: Story) -> Any:
    with story.world.app.app_context():
        return tools()


@pytest.mark.parametrize(
    ("attempts", "put_off", "age_s", "wanted"),
    [
        (1, 0, 10, ("leased", 10)),
        (3, 2, 10, ("leased", 10)),  # put off twice with a word: this is the third lease's own
        (2, 0, 10, ("created", 10)),  # one lease was lost: its reading may come now
        (1, 0, 500, ("created", 500)),  # older than the lease, says the agent
        (1, 0, 5000, ("created", 900)),  # never older than the order to read
        (1, 0, None, ("leased", 0)),
    ],
)
def test_when_a_reading_was_made(
    attempts: int, put_off: int, age_s: int | None, wanted: tuple[str, int]
) -> None:
    now, span = START, dt.timedelta
    at = {"created": now - span(seconds=900), "leased": now - span(seconds=60)}
    command = Command(
        created_at=at["created"], leased_at=at["leased"], attempts=attempts, not_now_times=put_off
    )
    told = ResultInput("c", "succeeded", None if age_s is None else age_s * 1_000_000, {})
    assert read_between(command, told, now) == (at[wanted[0]], now - span(seconds=wanted[1]))


class TestSecondPerson:
    def test_who_performed_it_never_inspects(self, story: Story) -> None:
        story.world.to("armed")
        story.world.read_phone()
        both = story.world.who("it", "u-both")
        story.world.release(both)
        story.world.lease()
        story.world.tell("succeeded", outcome="accepted")
        story.read()
        own = story.world.who("lead", "u-both")
        assert code_of(story.verify, own) == "second_person"
        assert code_of(story.by_hand, own) == "second_person"
        story.verify()
        assert story.world.state == "verified"

    def test_only_a_lead_inspects(self, story: Story) -> None:
        story.world.to("acknowledged")
        story.read()
        for role in ("it", "operations", "auditor", "butler"):
            assert code_of(story.verify, story.world.who(role, "u-other")) == "role_in_centre"
            assert code_of(story.by_hand, story.world.who(role, "u-other")) == "role_in_centre"

    def test_the_grade_on_the_page_is_the_one_that_is_confirmed(self, story: Story) -> None:
        story.world.to("acknowledged")
        story.read(encryption="unknown")
        assert code_of(story.verify, grade="verified") == "grade"
        assert code_of(story.verify, grade="warnings") == "invalid"
        story.verify(grade="warnings", words="加密状态这个型号读不到")
        assert (story.world.state, story.world.row().grade) == ("verified", "warnings")

    def test_by_hand_where_no_gateway_reaches(self, story: Story) -> None:
        story.world.to("silent")
        assert story.by_hand() == "warnings"
        assert story.world.state == "inspected"
        assert problems(story) == []
        story.verify(grade="warnings", words="手机连不上网关")
        assert story.world.state == "verified"

    def test_what_is_missing_is_asked_for(self, story: Story) -> None:
        story.world.to("silent")
        cases: list[dict[str, Any]] = [
            {"photos": []},
            {"photos": [("welcome", picture(1)), ("imei", picture(1)), ("label", picture(2))]},
            {"photos": [("welcome", picture(n)) for n in range(3)]},
            {"seen": {}},
            {"typed_imei": "490154203237519"},
        ]
        for changes in cases:
            assert code_of(story.by_hand, **changes) == "invalid", changes

    def test_a_phone_that_hides_its_imei_waits_for_somebody_who_reads_it_off(self, story: Story) -> None:
        story.world.to("acknowledged")
        story.read(imei=[])
        assert story.world.state == "acknowledged"
        assert code_of(story.verify) == "wipe_state"
        for wrong in ("", "1", "490154203237519"):
            assert code_of(story.read_off, wrong) == "invalid", wrong
        assert story.read_off("356938035643809") == "unverified"
        assert story.world.state == "acknowledged"
        assert story.read_off() == "verified"
        assert (story.world.state, problems(story)) == ("inspected", [])
        assert rows(story)[-1].typed_imei == IMEI
        story.verify()
        assert story.read_off("356938035643809") == "unverified"
        assert story.world.state == "inspected"

    def test_who_performed_it_does_not_read_off_its_imei(self, story: Story) -> None:
        story.world.to("acknowledged")
        story.read(imei=[])
        assert code_of(story.read_off, by=story.world.who("lead", "u-it")) == "second_person"
        assert code_of(story.read_off, by=story.world.who("it")) == "role_in_centre"

    def test_another_phones_imei_confirms_nothing(self, story: Story) -> None:
        story.world.to("silent")
        assert story.by_hand(typed_imei="356938035643809") == "unverified"
        assert story.world.state == "silent"

    def test_nothing_is_inspected_before_the_order(self, story: Story) -> None:
        story.world.to("armed")
        assert code_of(story.by_hand) == "wipe_state"
        assert code_of(story.verify) == "wipe_state"

    def test_what_is_found_later_takes_the_confirmation_back(self, story: Story) -> None:
        story.verified()
        story.put_up()
        story.sign("performer", "u-it")
        story.read(android_id=ANDROID, boot_count=42, uptime_s=90_000.0)
        assert (story.world.state, story.row().state) == ("inspected", "dropped")
        assert "contest" in story.world.steps()

    def test_the_same_good_evidence_again_takes_nothing_back(self, story: Story) -> None:
        story.verified()
        story.read(minutes=20, boot_id="boot-3", uptime_s=1900.0, first_install_s=None)
        assert story.world.state == "verified"


def test_an_altered_inspection_is_found(story: Story) -> None:
    story.world.to("acknowledged")
    story.read()
    with story.world.writing() as session:
        session.execute(update(WipeInspection).values(grade="warnings"))
    assert any(line.startswith("!") for line in problems(story))
    with story.world.writing() as session:
        session.execute(update(WipeInspection).values(grade="verified"))
    assert problems(story) == []
    with story.world.writing() as session:
        session.delete(session.scalars(select(WipeInspection)).one())
    assert any("不在了" in line for line in problems(story))


def test_a_wipe_that_is_gone_is_told(story: Story) -> None:
    with story.world.app.app_context():
        blobs = story.world.app.extensions["butler"].blobs
        assert [line[0] for line in check_wipe(db.session(), blobs, uuid.uuid4())] == ["!"]
        db.session.remove()
