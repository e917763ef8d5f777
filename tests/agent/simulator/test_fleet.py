"""A fleet's ports, from opening to closing."""

import asyncio
import contextlib
import gc
import socket
import threading
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from agent.simulator.faults import Fault, FaultKind
from agent.simulator.fleet import Fleet
from tests.agent.simulator.conftest import StartFleet


@pytest.mark.parametrize(
    "closing",
    [
        lambda fleet: fleet.devices[0].power_off(),
        lambda fleet: fleet.devices[0].set_fault(Fault(FaultKind.REFUSE)),
        lambda fleet: fleet._stop(),
    ],
    ids=["power off", "refuse", "end of the fleet"],
)
def test_a_client_that_comes_while_the_port_closes_is_let_go(
    start: StartFleet, closing: Callable[[Fleet], Coroutine[Any, Any, None]]
) -> None:
    """The loop finds both at once: a client to accept, and the order to close."""
    fleet = start()
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        go.wait(10)

    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        fleet._loop.call_soon_threadsafe(hold)
        assert held.wait(10)
        with socket.create_connection(("127.0.0.1", fleet.ports[0]), timeout=10) as client:
            closed = asyncio.run_coroutine_threadsafe(closing(fleet), fleet._loop)
            go.set()
            closed.result(10)
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""
        fleet.close()
        gc.collect()
    assert [str(warning.message) for warning in leaked if warning.category is ResourceWarning] == []
