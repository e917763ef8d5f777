"""No phone is erased but the one that was named, approved and verified: whatever happens to cables, answers, orders and
databases."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app.kernel.clock import FixedClock
from tests.support.wipe_fuzz import run
from tests.support.wipe_yard import Yard, founded

RUNS = int(os.environ.get("BUTLER_PROVE_WRONG_PHONE", "6"))
FIRST = int(os.environ.get("BUTLER_PROVE_FIRST", "0"))


@pytest.fixture
def yard(make_app: Callable[..., Flask], sqlite_url: str, clock: FixedClock, tmp_path: Path) -> Yard:
    return founded(make_app, sqlite_url, clock, tmp_path)


def test_no_phone_but_the_one_that_was_named(yard: Yard) -> None:
    wrong, right = [], 0
    for number in range(FIRST, FIRST + RUNS):
        ledger, what = run(yard, number)
        wrong += [f"run {number} {what}: {words}" for words in ledger.wrong]
        right += ledger.right
    assert wrong == []
    assert right > RUNS // 4, "where nothing is ever erased nothing is proved"
