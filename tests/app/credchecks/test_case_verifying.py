"""What was decided of a case cannot be altered unseen."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import delete, update

from app.credchecks import cases, verifying
from app.credchecks.model import ChangeCase
from tests.app.credchecks.test_cases import answer, case, decide, state

__all__ = ["case"]


def problems(place):
    place.commit()
    place.session.expire_all()
    return list(verifying.check_cases(place.session, place.rt.blobs, place.rt.keys))


@pytest.fixture
def answered(place, case):
    state(place, case)
    decide(place, case)
    assert problems(place) == []
    cases.appeal(place.session, place.zhang, case.id, "是别人改的", **place.told)
    answer(place, case, uphold=False)
    assert problems(place) == []
    return case


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("finding", "unauthorised", "认定的结果"),
        ("statement", "就是我改的", "认定"),
        ("employee_id", None, "认定"),
        ("decided_by", "u-other", "认定"),
        ("appeal", "不申诉了", "复核"),
        ("answer", "没有道理", "复核"),
        ("paper_id", uuid.UUID(int=1), "复核"),
    ],
)
def test_every_altered_decision_is_found(place, answered, column, value, words):
    place.session.execute(update(ChangeCase).values({column: value}))
    found = problems(place)
    assert found
    assert words in "".join(found)
    assert all(line.startswith("!") for line in found)


def test_a_case_that_was_taken_away_is_found(place, answered):
    place.session.execute(delete(ChangeCase))
    assert "记录不在了" in problems(place)[0]
