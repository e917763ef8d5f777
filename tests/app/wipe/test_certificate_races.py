"""The last signature, and what contradicts it, at once and on both databases: never a certificate over both."""

from __future__ import annotations

import datetime as dt
from typing import Any

from app.kernel.db import db
from app.wipe import certifying, inspecting, inspection_store, store
from app.wipe.hook import tools
from tests.app.wipe.certificate_world import Story
from tests.app.wipe.test_inspecting import problems, story
from tests.app.wipe.test_races import Together, together
from tests.app.wipe.wipe_world import ANDROID

__all__ = ["story", "together"]


def signs(found: Story, side: str, user: str) -> Any:
    given, signer = found.signing(side, user)
    who, row, now = found.world.who("it"), found.row().id, found.now

    def act(session: Any) -> None:
        certifying.sign(session, who, row, given, signer=signer, tools=tools(), now=now)

    return act


def reads(found: Story) -> Any:
    told, now = found.told(android_id=ANDROID, boot_count=42, uptime_s=90_000.0), found.now

    def act(session: Any) -> None:
        wipe = store.by_id(session, found.world.id)
        assert wipe is not None
        row = inspecting.by_hand_row(wipe, "agent:test", now)
        row.kind, row.evidence, row.earliest_at = "automatic", told, now - dt.timedelta(seconds=1)
        inspecting.keep(session, wipe, row, tools().policies, now)

    return act


def test_the_last_signature_and_a_reading_that_contradicts(story: Story, together: Together) -> None:
    story.verified()
    story.world.clock.move(60)
    story.put_up()
    story.sign("performer", "u-it")
    told = together([signs(story, "verifier", "u-lead2"), reads(story)])
    state, row = story.world.state, story.row()
    if state == "certified":
        # Signed first: the reading then either lost, and is told again, or marks what was issued.
        assert row.state == "issued"
        assert row.contested_at is not None or told != ["won", "won"]
    else:
        assert (state, row.state, row.paper_id) == ("inspected", "dropped", None)
    assert problems(story) == []


def test_two_last_signatures_issue_one(story: Story, together: Together) -> None:
    story.verified()
    story.put_up()
    told = together([signs(story, "verifier", "u-lead2"), signs(story, "performer", "u-it")])
    if told != ["won", "won"]:
        assert story.row().state == "signing"
        with story.world.app.app_context():
            (left,) = {"performer", "verifier"} - {
                one.side for one in inspection_store.signatures(db.session(), story.row().id)
            }
            db.session.remove()
        assert story.sign(left, {"performer": "u-it", "verifier": "u-lead2"}[left]) == "issued"
    assert (story.row().state, story.world.state) == ("issued", "certified")
    assert problems(story) == []
