"""Papers are numbered without gaps, signed, noted, and seen by staff and parties only."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import AuditRow
from app.kernel.clock import FixedClock
from app.kernel.errors import Conflict, Invalid, NotFound
from app.kernel.tenancy import SYSTEM, Principal
from app.papers import Document, Paper, Photo, Photos, Text, get_paper, issue_paper, papers_about
from app.papers.service import envelope_of
from app.papers.signing_rules import is_genuine
from app.registry import ServiceCentre
from tests.app.conftest import Org

DOCUMENT = Document("移交物品单", "一号片区", (Text("说明", "完好"),))


def _issue(app: Flask, session: Session, org: Org, clock: FixedClock, **changes: object) -> Paper:
    given = {
        "kind": "handover", "centre_id": org.centre, "subject": "handover_leg:1", "document": DOCUMENT,
        "parties": (org.zhang,), "now": clock.now(), "keys": app.extensions["butler"].keys, **changes,
    }  # fmt: skip
    return issue_paper(session, "user-1", **given)  # type: ignore[arg-type]


def test_numbers_run_by_kind_centre_and_year(
    app: Flask, session: Session, org: Org, clock: FixedClock
) -> None:
    year = clock.now().year
    assert [_issue(app, session, org, clock).number for _ in range(2)] == [
        f"JJ-C1-{year}-0001",
        f"JJ-C1-{year}-0002",
    ]
    assert _issue(app, session, org, clock, kind="issue").number == f"LQ-C1-{year}-0001"
    assert _issue(app, session, org, clock, centre_id=org.other_centre).number == f"JJ-C2-{year}-0001"
    # The code moves to another centre: its numbers run on and none is given twice.
    session.get_one(ServiceCentre, org.centre).code = "OLD"
    session.get_one(ServiceCentre, org.other_centre).code = "C1"
    session.flush()
    assert _issue(app, session, org, clock, centre_id=org.other_centre).number == f"JJ-C1-{year}-0003"


def test_it_is_signed_and_noted(app: Flask, session: Session, org: Org, clock: FixedClock) -> None:
    paper = _issue(app, session, org, clock)
    public = app.extensions["butler"].keys.public_key("paper")
    assert is_genuine(envelope_of(session, paper), paper.signature, public)
    session.commit()
    row = session.scalars(select(AuditRow).where(AuditRow.object == f"paper:{paper.id}")).one()
    assert (row.action, row.actor) == ("paper.issue", "user-1")
    assert row.details is not None
    assert paper.sha256 in row.details
    assert paper.number in row.details
    assert paper.code not in row.details


def test_a_picture_that_is_not_stored_is_refused(
    app: Flask, session: Session, org: Org, clock: FixedClock
) -> None:
    with pytest.raises(Invalid):
        _issue(app, session, org, clock, document=Document("t", "", (Photos("", (Photo("0" * 64, ""),)),)))


def test_a_paper_is_corrected_once(app: Flask, session: Session, org: Org, clock: FixedClock) -> None:
    first = _issue(app, session, org, clock)
    second = _issue(app, session, org, clock, corrects=first.id)
    assert second.corrects == first.id
    with pytest.raises(Conflict):
        _issue(app, session, org, clock, corrects=first.id)
    with pytest.raises(NotFound):
        _issue(app, session, org, clock, corrects=second.id, centre_id=org.other_centre)


def _who(org: Org, role: str, **more: object) -> Principal:
    centre = org.centre
    rights = frozenset({(role, centre)})
    return Principal("u", frozenset({role}), frozenset({centre}), rights=rights, **more)  # type: ignore[arg-type]


def test_staff_of_the_centre_and_the_parties_see_it(
    app: Flask, session: Session, org: Org, clock: FixedClock
) -> None:
    paper = _issue(app, session, org, clock)
    for who in (SYSTEM, _who(org, "lead"), _who(org, "finance"), _who(org, "butler", employee=org.zhang)):
        assert papers_about(session, who, "handover_leg:1") == [paper]
        assert get_paper(session, who, paper.id) is paper
    stranger = Principal("u", frozenset({"lead"}), frozenset({org.other_centre}))
    for who in (_who(org, "butler", employee=org.li), _who(org, "butler"), stranger):
        assert papers_about(session, who, "handover_leg:1") == []
        with pytest.raises(NotFound):
            get_paper(session, who, paper.id)
