"""Policies as they would be if one layer, or the company's file, were another; nothing is written."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.orm import Session

from app.policy import store
from app.policy.files import Policy, PolicyError, PolicyFiles, make_policy
from app.policy.model import PolicyLayer

Reach = Literal["company", "district", "centre"]


@dataclass(frozen=True)
class Proposal:
    """`body` in the place of one layer, or in the place of the company's file where `reach` is `company`.

    `scope_id`: the district or centre, None for the company.
    """

    subject: str
    reach: Reach
    scope_id: uuid.UUID | None
    body: Mapping[str, Any]


def layers_over(
    session: Session, subject: str, centre_id: uuid.UUID
) -> tuple[PolicyLayer | None, PolicyLayer | None]:
    """The newest layers of the centre's district and of the centre, lifted ones too."""
    district = store.districts_of(session, [centre_id]).get(centre_id)
    keys = store.newest_keys(session, subject, [centre_id, *([district] if district else [])])
    found = {key.scope: session.get_one(PolicyLayer, key.id) for key in keys.values()}
    return found.get("district"), found.get("centre")


def centres_reached(session: Session, reach: Reach, scope_id: uuid.UUID | None) -> list[uuid.UUID]:
    """The centres whose policy such a proposal could change."""
    if reach == "company" or scope_id is None:
        return store.all_centres(session)
    return store.centres_of(session, scope_id) if reach == "district" else [scope_id]


def proposed(session: Session, files: PolicyFiles, proposal: Proposal) -> dict[uuid.UUID, Policy]:
    """The policy of each centre that the proposal reaches, with it.

    Raise `PolicyError` with all that the schema says, one line each, without a line twice.
    """
    subject = proposal.subject
    file = files.latest(subject)
    below = proposal.body if proposal.reach == "company" else file.body
    centres = centres_reached(session, proposal.reach, proposal.scope_id)
    districts = store.districts_of(session, centres)
    keys = store.newest_keys(session, subject, {*districts, *districts.values()})
    known = store.bodies(session, [key.id for key in keys.values()])
    layers: dict[tuple[str, uuid.UUID], Mapping[str, Any]] = {
        at: files.renewed(subject, known[key.id]) for at, key in keys.items()
    }
    if proposal.reach != "company" and proposal.scope_id is not None:
        layers[proposal.reach, proposal.scope_id] = files.renewed(subject, proposal.body)
    made: dict[str, Policy] = {}
    # A district without centres, and what centres made of its layer: both must fit, as `put_layer` asks.
    own = [
        layers[at]
        for at in [("district", proposal.scope_id)]
        if proposal.reach == "district" and at in layers
    ]
    problems = dict.fromkeys(files.problems_of(subject, files.stacked(subject, own, below)))
    found: dict[uuid.UUID, Policy] = {}
    for centre, district in districts.items():
        over = [layers[at] for at in (("district", district), ("centre", centre)) if at in layers]
        policy = make_policy(subject, file.version, files.stacked(subject, over, below))
        if policy.sha256 not in made:
            problems |= dict.fromkeys(files.problems_of(subject, policy.body))
            made[policy.sha256] = policy
        found[centre] = made[policy.sha256]
    if problems:
        raise PolicyError(list(problems))
    return found
