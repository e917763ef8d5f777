"""What the agent's own tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.state import State
from tests.agent.stub_server import Stub, running


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running() as server:
        yield server


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")
