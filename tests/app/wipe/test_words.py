"""What an agent says, early, late, twice, or in rubbish: the wipe never says more than is known."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.tasks import Task
from app.tasks.service import complete
from app.wipe import asking, guiding, rails, releasing
from app.wipe.rules import reason_words, word_of
from tests.app.wipe.wipe_world import SIX, TAG, World


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One transaction after the other; races are in `test_races`."""
    return sqlite_url


NOTHING = (
    ("refused", "other_phone"), ("refused", "no_imei"), ("refused", "expect"), ("refused", "accounts"),
    ("refused", "not_supported"), ("not_now", "not_seen"), ("not_now", "plaintext"), ("not_now", "no_box"),
    ("expired", "expired"),
)  # fmt: skip


@pytest.mark.parametrize(("state", "reason"), NOTHING)
def test_nothing_was_done(world: World, state: str, reason: str) -> None:
    world.to("delivered")
    assert world.tell(state, reason=reason) == []
    row = world.row()
    assert (row.state, row.why, row.lock_cleared) == ("armed", reason, False)
    assert world.command().state in ("failed", "expired"), "single use"
    assert world.offered() == []
    assert world.tasks() == {"armed"}
    world.release()
    assert world.state == "queued"


def test_the_lock_is_gone_and_the_data_are_not(world: World) -> None:
    world.to("delivered")
    world.tell("running", stage="lock_cleared")
    world.tell("refused", reason="no_block", lock_cleared=True)
    assert (world.state, world.row().lock_cleared) == ("armed", True)
    assert world.tasks() == {"armed", "lock"}
    world.read_phone()
    world.release()
    assert world.tasks() == set()


def test_a_lock_that_was_cleared_is_missed_until_there_is_one_again(world: World) -> None:
    world.to("delivered")
    world.tell("refused", reason="no_block", lock_cleared=True)
    world.read_phone()
    world.release()
    world.lease()
    world.tell("refused", reason="no_block")
    assert (world.state, world.row().lock_cleared) == ("armed", True), "the second try found no lock to clear"
    assert world.tasks() == {"armed", "lock"}
    world.act(asking.cancel, world.who("it"), reason="换一种办法")
    assert world.tasks() == {"lock"}
    with world.writing() as session:
        [task] = session.scalars(select(Task).where(Task.state == "open", Task.key.startswith("wipe:")))
        complete(session, world.who("it"), task.id, note="重新设了密码并备案", now=world.clock.now())
    assert world.tasks() == set()


def test_a_lock_that_is_set_again_is_not_missed(world: World) -> None:
    world.to("delivered")
    world.tell("refused", reason="no_block", lock_cleared=True)
    world.read_phone(lock="set")
    world.release()
    world.lease(lock="set")
    world.tell("refused", reason="no_block")
    assert (world.tasks(), world.row().lock_cleared) == ({"armed"}, False)


def test_maybe_cleared_is_guarded_as_cleared(world: World) -> None:
    world.to("delivered")
    world.tell("refused", reason="lock_unclear", lock_cleared=None)
    assert (world.state, world.row().lock_cleared) == ("armed", True)


ODD: tuple[tuple[str, dict[str, Any]], ...] = (
    ("succeeded", {}), ("succeeded", {"outcome": "wiped"}), ("succeeded", {"outcome": ["accepted"]}),
    ("succeeded", {"outcome": None, "x" * 90: [[[{}]]]}), ("failed", {"outcome": "unknown", "reason": "dropped"}),
    ("failed", {}), ("failed", {"reason": "internal"}), ("failed", {"outcome": "accepted"}),
    ("failed", {"reason": {"a": 1}, "lock_cleared": "yes"}), ("succeeded", {"outcome": "accepted" * 80}),
)  # fmt: skip


@pytest.mark.parametrize(("state", "detail"), ODD)
def test_what_is_not_plain_is_unknown(world: World, state: str, detail: dict[str, Any]) -> None:
    world.to("delivered")
    assert world.tell(state, **detail) == []
    assert world.state == "silent"
    assert world.tasks() == {"silent"}
    assert world.offered() == []
    given: dict[str, Any] = {"typed_tag": TAG, "typed_imei6": SIX, "imei_typed": None}
    assert world.refused(releasing.release, world.who("it"), **given) == "wipe_state", "not before inspection"


def test_no_word_at_all(world: World) -> None:
    world.to("delivered")
    world.sweep(601)
    assert (world.state, world.row().why) == ("silent", "no_answer")
    assert world.command().end_reason == "no answer from any agent"


@pytest.mark.parametrize(
    ("state", "detail", "after"),
    [
        ("succeeded", {"outcome": "accepted"}, "acknowledged"),
        ("refused", {"reason": "accounts"}, "armed"),
        ("failed", {"outcome": "unknown", "reason": "timeout"}, "silent"),
        ("running", {"stage": "sent"}, "silent"),
    ],
)
def test_a_word_that_comes_late(world: World, state: str, detail: dict[str, Any], after: str) -> None:
    world.to("delivered")
    world.sweep(601)
    assert world.tell(state, age_s=500.0, **detail) == [], "it is taken, and the agent may forget it"
    assert world.state == after
    assert world.trail().count("late_word") == 1


def test_acknowledged_is_not_done(world: World) -> None:
    world.to("acknowledged")
    world.sweep(29 * 60)
    assert world.state == "acknowledged"
    world.sweep(2 * 60)
    assert world.state == "silent"
    world.sweep(14 * 86_400)
    row = world.row()
    assert (row.state, row.grade, row.certificate_paper_id) == ("unverified", None, None)
    assert world.tasks() == {"unverified"}


def test_a_word_on_an_earlier_order_changes_nothing(world: World) -> None:
    world.to("delivered")
    first = str(world.row().command_id)
    world.tell("refused", reason="expect")
    world.read_phone()
    world.release()
    assert world.tell("succeeded", command_id=first, outcome="accepted") == []
    assert world.state == "delivered", "the new order left with that check-in's answer"
    assert world.tell("refused", command_id=first, reason="accounts") == []
    assert world.state == "delivered"


def test_another_gateway_says_nothing(world: World, enroller: Any) -> None:
    world.to("delivered")
    other = enroller.gateway()
    result = {
        "id": str(world.row().command_id), "state": "succeeded", "age_s": 1.0, "detail": {"outcome": "accepted"},
    }  # fmt: skip
    rejected = other.checkin(results=[result]).get_json()["rejected"]
    assert [r["code"] for r in rejected] == ["unknown_command"]
    assert world.state == "delivered"


def test_by_hand(world: World) -> None:
    world.to("armed")
    world.read_phone()
    world.guide()
    row = world.row()
    assert (row.state, row.done_by, row.command_id, row.released_by) == ("delivered", "hand", None, "u-it")
    assert world.offered() == []
    assert world.refused(guiding.report_reset, world.who("it", "other"), done=True) == "not_performer"
    world.act(guiding.report_reset, world.who("it"), done=True, words="在设置里恢复出厂")
    assert world.state == "acknowledged"


def test_by_hand_and_not_begun(world: World) -> None:
    world.to("armed")
    world.read_phone()
    world.guide()
    assert world.refused(guiding.report_reset, world.who("it"), done=False) == "invalid"
    world.act(guiding.report_reset, world.who("it"), done=False, words="手机没电")
    assert (world.state, world.row().why) == ("armed", "not_begun")
    world.read_phone()
    world.guide()
    world.sweep(4 * 3600 + 1)
    assert world.state == "silent"
    assert world.refused(guiding.report_reset, world.who("it"), done=False, words="没有做") == "wipe_state"
    world.act(guiding.report_reset, world.who("it"), done=True)
    assert world.state == "acknowledged"


@pytest.mark.parametrize(
    ("state", "detail", "meaning"),
    [
        ("running", {"stage": "sent"}, "running"),
        ("succeeded", {"outcome": "accepted"}, "accepted"),
        ("succeeded", {"outcome": "ok"}, "unknown"),
        ("refused", {}, "nothing"),
        ("not_now", {"reason": 7}, "nothing"),
        ("expired", {}, "nothing"),
        ("failed", {"outcome": "accepted"}, "unknown"),
        ("cancelled", {}, "unknown"),
    ],
)
def test_word_of(state: str, detail: dict[str, Any], meaning: str) -> None:
    assert word_of(state, detail).meaning == meaning


def test_each_rail_is_called_by_words_when_it_stops_an_order() -> None:
    source = Path(inspect.getfile(rails)).read_text(encoding="utf-8")
    codes = set(re.findall(r'Blocker\(\s*"([a-z_]+)"', source))
    assert codes > {"held", "used_later", "lapsed"}
    assert {code for code in codes if reason_words(code) == code} == set()
