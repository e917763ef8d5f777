"""Who a user is at an instant."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.kernel.errors import NotFound
from app.kernel.tenancy import Principal
from app.people import store
from app.people.rules import Right, effective_rights


def principal_of(session: Session, user_id: uuid.UUID, instant: dt.datetime) -> Principal:
    """Roles and centres of a user at an instant, deputies included. Raise `NotFound` for an unknown or inactive user.

    A principal has one set of roles for all its centres; a person with different roles in different centres gets the
    centres of every role, and the routes' finer checks ask for the role in the centre at hand.
    """
    user = store.find_user(session, user_id)
    if user is None or not user.active:
        raise NotFound("no such user, or no longer active")
    deputies = store.deputised_at(session, user_id, instant)
    grants = store.grants_at(session, [user_id, *{d.user_id for d in deputies}], instant)
    own = [Right(g.role, g.centre_id) for g in grants if g.user_id == user_id]
    rights = set(own)
    for absent in {d.user_id for d in deputies}:
        lent = [Right(d.role, d.centre_id) for d in deputies if d.user_id == absent]
        has = [Right(g.role, g.centre_id) for g in grants if g.user_id == absent]
        rights |= effective_rights(own, lent, has)
    centres = {r.centre for r in rights}
    return Principal(
        user=str(user_id),
        roles=frozenset(r.role for r in rights),
        centres=None if None in centres else frozenset(c for c in centres if c is not None),
    )
