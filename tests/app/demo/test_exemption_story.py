"""The demo's exemptions: one phone is spared its dual space, another waits for a second person."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app.compliance.exemption_model import ComplianceExemption
from app.kernel.db import db
from app.registry import Handset
from app.tasks.model import Task

PHONES = Path("scripts/demo_phones.json")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The demo is seeded on both kinds by the tests of its other stories."""
    return sqlite_url


def test_one_is_approved_by_another_person_and_one_waits(app: Flask) -> None:
    assert app.test_cli_runner().invoke(args=["demo", "seed", "--phones", str(PHONES)]).exit_code == 0
    with app.app_context():
        rows = db.session().scalars(select(ComplianceExemption)).all()
        assert Counter(row.state for row in rows) == {"approved": 2, "requested": 2}
        assert all(row.decided_by != row.requested_by for row in rows)
        tags = {row.state: db.session().get_one(Handset, row.handset_id).asset_tag for row in rows}
        assert tags == {"approved": "GJ-0005", "requested": "GJ-0001"}
        tasks = db.session().scalars(select(Task.state).where(Task.kind == "exemption")).all()
        assert Counter(tasks) == {"open": 2, "closed": 2}
