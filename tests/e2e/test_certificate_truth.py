"""No certificate without proof, and no word about a wipe that is not so: whatever fails or lies on the way."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app.kernel.clock import FixedClock
from tests.support.wipe_truth import run
from tests.support.wipe_yard import Yard, founded

RUNS = int(os.environ.get("BUTLER_PROVE_CERTIFICATE", "8"))
FIRST = int(os.environ.get("BUTLER_PROVE_FIRST", "0"))


@pytest.fixture
def yard(make_app: Callable[..., Flask], sqlite_url: str, clock: FixedClock, tmp_path: Path) -> Yard:
    return founded(make_app, sqlite_url, clock, tmp_path)


def test_what_is_certified_was_erased(yard: Yard) -> None:
    told = [run(yard, number) for number in range(FIRST, FIRST + RUNS)]
    assert [f"run {FIRST + number}: {one}" for number, one in enumerate(told) if one.wrong] == []
    certified = sum(one.state == "certified" for one in told)
    assert certified > RUNS // 4, "where nothing is ever certified nothing is proved"
    assert any(not one.erased for one in told)
