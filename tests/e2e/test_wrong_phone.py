"""No phone is erased but the one that was named, approved and verified: whatever happens to cables, answers, orders and
databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app.kernel.clock import FixedClock
from tests.support.proving import PARTS, numbers, tell
from tests.support.wipe_fuzz import run
from tests.support.wipe_yard import Yard, founded


@pytest.fixture
def yard(make_app: Callable[..., Flask], sqlite_url: str, clock: FixedClock, tmp_path: Path) -> Yard:
    return founded(make_app, sqlite_url, clock, tmp_path)


@pytest.mark.parametrize("part", PARTS)
def test_no_phone_but_the_one_that_was_named(yard: Yard, part: int) -> None:
    wrong: list[str] = []
    told: Counter[str] = Counter()
    for number in numbers(part, "BUTLER_PROVE_WRONG_PHONE", 6):
        ledger, what = run(yard, number)
        wrong += [f"run {number} {what}: {words}" for words in ledger.wrong]
        told.update({"runs": 1, "orders": len(ledger.releases), "erased_rightly": ledger.right})
    tell({**told, "erased_wrongly": len(wrong)})
    assert wrong == []
    assert told["erased_rightly"] > told["runs"] // 4, "where nothing is ever erased nothing is proved"
