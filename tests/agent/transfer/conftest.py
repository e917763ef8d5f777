"""What counts as a large file is small here, so that a few of them are moved in no time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import identity
from agent.transfer import reading, writing
from tests.agent.transfer.gateway import Gateway, identity_alone
from tests.agent.transfer.rig import Rig


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SMALL", 2**20)
    monkeypatch.setattr(writing, "WHOLE", 2 * 2**20)


@pytest.fixture(autouse=True)
def _quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "whole" not in request.node.name:
        monkeypatch.setattr(identity, "read_snapshot", identity_alone)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with Rig(tmp_path).up() as rig:
        made = Gateway(rig, tmp_path)
        yield made
        made.works.stop()
        made.works.join(5)
        made.box.database.close()
