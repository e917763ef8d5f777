"""Several at the same moment, in threads against the real databases: nothing twice, nothing lost."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import orjson

from agent import wire
from app.commands.model import Command
from app.fleet.model import Agent
from app.kernel.clock import FixedClock
from app.readings.model import PhoneState, Sighting
from tests.support.agents import FakeAgent, envelope, reading
from tests.support.fleet import Enroller, Phones, seconds_before

Rows = Callable[..., list[Any]]
T = TypeVar("T")
HANDS = 4


def _together(acts: list[Callable[[], T]]) -> list[T]:
    """All acts begin at one gate; their results in order."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], T]) -> T:
        gate.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_one_batch_sent_by_several_hands_counts_once(gateway: FakeAgent, phones: Phones, rows: Rows) -> None:
    body = envelope(readings=[reading("S1"), reading("nobody")])
    answers = _together([lambda: gateway.post(wire.CHECKIN_PATH, body)] * HANDS)
    assert [a.status_code for a in answers] == [200] * HANDS
    told = [a.get_json() for a in answers]
    assert all(t == told[0] for t in told)
    assert rows(Sighting)[0].times == 1


def test_one_nonce_is_taken_by_one_hand(gateway: FakeAgent) -> None:
    answers = _together([lambda: gateway.post(wire.CHECKIN_PATH, envelope(), nonce="n")] * HANDS)
    assert sorted(a.status_code for a in answers) == [200, *[401] * (HANDS - 1)]


def test_one_token_enrols_one_agent(enroller: Enroller, rows: Rows) -> None:
    token = enroller.code()
    agents = [enroller.agent() for _ in range(HANDS)]
    answers = _together([lambda a=a: a.enrol(token) for a in agents])  # type: ignore[misc]
    assert sorted(a.status_code for a in answers) == [201, *[403] * (HANDS - 1)]
    assert len(rows(Agent)) == 1


def test_two_agents_never_get_the_same_command(
    enroller: Enroller, client: Any, phones: Phones, clock: FixedClock, rows: Rows
) -> None:
    gateways = [enroller.gateway() for _ in range(HANDS)]
    for serial in ("S1", "S2"):
        client.post(f"/api/v1/handsets/{phones[serial]}/commands", json={"kind": "read_phone"})

    # Each is the one that read both phones last, in the moment in which it asks for commands.
    def ask(agent: FakeAgent) -> list[wire.Command]:
        return agent.commands(agent.checkin(readings=[reading("S1", age_s=0), reading("S2", age_s=0)]))

    given = [c.id for got in _together([lambda a=a: ask(a) for a in gateways]) for c in got]  # type: ignore[misc]
    clock.move(1)
    given += [c.id for a in gateways for c in ask(a)]
    assert len(given) == len(set(given)) == 2
    assert [c.attempts for c in rows(Command)] == [1, 1]


def test_one_order_by_several_hands_is_one_command(client: Any, phones: Phones, rows: Rows) -> None:
    path = f"/api/v1/handsets/{phones['S1']}/commands"
    app, token = client.application, client.token

    def order() -> int:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid.uuid4().hex}
        body = {"kind": "read_phone"}
        return int(
            app.test_client().post(path, json=body, headers=headers, base_url="http://127.0.0.1").status_code
        )

    assert sorted(_together([order] * HANDS)) == [*[200] * (HANDS - 1), 201]
    assert len(rows(Command)) == 1


def test_the_newest_reading_stands_whoever_is_first(
    enroller: Enroller, phones: Phones, clock: FixedClock, rows: Rows
) -> None:
    gateways = [enroller.gateway() for _ in range(HANDS)]
    sections = {"tags": {"users": "0" * 32}, "sections": {"users": []}}

    def send(n: int) -> int:
        entry = reading("S1", age_s=float(n), uptime_s=1000.0 - n, **(sections if n == 0 else {}))
        return gateways[n].checkin(readings=[entry]).status_code

    assert _together([lambda n=n: send(n) for n in range(HANDS)]) == [200] * HANDS  # type: ignore[misc]
    (state,) = rows(PhoneState)
    assert (state.at, str(state.agent_id)) == (seconds_before(clock, 0), gateways[0].agent_id)
    assert list(orjson.loads(state.tags)) == ["users"]
