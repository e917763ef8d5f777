"""The demo's past: every kind of incident is there, ruled by the real services, and told once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from app.audit import verify
from app.incidents import Incident, month_rulings
from app.kernel.db import db
from app.registry import ServiceCentre
from app.runtime import runtime
from app.uptime.model import PhoneBoot

PHONES = Path("scripts/demo_phones.json")


def _seed(app: Flask) -> Any:
    return app.test_cli_runner().invoke(args=["demo", "seed", "--phones", str(PHONES)])


def test_every_kind_of_incident_is_there_and_one_waits_for_the_lead(app: Flask) -> None:
    assert _seed(app).exit_code == 0
    with app.app_context():
        rows = db.session().scalars(select(Incident)).all()
        assert Counter((row.kind, row.status) for row in rows) == {
            ("a", "confirmed"): 3,
            ("a", "excused"): 1,
            ("b", "refuted"): 1,
            ("b", "undecided"): 1,
        }
        assert sorted(row.strikes for row in rows) == [0, 0, 0, 0, 1, 1]
        assert verify(db.session()).problem is None


def test_one_butler_loses_his_allowance_and_one_waits(app: Flask) -> None:
    _seed(app)
    with app.app_context():
        centre = db.session().scalars(select(ServiceCentre.id)).one()
        rulings = month_rulings(db.session(), runtime().policies, centre, "2026-11")
        told = Counter(ruling.allowance for ruling in rulings.values())
        assert told["cancelled"] == 1
        assert [r.undecided for r in rulings.values() if r.undecided] == [1]


def test_a_second_seeding_tells_nothing_again(app: Flask) -> None:
    _seed(app)
    with app.app_context():
        before = db.session().scalar(select(func.count()).select_from(PhoneBoot))
    assert _seed(app).exit_code == 0
    with app.app_context():
        assert db.session().scalar(select(func.count()).select_from(PhoneBoot)) == before
