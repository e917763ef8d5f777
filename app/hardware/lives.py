"""How long a phone has to serve (R05)."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from app.hardware.comparing import Specification
from app.hardware.rules import Life, life_of
from app.policy import PolicyFiles, effective
from app.registry import RESOURCES, Handset, ties_of


def service_life(session: Session, handset_id: uuid.UUID, *, policies: PolicyFiles) -> Life:
    """From the day on which the phone first belonged to a post, else from its purchase. Internal: the caller has
    looked for the phone.
    """
    handset = session.get_one(Handset, handset_id)
    ties = ties_of(session, RESOURCES["kit-assignments"], "handset_id", handset_id)
    months = effective(session, policies, "hardware", handset.centre_id).body["service_months"]
    return life_of(ties[0].valid_from if ties else None, handset.purchased_on, months)


def specification_of(handset: Handset) -> Specification:
    """A registered phone as it is compared."""
    return Specification(handset.brand, handset.model, dict(handset.specification))
