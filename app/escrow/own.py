"""A butler's own phones, and which of their passwords he files himself (R07)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.escrow.joins import SecretState, kit_secrets
from app.kernel.errors import NotFound
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import PolicyFiles
from app.registry import held_by


@dataclass(frozen=True)
class OwnPhone:
    handset_id: uuid.UUID
    asset_tag: str
    post_name: str
    secrets: Sequence[SecretState]


def own_phones(
    session: Session, principal: Principal, policies: PolicyFiles, now: dt.datetime
) -> list[OwnPhone]:
    """The phones of the posts that he holds now, with the kinds that policy lets him file; [] for no employee."""
    if principal.employee is None:
        return []
    posts = {c.handset_id: c.post_name for c in held_by(session, SYSTEM, principal.employee, now)}
    states = kit_secrets(session, SYSTEM, policies, handset_ids=posts, now=now)
    own = {state.subject_id: state.subject_name for state in states if state.holder_files}
    return [
        OwnPhone(phone, name, posts[phone], [s for s in states if s.subject_id == phone and s.holder_files])
        for phone, name in own.items()
    ]


def own_secret(
    session: Session, principal: Principal, policies: PolicyFiles, handset_id: uuid.UUID, kind: str,
    now: dt.datetime,
) -> SecretState:  # fmt: skip
    """One of `own_phones`. Raise `NotFound` for what is not his to file."""
    for phone in own_phones(session, principal, policies, now):
        for state in phone.secrets:
            if (phone.handset_id, state.kind) == (handset_id, kind):
                return state
    raise NotFound("这部手机不由您保管 / not your phone")
