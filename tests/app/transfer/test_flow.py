"""From the first order to the end, with a gateway that says what a gateway may say."""

from __future__ import annotations

import pytest

from app.commands import cancel as cancel_command
from app.kernel.db import db
from app.transfer import deciding, running, transfer_state
from app.transfer.copies import discard
from app.transfer.model import ManifestEntry, Transfer, TransferStep
from app.transfer.papering import build
from app.transfer.verifying import record_check
from tests.app.transfer.conftest import FILES, detail, entry

PROGRESS = {
    "stage": "reading", "done_bytes": 5, "total_bytes": 10, "done_files": 1, "total_files": 3, "rate_bps": 40,
    "left_s": 7, "note": None,
}  # fmt: skip


@pytest.fixture
def database_url(one_database):
    """Both databases see the whole way in `test_storage`."""
    return one_database


def standing(world):
    with world.app.app_context():
        found = transfer_state(db.session(), world.phones["S1"])
        db.session.remove()
    return found


def problems(world):
    with world.app.app_context():
        found = list(record_check(db.session(), world.here.blobs, world.here.keys))
        db.session.remove()
    return found


def test_all_of_it_verified(world, rows):
    assert standing(world).code == "none"
    world.open()
    assert standing(world).code == "unverified"
    command = world.begin()
    assert (command.kind, command.serial, command.args["new"]["serial"]) == ("transfer_data", "S1", "S2")
    assert command.args["transfer"] == str(world.id)
    assert command.args["limits"]["insert_rows"] == 5000
    assert {f["kind"] for f in command.args["folders"]} >= {"pictures", "video", "wechat"}
    assert standing(world).code == "running"
    world.tell(command, "running", **PROGRESS)
    row = world.row()
    assert (row.state, row.progress["done_bytes"], row.copy) == ("running", 5, "unknown")
    assert world.final(command) == []
    row = world.row()
    assert (row.state, row.verdict, row.copy, row.salt) == ("moved", "verified", "destroyed", None)
    assert world.tasks() == ["wechat"]
    assert standing(world).code == "unverified"
    world.wechat()
    assert world.state == "verified"
    assert world.tasks() == []
    found = standing(world)
    assert (found.code, found.by, found.link) == ("verified", "u-it", f"/transfers/{world.id}")
    assert problems(world) == []
    assert len(rows(ManifestEntry)) == FILES
    world.run_jobs()
    assert world.row().paper_id is not None
    assert standing(world).code == "verified"
    assert problems(world) == []
    assert world.trail()[:3] == ["open", "start", "send"]
    assert world.trail()[-1] == "verify"


def test_what_nobody_chose_to_move_is_accepted_by_a_lead_or_keeps_the_phone(world):
    world.open(parts=("contacts", "calls", "messages"))
    command = world.begin()
    none = dict.fromkeys(("found", "moved", "verified", "differs", "failed", "skipped", "bytes"), 0)
    world.final(command, [], files=none)
    assert (world.state, world.row().note) == ("attention", "parts_left_out")
    world.wechat()
    assert standing(world).code == "unverified"
    assert (
        world.refused(world.act, deciding.accept_data, world.who("lead", "u-it"), reason="x")
        == "second_person"
    )
    world.act(deciding.accept_data, world.who("lead"), reason="相机坏了，没有照片")
    assert (world.state, standing(world).code) == ("accepted", "accepted")
    with world.app.app_context():
        told = str(build(db.session(), db.session().get_one(Transfer, world.id)))
        db.session.remove()
    assert "没有选择迁移" in told


def test_wechat_first_then_the_data_settle_by_the_gateways_word(world):
    command = world.begin()
    world.wechat()
    assert world.state == "queued"
    world.final(command)
    assert world.state == "verified"
    assert standing(world).by.startswith("agent:")


def test_differences_are_tried_again_with_the_same_key_and_only_then_accepted(world):
    command = world.begin()
    key = world.key(command)
    entries = [entry(0), entry(1), entry(2, "failed")]
    world.final(command, entries, "differences")
    row = world.row()
    assert (row.state, row.note, row.copy) == ("attention", "differs", "kept")
    assert world.tasks() == ["decide"]
    again = world.begin()
    assert world.key(again) == key
    assert world.row().manifest_command is None
    assert world.tasks() == []
    world.final(again, entries, "differences")
    lead = world.who("lead")
    world.act(deciding.accept_data, lead, reason="这张照片是重复的")
    assert world.state == "moved"
    world.wechat()
    assert world.state == "accepted"
    assert standing(world).code == "accepted"
    row = world.row()
    assert (row.salt, row.copy) == (None, "kept")
    assert problems(world) == []


def test_the_copy_is_destroyed_on_order_once_nobody_needs_it(world, clock):
    test_differences_are_tried_again_with_the_same_key_and_only_then_accepted(world)
    [command] = world.lease()
    assert (command.kind, command.args["transfer"]) == ("discard_copy", str(world.id))
    assert "sealed" not in command.args
    clock.move(25 * 3600)
    world.run_jobs()
    assert world.tasks() == ["copy"]
    world.tell(command, "succeeded", outcome="destroyed")
    assert world.row().copy == "destroyed"
    assert problems(world) == []
    clock.move(3600)
    assert world.run_jobs() == 0


def test_a_word_of_success_without_a_manifest_is_no_proof_until_it_comes(world):
    command = world.begin()
    world.final(command, manifest=False)
    assert (world.state, world.row().note) == ("attention", "no_manifest")
    assert world.refused(world.act, deciding.accept_data, world.who("lead"), reason="x") == "no_manifest"
    [answer] = world.pages(command, [entry(i) for i in range(FILES)])
    assert answer.status_code == 200
    assert (world.state, world.row().verdict) == ("moved", "verified")
    assert world.pages(command, [entry(9)])[0].status_code == 409


@pytest.mark.parametrize(
    ("state", "said", "why"),
    [
        ("succeeded", {"outcome": "verified"}, "odd_word"),
        ("succeeded", {}, "odd_word"),
        ("failed", {"reason": "internal"}, "internal"),
        ("failed", {"reason": 5}, "unknown"),
        ("refused", {"reason": "other_phone"}, "other_phone"),
        ("expired", {}, "unknown"),
    ],
)
def test_words_that_prove_nothing(world, state, said, why):
    command = world.begin()
    assert world.tell(command, state, **said) == []
    row = world.row()
    assert (row.state, row.note, row.verdict, row.copy) == ("failed", why, None, "unknown")
    assert world.tasks() == ["failed"]
    # It starts again from what the copy holds.
    assert world.key(world.begin())


def test_a_failure_in_full_is_kept(world):
    command = world.begin()
    world.tell(
        command, "failed", **detail([], "failed", reason="no_space", files=None, parts=[], manifest=None)
    )
    assert (world.state, world.row().note, world.row().verdict) == ("failed", "no_space", "failed")


def test_success_under_the_name_of_failure_is_no_success(world):
    command = world.begin()
    world.tell(command, "failed", **detail([entry(0)]))
    assert (world.state, world.row().note) == ("failed", "contradiction")


def test_odd_progress_is_a_sign_of_life_and_no_more(world):
    command = world.begin()
    world.tell(command, "running", **PROGRESS)
    assert world.tell(command, "running", stage="dancing", done_bytes=-5) == []
    row = world.row()
    assert (row.state, row.note, row.progress["done_bytes"]) == ("running", "odd_word", 5)


def test_put_off_before_it_began_it_waits_after_it_began_it_is_interrupted(world, clock):
    command = world.begin()
    world.tell(command, "not_now", reason="not_seen")
    assert (world.state, world.row().note) == ("queued", "not_seen")
    clock.move(60)
    [command] = world.lease()
    world.tell(command, "running", **PROGRESS)
    world.tell(command, "not_now", reason="interrupted")
    assert world.state == "interrupted"
    assert world.tasks() == ["go_on"]
    clock.move(120)
    [command] = world.lease()
    world.tell(command, "running", **PROGRESS)
    assert (world.state, world.tasks()) == ("running", [])


def test_progress_writes_no_history(world, rows):
    command = world.begin()
    before, trail = len(rows(TransferStep)), len(world.trail())
    for _ in range(5):
        world.tell(command, "running", **PROGRESS)
    assert (len(rows(TransferStep)), len(world.trail())) == (before, trail)


def test_silence_interrupts_and_a_late_result_counts(world, clock):
    command = world.begin()
    world.tell(command, "running", **PROGRESS)
    clock.move(21 * 60)
    world.run_jobs()
    assert (world.state, world.row().note, world.tasks()) == ("interrupted", "silence", ["go_on"])
    clock.move(25 * 3600)
    world.run_jobs()
    assert (world.state, world.row().note, world.tasks()) == ("failed", "expired", ["failed"])
    # The gateway was cut off, not idle.
    assert world.tell(command, "succeeded", **detail([entry(0)])) == []
    assert (world.state, world.row().note) == ("attention", "no_manifest")
    assert world.pages(command, [entry(0)])[0].status_code == 200
    assert world.state == "moved"
    assert world.tell(command, "succeeded", **detail([entry(0)]))[0]["code"] == "command_finished"


def test_cancelled_in_the_queue_or_here(world):
    command = world.begin()
    assert world.tell(command, "not_now", reason="busy") == []
    with world.writing() as session:
        row = world.row()
        cancelled = cancel_command(session, world.who("it"), row.command_id, now=world.clock.now())
        from app.runtime import command_hooks

        command_hooks()[cancelled.kind].ended(session, cancelled, world.clock.now())
    assert (world.state, world.row().note) == ("failed", "cancelled")
    world.act(running.cancel, world.who("it"), reason="不迁移了")
    assert world.state == "cancelled"
    assert standing(world).code == "none"
    assert (world.row().salt, world.tasks()) == (None, [])


def test_what_a_gateway_works_on_is_not_cancelled(world):
    command = world.begin()
    world.tell(command, "running", **PROGRESS)
    assert world.refused(world.act, running.cancel, world.who("it"), reason="x") == "transfer_running"
    world.tell(command, "not_now", reason="interrupted")
    world.act(running.cancel, world.who("it"), reason="不迁移了")
    # What it still says is heard of the copy alone.
    assert (world.state, world.row().copy) == ("cancelled", "unknown")


@pytest.mark.parametrize(
    ("told", "tasks"), [("clean", []), ("left", ["rest"]), ("not_seen", ["rest"]), (None, ["rest"])]
)
def test_what_a_cancelled_transfer_left_on_the_new_phone(world, told, tasks):
    command = world.begin()
    world.tell(command, "running", **PROGRESS)
    world.tell(command, "not_now", reason="interrupted")
    world.act(running.cancel, world.who("it"), reason="不迁移了")
    [discard_order] = world.lease()
    assert discard_order.args["new"]["serial"] == "S2"
    said = {"outcome": "destroyed", "new_phone": told}
    world.tell(discard_order, "succeeded", **{name: value for name, value in said.items() if value})
    assert (world.row().copy, world.tasks()) == ("destroyed", tasks)


def test_an_order_that_came_to_its_end_left_nothing(world):
    test_differences_are_tried_again_with_the_same_key_and_only_then_accepted(world)
    [command] = world.lease()
    world.tell(command, "succeeded", outcome="destroyed", new_phone="not_seen")
    assert (world.row().copy, world.tasks()) == ("destroyed", [])


def test_discarding_at_rest_makes_the_next_start_from_nothing(world):
    command = world.begin()
    key = world.key(command)
    world.final(command, [entry(0, "failed")], "differences")
    world.act(discard, world.who("it"))
    assert world.row().salt is None
    again = world.begin()
    assert again.kind == "transfer_data"
    assert world.key(again) != key
    # The order to destroy was of the earlier copy.
    assert all(c.kind != "discard_copy" for c in world.lease())


def test_another_gateway_works_with_another_key(world, enroller):
    command = world.begin()
    key = world.key(command)
    world.tell(command, "not_now", reason="not_seen")
    other = enroller.gateway()
    world.clock.move(60)
    [again] = world.lease(other)
    assert again.id == command.id
    assert world.key(again, other) != key
    assert world.tell(command, "running", **PROGRESS)[0]["code"] == "unknown_command"


def test_a_phone_that_is_no_longer_the_one_gets_no_order(world):
    from app.registry import Handset

    world.open()
    world.start()
    with world.writing() as session:
        session.get_one(Handset, world.phones["S2"]).serial = "S2-SWAPPED"
    assert world.lease() == []
    assert (world.state, world.row().note) == ("failed", "identity")


def test_while_the_escrow_is_sealed_it_waits(world):
    world.open()
    world.start()
    root = world.here.vault.root()
    world.here.vault.drop_root()
    assert world.lease() == []
    world.here.vault.put_root(root)
    assert len(world.lease()) == 1


def test_the_key_is_nowhere_in_the_database_nor_in_the_trail(world):
    from tests.app.escrow.lock_world import everything

    command = world.begin()
    key = world.key(command)
    world.final(command, [entry(0, "failed")], "differences")
    assert key not in everything(world.app)


def test_an_altered_row_is_no_transfer(world):
    command = world.begin()
    world.final(command, [entry(0, "failed")], "differences")
    world.act(deciding.accept_data, world.who("lead"), reason="重复")
    world.wechat()
    with world.writing() as session:
        session.get_one(Transfer, world.id).data_reason = "都在"
    assert standing(world).code == "unverified"
    assert any("!" in problem for problem in problems(world))


def test_a_row_settled_by_nobody_is_no_transfer(world):
    world.open()
    with world.writing() as session:
        row = session.get_one(Transfer, world.id)
        row.state, row.ended_at, row.ended_by = "verified", world.clock.now(), "u-it"
    assert standing(world).code == "unverified"


def test_an_altered_manifest_is_found(world):
    test_all = world.begin()
    world.final(test_all)
    world.wechat()
    assert problems(world) == []
    with world.writing() as session:
        session.get_one(ManifestEntry, (world.row().manifest_command, 1)).path = "/sdcard/other"
    assert any("清单" in problem for problem in problems(world))


def test_a_phone_that_went_back_into_use_holds_what_was_never_moved(world, org):
    from app.registry import KitAssignment

    command = world.begin()
    world.final(command)
    world.wechat()
    assert standing(world).code == "verified"
    world.clock.move(3600)
    now = world.clock.now()
    with world.writing() as session:
        session.add(
            KitAssignment(
                centre_id=org.centre, post_id=org.post, handset_id=world.phones["S1"], valid_from=now,
                created_at=now, updated_at=now,
            )
        )  # fmt: skip
    assert standing(world).code == "unverified"
