import asyncio
from collections.abc import Callable

from agent.simulator.delay import DelayLine
from tests.agent.simulator.client import Client
from tests.agent.simulator.conftest import StartFleet


def _on_loop(scene: Callable[[asyncio.AbstractEventLoop], None], seconds: float) -> None:
    async def run() -> None:
        scene(asyncio.get_running_loop())
        await asyncio.sleep(seconds)

    asyncio.run(run())


def test_without_a_delay_nothing_waits() -> None:
    got: list[int] = []
    DelayLine[int](lambda: 0.0, got.append).put(1)
    assert got == [1]


def test_order_is_kept_also_when_the_delay_shrinks() -> None:
    got: list[int] = []
    delays = iter([0.03, 0.03, 0.0, 0.01])

    def scene(_loop: asyncio.AbstractEventLoop) -> None:
        line = DelayLine[int](lambda: next(delays), got.append)
        for number in range(4):
            line.put(number)
        assert got == []

    _on_loop(scene, 0.2)
    assert got == [0, 1, 2, 3]


def test_closing_forgets_what_is_on_the_way() -> None:
    got: list[int] = []

    def scene(_loop: asyncio.AbstractEventLoop) -> None:
        line = DelayLine[int](lambda: 0.01, got.append)
        line.put(1)
        line.close()

    _on_loop(scene, 0.05)
    assert got == []


def test_each_round_trip_costs_the_delay_twice(start: StartFleet) -> None:
    fleet = start(delay_s=0.05)
    clock = fleet.phones[0].clock
    with Client(fleet.ports[0]) as client:
        begin = clock()
        client.connect()
        assert clock() - begin >= 0.1
        begin = clock()
        assert client.collect("shell:echo hi") == b"hi\n"
        assert clock() - begin >= 0.1
