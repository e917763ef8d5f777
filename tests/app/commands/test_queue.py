"""The queue: one active command for each key, leases, results, expiry; over the real wire where an agent speaks."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.audit.model import AuditRow
from app.commands.jobs import JOBS
from app.commands.model import Command
from app.commands.rules import KINDS
from app.commands.service import enqueue
from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.kernel.tenancy import SYSTEM
from tests.support.agents import FakeAgent, reading
from tests.support.fleet import IMEIS, Enroller, Phones

Rows = Callable[..., list[Any]]


class Desk:
    """A person at the API and the scheduler's jobs."""

    def __init__(self, app: Flask, client: Any, clock: FixedClock, phones: Phones) -> None:
        self.app, self.client, self.clock, self.phones = app, client, clock, phones

    def order(self, serial: str = "S1", **body: Any) -> Any:
        path = f"/api/v1/handsets/{self.phones[serial]}/commands"
        return self.client.post(path, json={"kind": "read_phone", **body})

    def look(self, command_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/api/v1/commands/{command_id}").get_json()
        return found

    def run_jobs(self) -> None:
        with self.app.app_context():
            session = begin_write(db.session())
            for job in JOBS:
                job.run(session, self.clock.now())
            session.commit()
            db.session.remove()


@pytest.fixture
def desk(app: Flask, client: Any, clock: FixedClock, phones: Phones) -> Desk:
    return Desk(app, client, clock, phones)


@pytest.fixture
def site(gateway: FakeAgent, phones: Phones) -> FakeAgent:
    """A gateway that has read both phones of its centre."""
    assert gateway.checkin(readings=[reading("S1"), reading("S2")]).get_json()["accepted"] == 2
    return gateway


def _report(agent: FakeAgent, command_id: str, state: str, **changes: Any) -> list[str]:
    entry = {"id": command_id, "state": state, "age_s": 1.0, "detail": {"reading": True}} | changes
    answer = agent.checkin(results=[entry])
    assert answer.status_code == 200, answer.text
    return [r["code"] for r in answer.get_json()["rejected"]]


def test_an_order_travels_and_comes_back(desk: Desk, site: FakeAgent, rows: Rows) -> None:
    created = desk.order()
    assert created.status_code == 201, created.text
    (command,) = site.commands(site.checkin())
    assert (command.kind, command.serial, command.imei) == ("read_phone", "S1", (IMEIS["S1"],))
    assert (command.agent, command.args, command.expires_in_s) == (site.agent_id, {}, 3600)
    seen = desk.look(command.id)
    assert (seen["state"], seen["attempts"], seen["agent_id"]) == ("leased", 1, site.agent_id)
    assert site.commands(site.checkin()) == []
    assert _report(site, command.id, "running") == []
    assert desk.look(command.id)["state"] == "running"
    assert _report(site, command.id, "succeeded") == []
    done = desk.look(command.id)
    assert done["state"] == "succeeded"
    assert done["result"] == {"state": "succeeded", "detail": {"reading": True}}
    # The word is a second old, but nothing ends before it was handed out.
    assert dt.datetime.fromisoformat(done["finished_at"]) == desk.clock.now()
    actions = [r.action for r in rows(AuditRow) if r.object == f"command:{command.id}"]
    assert actions == ["command.enqueue", "command.succeed"]


def test_the_same_order_twice_is_one(desk: Desk, site: FakeAgent) -> None:
    first, second = desk.order(), desk.order()
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.get_json()["id"] == second.get_json()["id"]
    (command,) = site.commands(site.checkin())
    assert desk.order().get_json()["id"] == command.id  # at the agent: still not done
    _report(site, command.id, "failed")
    assert desk.order().status_code == 201


def test_a_newer_order_supersedes_one_that_waits(desk: Desk, site: FakeAgent) -> None:
    old = desk.order(dedup_key="a").get_json()["id"]
    new = desk.order(dedup_key="b").get_json()["id"]
    seen = desk.look(old)
    assert (seen["state"], seen["end_reason"]) == ("superseded", f"superseded by {new}")
    assert [c.id for c in site.commands(site.checkin())] == [new]
    later = desk.order(dedup_key="c").get_json()["id"]
    assert desk.look(new)["state"] == "leased"
    assert desk.look(later)["state"] == "queued"
    other_phone = desk.order("S2", dedup_key="d").get_json()["id"]
    assert [desk.look(i)["state"] for i in (later, other_phone)] == ["queued", "queued"]


def test_orders_that_stand_for_one_app_each_wait_side_by_side(
    app: Flask, phones: Phones, clock: FixedClock
) -> None:
    with app.app_context():
        session = begin_write(db.session())
        made = [
            enqueue(
                session, SYSTEM, phones["S1"], "remove_app",
                {
                    "case": package, "package": package, "user": 0, "expect": {"android_id": "a"},
                    "acts": ["uninstall"], "system": False,
                },
                dedup_key=f"remedy:{package}", now=clock.now(),
            )
            for package in ("com.a", "com.b", "com.a")
        ]  # fmt: skip
        assert [new for _, new in made] == [True, True, False]
        assert made[0][0].id == made[2][0].id
        assert [command.state for command, _ in made] == ["queued"] * 3
        for kind in (KINDS["remove_app"], KINDS["restore_app"]):
            assert (kind.purpose, kind.by_hand, kind.for_self, kind.supersedes) == (
                "danger",
                False,
                False,
                False,
            )


def test_only_a_gateway_that_reads_the_phone_gets_its_orders(
    desk: Desk, enroller: Enroller, phones: Phones
) -> None:
    near, idle, away = enroller.gateway(), enroller.gateway(), enroller.gateway(centre=phones.other_centre)
    near.checkin(readings=[reading("S1")])
    desk.order()
    assert idle.commands(idle.checkin()) == []
    assert away.commands(away.checkin()) == []
    assert len(near.commands(near.checkin())) == 1


def test_an_agent_on_a_phone_gets_only_its_own_orders(
    desk: Desk, enroller: Enroller, site: FakeAgent
) -> None:
    agent = enroller.self_agent("S1")
    desk.clock.move(10)
    agent.checkin(readings=[reading("S1", grade="self")])
    desk.order("S2")
    mine = desk.order("S1").get_json()["id"]
    assert [c.id for c in agent.commands(agent.checkin())] == [mine]


def test_not_now_waits_and_keeps_count(desk: Desk, site: FakeAgent) -> None:
    command = desk.order().get_json()["id"]
    site.checkin()
    begun = desk.clock.now()
    _report(site, command, "not_now", age_s=0, detail={"reason": "busy"})
    seen = desk.look(command)
    assert (seen["state"], seen["not_now_times"]) == ("not_now", 1)
    assert seen["result"]["detail"] == {"reason": "busy"}
    assert site.commands(site.checkin()) == []
    desk.clock.move(30)
    assert [c.id for c in site.commands(site.checkin())] == [command]
    _report(site, command, "not_now")
    desk.clock.move(30)
    assert site.commands(site.checkin()) == []
    desk.clock.move(30)
    assert [c.id for c in site.commands(site.checkin())] == [command]
    seen = desk.look(command)
    assert (seen["not_now_times"], seen["attempts"]) == (2, 3)
    assert dt.datetime.fromisoformat(seen["not_now_first_at"]) == begun


def test_a_lost_lease_returns_to_the_queue_until_attempts_run_out(
    desk: Desk, site: FakeAgent, rows: Rows
) -> None:
    command = desk.order(expires_in_s=86_400).get_json()["id"]
    for attempt in range(1, 6):
        assert [c.id for c in site.commands(site.checkin())] == [command]
        desk.clock.move(299)
        desk.run_jobs()
        assert desk.look(command)["state"] == "leased"
        desk.clock.move(1)
        desk.run_jobs()
        seen = desk.look(command)
        assert (seen["state"], seen["attempts"]) == ("queued" if attempt < 5 else "failed", attempt)
    assert seen["end_reason"] == "no answer from any agent"
    assert rows(AuditRow)[-1].action == "command.exhaust"


def test_a_word_that_comes_after_the_lease_still_counts(desk: Desk, site: FakeAgent) -> None:
    command = desk.order().get_json()["id"]
    site.checkin()
    desk.clock.move(300)
    desk.run_jobs()
    assert desk.look(command)["state"] == "queued"
    assert _report(site, command, "succeeded", age_s=200.0) == []
    seen = desk.look(command)
    assert seen["state"] == "succeeded"
    assert dt.datetime.fromisoformat(seen["finished_at"]) == desk.clock.now() - dt.timedelta(seconds=200)


def test_running_extends_the_lease(desk: Desk, site: FakeAgent) -> None:
    command = desk.order().get_json()["id"]
    site.checkin()
    desk.clock.move(200)
    _report(site, command, "running")
    desk.clock.move(200)
    desk.run_jobs()
    assert desk.look(command)["state"] == "running"


def test_what_nobody_fetched_expires(desk: Desk, site: FakeAgent) -> None:
    command = desk.order(expires_in_s=60).get_json()["id"]
    desk.clock.move(59)
    desk.run_jobs()
    assert desk.look(command)["state"] == "queued"
    desk.clock.move(1)
    assert site.commands(site.checkin()) == []  # not even before the job has run
    desk.run_jobs()
    assert desk.look(command)["state"] == "expired"


def test_what_an_agent_holds_expires_with_its_lease(desk: Desk, site: FakeAgent) -> None:
    command = desk.order(expires_in_s=60).get_json()["id"]
    (given,) = site.commands(site.checkin())
    assert given.expires_in_s == 60
    desk.clock.move(100)
    desk.run_jobs()
    assert desk.look(command)["state"] == "leased"  # it may have been begun in time
    desk.clock.move(200)
    desk.run_jobs()
    assert desk.look(command)["state"] == "expired"


@pytest.mark.parametrize(
    ("word", "state"), [("expired", "expired"), ("refused", "failed"), ("failed", "failed")]
)
def test_the_agents_last_words(desk: Desk, site: FakeAgent, word: str, state: str) -> None:
    command = desk.order().get_json()["id"]
    site.checkin()
    assert _report(site, command, word, age_s=None) == []
    seen = desk.look(command)
    assert (seen["state"], seen["end_reason"]) == (state, word)


def test_results_are_taken_one_by_one(desk: Desk, site: FakeAgent, enroller: Enroller) -> None:
    done, open_ = desk.order("S1").get_json()["id"], desk.order("S2").get_json()["id"]
    site.checkin()
    _report(site, done, "succeeded")

    def word(command: Any, **changes: Any) -> Any:
        return {"id": command, "state": "succeeded", "age_s": 0, "detail": {}} | changes

    results = [
        word(str(uuid.uuid4())), word("no id"), word(done, state="failed"), word(open_, state="cancelled"),
        word(open_, detail=[]), word(open_, detail={"x": "y" * 17_000}), word(open_, detail={"x": "\u0000"}), None,
        word(open_, extra=1), word(7), word(open_),
    ]  # fmt: skip
    answer = site.checkin(results=results).get_json()
    codes = ["unknown_command", "unknown_command", "command_finished", *["bad_entry"] * 7]
    assert [(r["index"], r["code"]) for r in answer["rejected"]] == list(enumerate(codes))
    assert [desk.look(i)["state"] for i in (done, open_)] == ["succeeded", "succeeded"]


def test_another_agents_command_is_not_ones_own(desk: Desk, site: FakeAgent, enroller: Enroller) -> None:
    command = desk.order().get_json()["id"]
    site.checkin()
    assert _report(enroller.gateway(), command, "succeeded") == ["unknown_command"]
    assert desk.look(command)["state"] == "leased"


def test_cancelling(desk: Desk, site: FakeAgent, rows: Rows) -> None:
    command = desk.order().get_json()["id"]
    path = f"/api/v1/commands/{command}/cancel"
    cancelled = desk.client.post(path, json={"reason": "弄错了"})
    assert (cancelled.status_code, cancelled.get_json()["state"]) == (200, "cancelled")
    assert desk.client.post(path, json={}).get_json()["code"] == "command_finished"
    assert (rows(AuditRow)[-1].action, rows(AuditRow)[-1].reason) == ("command.cancel", "弄错了")
    assert site.commands(site.checkin()) == []
    held = desk.order().get_json()["id"]
    site.checkin()
    refused = desk.client.post(f"/api/v1/commands/{held}/cancel", json={})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "command_at_agent")


def test_lists_are_filtered_and_paged(desk: Desk, site: FakeAgent) -> None:
    one = desk.order("S1").get_json()["id"]
    site.checkin()
    two = desk.order("S2").get_json()["id"]

    def ids(query: str) -> list[str]:
        return [c["id"] for c in desk.client.get(f"/api/v1/commands?{query}").get_json()["items"]]

    assert ids("") == [two, one]
    assert ids("state=leased&state=running") == [one]
    assert ids(f"handset_id={desk.phones['S2']}") == [two]
    assert ids(f"centre_id={desk.phones.other_centre}") == []
    first = desk.client.get("/api/v1/commands?limit=1").get_json()
    assert ids(f"limit=1&cursor={first['next_cursor']}") == [one]
    assert desk.client.get("/api/v1/commands?state=lost").status_code == 422


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "wipe"}, "kind"), ({"args": {"x": 1}}, "args.x"), ({"expires_in_s": 1}, "expires_in_s"),
        ({"dedup_key": ""}, "dedup_key"), ({"hurry": True}, "hurry"), ({"args": []}, "args"),
    ],
)  # fmt: skip
def test_a_wrong_order_names_its_field(desk: Desk, body: dict[str, Any], field: str) -> None:
    answer = desk.order(**body)
    assert answer.status_code == 422, answer.text
    assert [e["field"].removeprefix("json.") for e in answer.get_json()["errors"]] == [field]


def test_orders_for_phones_that_are_not_there(desk: Desk) -> None:
    path = f"/api/v1/handsets/{uuid.uuid4()}/commands"
    assert desk.client.post(path, json={"kind": "read_phone"}).status_code == 404
    retired = f"/api/v1/handsets/{desk.phones['S2']}/retire"
    desk.client.post(retired, json={"reason": "x"}, headers={"If-Match": '"v1"'})
    assert desk.order("S2").get_json()["code"] == "retired_phone"


def test_old_commands_are_forgotten_by_policy(desk: Desk, site: FakeAgent, rows: Rows) -> None:
    ended, waits = (
        desk.order("S1").get_json()["id"],
        desk.order("S2", expires_in_s=30 * 86_400).get_json()["id"],
    )
    desk.client.post(f"/api/v1/commands/{ended}/cancel", json={})
    desk.clock.move(365 * 86_400)
    desk.run_jobs()
    assert {str(c.id): c.state for c in rows(Command)} == {ended: "cancelled", waits: "expired"}
    desk.clock.move(1)
    desk.run_jobs()
    assert [str(c.id) for c in rows(Command)] == [waits]
