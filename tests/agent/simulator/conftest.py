"""Simulated phones for tests: healthy ones that ask for no key unless a test says otherwise."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from agent.simulator.fleet import Fleet, Mode
from agent.simulator.make import make_phone
from agent.simulator.mksh import MkshRunner
from agent.simulator.state import AuthMode

StartFleet = Callable[..., Fleet]


@pytest.fixture
def start(caplog: pytest.LogCaptureFixture) -> Iterator[StartFleet]:
    """`start(count=1, mode="canned", **fields)`: a fleet of phones whose state has these fields.

    What goes wrong inside the event loop is only logged by asyncio: here it fails the test.
    """
    with ExitStack() as stack:

        def run(count: int = 1, mode: Mode = "canned", **fields: Any) -> Fleet:
            if mode == "mksh" and not MkshRunner.available():
                pytest.skip("mksh or toybox is not installed")
            phones = [make_phone(index) for index in range(count)]
            for phone in phones:
                phone.auth = AuthMode.OPEN
                # Other tests at the same time have phones of the same seed.
                phone.boot_id = str(uuid.uuid4())
                for name, value in fields.items():
                    assert hasattr(phone, name)
                    setattr(phone, name, value)
            return stack.enter_context(Fleet(phones, mode))

        yield run
    assert not [record.getMessage() for record in caplog.get_records("call") if record.name == "asyncio"]
