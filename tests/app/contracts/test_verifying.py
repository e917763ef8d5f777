"""A confirmed assessment cannot be altered unseen: checks, readings, pictures, conclusion, signatures, the row."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update

from app.audit import AuditRow
from app.contracts import verifying
from app.contracts.model import Assessment
from app.contracts.work_store import confirmed
from app.kernel.db import begin_write
from app.kernel.errors import DomainError
from app.rooms import record_checks, subject_checks


@pytest.fixture
def problems(session, here):
    def found():
        # What is noted of an act is written as it commits.
        session.commit()
        begin_write(session)
        session.expire_all()
        return list(verifying.record_check(session, here.blobs, here.keys))

    return found


def test_what_was_signed_is_right_and_is_looked_at(session, here, assess, problems):
    row = assess("keep")
    assert problems() == []
    assert verifying.record_check in record_checks()
    assert list(subject_checks()["contract_assessment"](session, here.blobs, row.id)) == []
    assert list(subject_checks()["contract_assessment"](session, here.blobs, row.contract_id))


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("items", lambda row: {**row.items, "battery": {"code": "good", "words": ""}}),
        ("readings", lambda row: [*row.readings[:-1], ["损坏、遗失、维修", "没有"]]),
        ("photos", lambda row: [{"sha256": "0" * 64, "caption": ""}]),
        ("conclusion", lambda row: "replace"),
        ("reason", lambda row: "别的"),
        ("document", lambda row: {**row.document, "title": "另一份"}),
        ("document", lambda row: {"x": 1}),
        ("digest", lambda row: "0" * 64),
        ("signatures", lambda row: [{**row.signatures[0], "name": "别人"}, row.signatures[1]]),
        ("signatures", lambda row: row.signatures[:1]),
        ("paper_id", lambda row: None),
    ],
)
def test_every_change_is_found(session, assess, problems, column, change):
    row = assess("keep")
    assert problems() == []
    session.execute(update(Assessment).where(Assessment.id == row.id).values({column: change(row)}))
    told = problems()
    assert told
    assert all(words.startswith("! ") for words in told)


def test_a_row_a_paper_or_an_event_that_is_gone(session, assess, problems):
    row = assess("keep")
    assert problems() == []
    session.execute(
        update(AuditRow).where(AuditRow.action == verifying.CONFIRM).values(details='{"digest": "0"}')
    )
    assert len(problems()) == 1
    session.execute(
        update(AuditRow).where(AuditRow.action == verifying.CONFIRM).values(details=None, salt=None)
    )
    assert [words[:2] for words in problems()] == ["? "]
    session.execute(
        update(Assessment).where(Assessment.id == row.id).values(state="cancelled", paper_id=None)
    )
    assert list(confirmed(session)) == []
    assert problems()
    session.execute(delete(Assessment))
    assert problems()


def test_a_picture_that_is_gone(session, here, assess, problems, monkeypatch):
    assess("keep")
    assert problems() == []

    def gone(*_):
        raise DomainError("gone")

    monkeypatch.setattr(here.blobs, "get", gone)
    assert all("图片" in words for words in problems())
    assert len(problems()) == 2
