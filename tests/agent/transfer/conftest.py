"""What counts as a large file is small here, so that a few of them are moved in no time."""

from __future__ import annotations

import pytest

from agent.transfer import reading, writing


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SMALL", 2**20)
    monkeypatch.setattr(writing, "WHOLE", 2 * 2**20)
