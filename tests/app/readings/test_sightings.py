"""Who saw an unregistered phone is told to that centre's people only."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.kernel.clock import FixedClock
from app.kernel.ids import new_id
from app.kernel.tenancy import SYSTEM, Principal
from app.readings import list_sightings
from app.readings.model import Sighting
from tests.app.conftest import Org


def test_another_centres_sightings_are_not_there(org: Org, session: Session, clock: FixedClock) -> None:
    now = clock.now()
    row: dict[str, Any] = {"agent_id": new_id(), "target": "tcp:10.0.0.9:5555", "times": 1}
    session.add(Sighting(centre_id=org.centre, serial="S9", first_seen_at=now, last_seen_at=now, **row))
    session.flush()
    mine, foreign = (
        Principal("u", frozenset({"it"}), frozenset({centre})) for centre in (org.centre, org.other_centre)
    )
    for who, seen in ((SYSTEM, ["S9"]), (mine, ["S9"]), (foreign, [])):
        assert [found.serial for found in list_sightings(session, who).items] == seen
