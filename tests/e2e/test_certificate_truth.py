"""No certificate without proof, and no word about a wipe that is not so: whatever fails or lies on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app.kernel.clock import FixedClock
from tests.support.proving import PARTS, numbers, tell
from tests.support.wipe_truth import run
from tests.support.wipe_yard import Yard, founded


@pytest.fixture
def yard(make_app: Callable[..., Flask], sqlite_url: str, clock: FixedClock, tmp_path: Path) -> Yard:
    return founded(make_app, sqlite_url, clock, tmp_path)


@pytest.mark.parametrize("part", PARTS)
def test_what_is_certified_was_erased(yard: Yard, part: int) -> None:
    told = {number: run(yard, number) for number in numbers(part, "BUTLER_PROVE_CERTIFICATE", 8)}
    found = Counter(one.state for one in told.values())
    erased = sum(one.erased for one in told.values())
    wrong = [f"run {number}: {one}" for number, one in told.items() if one.wrong]
    tell({**found, "runs": len(told), "erased": erased, "untrue": len(wrong)})
    assert wrong == []
    assert found["certified"] > len(told) // 4, "where nothing is ever certified nothing is proved"
    assert erased < len(told)
