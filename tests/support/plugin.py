"""pytest's hooks and the fixtures that every part of the suite may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support import postgres

# No deadline: how long an example takes says more about the machine's other work than about the code.
# Derandomised, so that the same commit passes or fails alike everywhere; `make prove` looks for new examples.
settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.register_profile("prove", deadline=None, max_examples=5000, print_blob=True)
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.end_run()


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this test's own."""
    with postgres.database() as url:
        yield url
