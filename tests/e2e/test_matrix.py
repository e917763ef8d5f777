"""Makers' phones from Android 7 to 16 x their second users x each breach and each part that may not be read, from the
phone to the verdict (R03), with removals that lie. The suite takes a sample in which each maker and each case is met;
`make prove` takes the whole product.
"""

from __future__ import annotations

import json
import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from agent.simulator.android.removal import RemovalLie
from agent.simulator.profiles import PROFILES
from tests.app.conftest import Org, org
from tests.support.fleet import Enroller, enroller, phones
from tests.support.matrix import HANGING, Matrix, Verdict
from tests.support.matrix_cases import CASES

__all__ = ["enroller", "org", "phones"]

ALL = bool(os.environ.get("BUTLER_PROVE_MATRIX"))
LIES = [None, *(lie for lie in RemovalLie if lie not in HANGING)][:: 1 if ALL else 4]
SAMPLE = [
    "xiaomi-8", "xiaomi-16", "huawei-7", "honor-15", "oppo-11", "vivo-13", "samsung-10", "hisense-11",
]  # fmt: skip
STRIDE = 7
"""How far apart in the sample two cases' phones lie: it has no divisor in common with how many there are."""


@pytest.fixture
def app(make_app: Callable[..., Flask], sqlite_url: str) -> Flask:
    return make_app(sqlite_url)


def tried(matrix: Matrix) -> Iterator[tuple[str, Callable[[], object]]]:
    """Kind and proof of each thing to try."""
    clean: dict[int, Verdict] = {}

    def prove_clean(place: int) -> None:
        clean[place] = matrix.prove_clean(place)

    places = range(len(matrix.phones))
    for place in places:
        yield "clean", lambda place=place: prove_clean(place)  # type: ignore[misc]
    for number, case in enumerate(CASES):
        for place in places if ALL else [number * STRIDE % len(places)]:
            yield "case", lambda place=place, case=case: matrix.prove(place, case, clean[place])  # type: ignore[misc]
    for number, lie in enumerate(LIES):
        for place in places if ALL else [number * STRIDE % len(places)]:
            yield "removal", lambda place=place, lie=lie: matrix.prove_removal(place, lie)  # type: ignore[misc]


def _name(names: list[str]) -> str:
    return names[0] if ALL else "sample"


@pytest.mark.parametrize("names", [[name] for name in PROFILES] if ALL else [SAMPLE], ids=_name)
def test_what_is_wrong_with_a_phone_is_found_and_nothing_else(
    app: Flask, org: Org, enroller: Enroller, names: list[str]
) -> None:
    told: Counter[str] = Counter()
    wrong: list[str] = []
    with Matrix(app, enroller.gateway(), org.centre, names, whole=ALL).up() as matrix:
        for kind, proof in tried(matrix):
            told[kind] += 1
            try:
                proof()
            except (AssertionError, KeyError) as exc:
                wrong.append(f"{kind}: {exc!s:.600}")
    _tell(told)
    assert not wrong, f"{len(wrong)} of {told.total()}:\n" + "\n".join(wrong[:20])


def _tell(told: Counter[str]) -> None:
    """What `make prove` counts."""
    folder = os.environ.get("BUTLER_PROVE_TOLD")
    if folder:
        figures: dict[str, Any] = {"runs": told.total(), **told}
        (Path(folder) / f"{uuid.uuid4()}.json").write_text(json.dumps(figures), encoding="utf-8")
