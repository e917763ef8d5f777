"""pytest's hooks and the fixtures that every part of the suite may use."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import postgres

# No deadline: how long an example takes says more about the machine's other work than about the code.
# Derandomised, so that the same commit passes or fails alike everywhere; `make prove` looks for new examples.
settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.register_profile("prove", deadline=None, max_examples=5000, print_blob=True)
settings.load_profile("house")


_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 2 * 2**30


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        if _in_memory():
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))
        postgres.begin_run(_MEMORY if _in_memory() else None)


def _in_memory() -> bool:
    """Whether this machine has files in memory, room there, and programs may be run from it: every key file and every
    commit of a test waits for the disk otherwise."""
    if not _MEMORY.is_dir() or not os.access(_MEMORY, os.W_OK):
        return False
    place = os.statvfs(_MEMORY)
    return place.f_bavail * place.f_frsize >= _ROOM_BYTES and not place.f_flag & os.ST_NOEXEC


def pytest_xdist_auto_num_workers() -> int:
    """One more than cores: a test waits for PostgreSQL, a phone or a browser half of its time."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those with real servers and browsers first: last, one worker would be at them while the others have ended."""
    items.sort(key=lambda item: "/e2e/" not in item.nodeid)


def pytest_collection_finish() -> None:
    """All that is loaded stays: looked through again and again it costs a tenth of the run."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.end_run()


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this test's own."""
    with postgres.database() as url:
        yield url
