from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent import reporter as module
from agent import wire
from agent.batches import Batches
from agent.client import Client, ServerAway
from agent.enrol import enrol
from agent.reporter import BACKOFF_CAP_S, BACKOFF_FIRST_S, AgentStopped, Reporter, backoff_s, checked_answer
from agent.state import State
from tests.agent.builders import STATE, Box, answer
from tests.agent.stub_server import AGENT_ID, Stub


class Site:
    """A spool and its reporter, enrolled at the stub."""

    def __init__(self, stub: Stub, state: State, **batches: Any) -> None:
        self.box = Box(state.spool)
        self.identity = enrol(state, wire.EnrolmentCode.parse(stub.code()), name="n", kind="gateway")
        self.client = Client(stub.url, state.keys().ed25519, self.identity.agent_id)
        self.commands = 0
        if batches:
            self.box.batches = Batches(self.box.spool, self.box.clock, **batches)
        self.reporter = Reporter(
            self.box.batches,
            self.client,
            self.identity,
            status=lambda: STATE,
            on_commands=self._count,
        )
        stub.seen.clear()

    def _count(self) -> None:
        self.commands += 1

    def close(self) -> None:
        self.client.close()
        self.box.database.close()


@pytest.fixture
def site(stub: Stub, state: State) -> Iterator[Site]:
    site = Site(stub, state)
    yield site
    site.close()


def test_what_is_spooled_arrives_and_is_gone(site: Site, stub: Stub) -> None:
    site.box.spool.add([site.box.reading(packages=["微信"]), site.box.unreached(), site.box.result()])
    assert site.reporter.check_in() is False
    (body,) = stub.counted.values()
    assert body["readings"][0]["sections"] == {"packages": ["微信"]}
    assert (len(body["unreached"]), len(body["results"])) == (1, 1)
    assert site.box.spool.count() == 0


@pytest.mark.parametrize("fault", ["lost", "cut", 500, "rubbish"])
def test_whatever_happens_to_the_answer_all_counts_once(site: Site, stub: Stub, fault: int | str) -> None:
    site.box.spool.add([site.box.reading(uptime_s=n) for n in range(3)])
    stub.faults = [fault]
    with pytest.raises(ServerAway):
        site.reporter.check_in()
    site.box.spool.add([site.box.reading(uptime_s=3)])
    site.reporter.drain(threading.Event())
    assert sorted(r["uptime_s"] for r in stub.entries("readings")) == [0, 1, 2, 3]
    assert site.box.spool.count() == 0


def test_a_batch_that_is_too_large_is_halved_until_it_fits(site: Site, stub: Stub) -> None:
    stub.max_entries = 3
    site.box.spool.add([site.box.reading(uptime_s=n) for n in range(10)])
    site.reporter.drain(threading.Event())
    assert sorted(r["uptime_s"] for r in stub.entries("readings")) == list(range(10))
    assert all(len(body["readings"]) <= 3 for body in stub.counted.values())


def test_a_single_entry_that_is_too_large_is_set_aside(site: Site, stub: Stub) -> None:
    stub.max_entries = 0
    site.box.spool.add([site.box.reading()])
    assert site.reporter.check_in() is False
    assert site.box.spool.count() == 0
    with site.box.database.transaction() as db:
        assert db.execute("SELECT count(*) FROM aside").fetchone()[0] == 1


def test_an_unreadable_batch_is_set_aside_and_the_next_goes(site: Site, stub: Stub) -> None:
    stub.unreadable = "S-bad"
    site.box.batches._max_entries = 1
    site.box.spool.add([site.box.reading("S-bad"), site.box.reading("S-good")])
    assert site.reporter.check_in() is False, "the next must wait for its turn"
    site.reporter.drain(threading.Event())
    assert [r["phone"] for r in stub.entries("readings")] == ["S-good"]


def test_an_empty_check_in_that_is_refused_loses_nothing(site: Site, stub: Stub) -> None:
    stub.faults = ["bad_body"]
    with pytest.raises(ServerAway, match="empty"):
        site.reporter.check_in()


@pytest.mark.parametrize(
    ("agents", "code"),
    [
        ({}, "unknown_agent"),
        ({AGENT_ID: b"revoked"}, "agent_revoked"),
        ({AGENT_ID: bytes(32)}, "bad_signature"),
    ],
)
def test_an_agent_that_the_server_does_not_take_stops(
    site: Site, stub: Stub, agents: dict[str, bytes], code: str
) -> None:
    stub.agents = agents
    site.box.spool.add([site.box.reading()])
    with pytest.raises(AgentStopped, match=code):
        site.reporter.run(threading.Event())
    assert site.box.spool.count() == 1


@pytest.mark.parametrize(("stored", "kept"), [(10**400, 3600), (-5, 5), (60, 60)])
def test_a_stored_pace_is_kept_within_limits_too(site: Site, stored: int, kept: float) -> None:
    """Before the first check-in it is what the phones are read by."""
    identity = replace(site.identity, interval_s=stored)
    reporter = Reporter(
        site.box.batches, site.client, identity, status=lambda: STATE, on_commands=site._count
    )
    assert reporter.interval_s == kept


# --- commands --------------------------------------------------------------------


def test_thousands_of_commands_that_nobody_signed_are_said_in_one_line(
    site: Site, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    stub.commands = [{"payload": "{}", "signature": wire.b64(bytes(64))}] * 2000
    site.reporter.check_in()
    lines = [record.getMessage() for record in caplog.records if "commands refused" in record.getMessage()]
    assert [line.partition(";")[0] for line in lines] == ["commands refused without an answer: 2000"]
    assert received(site) == []


def test_reasons_without_end_fill_no_log(site: Site, stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    stub.answer = {"rejected": [{"code": f"{n:0>1000}"} for n in range(100)]}
    site.reporter.check_in()
    assert max(len(record.getMessage()) for record in caplog.records) < 1000


def command(**changes: Any) -> wire.Command:
    fields = {"id": "c1", "kind": "read_phone", "agent": AGENT_ID, "serial": "S1", "imei": ()}
    return wire.Command(**{**fields, "args": {}, "expires_in_s": 60, **changes})


def received(site: Site) -> list[str]:
    with site.box.database.transaction() as db:
        return [row[0] for row in db.execute("SELECT id FROM command ORDER BY seq")]


def test_commands_of_the_server_are_stored_and_announced(site: Site, stub: Stub) -> None:
    stub.commands = [wire.seal_command(command(id=i), stub.command_key) for i in ("c1", "c2")]
    site.reporter.check_in()
    assert received(site) == ["c1", "c2"]
    assert site.commands == 1


def test_a_command_that_is_not_the_servers_or_not_ours_is_not_even_stored(site: Site, stub: Stub) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    forged = wire.seal_command(command(id="forged"), Ed25519PrivateKey.generate())
    foreign = wire.seal_command(command(id="foreign", agent="another"), stub.command_key)
    good = wire.seal_command(command(id="good"), stub.command_key)
    rubbish: Any = {"payload": 1}
    stub.commands = [forged, foreign, rubbish, good]
    site.reporter.check_in()
    assert received(site) == ["good"]


# --- answers ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"batch": "another"},
        {"hmac_key": "AAAA"},
        {"hmac_key": None},
        {"interval_s": "60"},
        {"interval_s": True},
        {"want": {}},
        {"want": [{"phone": 1, "sections": []}]},
        {"want": [{"phone": "S1", "sections": [1]}]},
        {"want": [{"phone": "S1", "sections": None}]},
        {"commands": None},
        {"commands": ["x"]},
        {"rejected": 5},
    ],
)
def test_an_answer_of_another_shape_acknowledges_nothing(tmp_path: Path, change: dict[str, Any]) -> None:
    box = Box(tmp_path / "s.db")
    batch = box.batches.next()
    good: dict[str, Any] = dict(answer(batch))
    assert checked_answer(dict(good), batch) == good
    with pytest.raises(ServerAway):
        checked_answer({**good, **change}, batch)
    for name in set(good) - {"accepted"}:
        with pytest.raises(ServerAway):
            checked_answer({k: v for k, v in good.items() if k != name}, batch)
    box.database.close()


def test_rejected_entries_are_said_and_gone(site: Site, stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    stub.answer = {"rejected": [{"part": "readings", "index": 0, "code": "unknown_phone", "detail": ""}]}
    site.box.spool.add([site.box.reading()])
    site.reporter.check_in()
    assert "unknown_phone=1" in caplog.text
    assert site.box.spool.count() == 0
    site.reporter.check_in()
    assert caplog.text.count("unknown_phone") == 1, "said once, not at every check-in"


@pytest.mark.parametrize(("told", "kept"), [(30, 30.0), (0, 5.0), (10**9, 3600.0)])
def test_the_server_sets_the_pace_within_reason(site: Site, stub: Stub, told: int, kept: float) -> None:
    stub.interval_s = told
    site.reporter.check_in()
    assert site.reporter.interval_s == kept


# --- the loop ----------------------------------------------------------------------


@contextmanager
def looping(site: Site) -> Iterator[Callable[[], None]]:
    stop = threading.Event()
    thread = threading.Thread(target=site.reporter.run, args=(stop,))
    thread.start()

    def end() -> None:
        stop.set()
        site.reporter.wake()
        thread.join(10)
        assert not thread.is_alive()

    try:
        yield end
    finally:
        end()


def test_the_loop_outlasts_an_ill_server(site: Site, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKOFF_FIRST_S", 0.001)
    monkeypatch.setattr(module, "BACKOFF_CAP_S", 0.002)
    stub.faults = [500, "cut", "lost", "rubbish", 404, "replayed"]
    site.box.spool.add([site.box.reading(uptime_s=n) for n in range(5)])
    with looping(site):
        stub.wait_until("the batch arrived and was acknowledged", lambda: site.box.spool.count() == 0)
    assert sorted(r["uptime_s"] for r in stub.entries("readings")) == [0, 1, 2, 3, 4]


def test_a_wake_brings_a_check_in_at_once(site: Site, stub: Stub) -> None:
    with looping(site):
        stub.wait_until("first", lambda: len(stub.seen) == 1)
        assert site.reporter.tried.wait(10)
        site.box.spool.add([site.box.result()])
        site.reporter.wake()
        stub.wait_until("second", lambda: len(stub.seen) == 2)
    assert stub.entries("results")[0]["id"] == "c1"


def test_backoff_is_anything_up_to_a_doubling_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: (low, high))
    limits: list[Any] = [backoff_s(n) for n in (0, 1, 2, 50)]
    assert limits == [(0.0, BACKOFF_FIRST_S), (0.0, 4.0), (0.0, 8.0), (0.0, BACKOFF_CAP_S)]


def test_the_body_is_packed_and_what_the_page_says(site: Site, stub: Stub) -> None:
    site.box.spool.add([site.box.reading()])
    site.reporter.check_in()
    assert stub.headers[-1]["Content-Encoding"] == "gzip"
    assert set(json.loads(json.dumps(stub.seen[-1]))) == set(wire.CheckinRequest.__annotations__)
