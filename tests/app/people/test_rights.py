"""Who may what, where and when; deputies included."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from app.kernel.errors import NotFound
from app.people import principal_of
from app.people.model import Deputy, RoleGrant, User
from app.people.rules import Right, effective_rights

DAY = dt.timedelta(days=1)


def test_nobody_lends_more_than_he_has():
    here, there = uuid.uuid4(), uuid.uuid4()
    own = [Right("butler", here)]
    asked = [Right("lead", here), Right("it", here), Right("lead", there)]
    has = [Right("lead", here), Right("it", None)]
    assert effective_rights(own, asked, has) == {
        Right("butler", here),
        Right("lead", here),
        Right("it", here),
    }


@pytest.fixture
def people(session, org, clock):
    """Lead Wang of the first centre, and butler Zhao who stands in for him for the next two days."""
    now = clock.now()
    wang, zhao = (User(login=n, name=n, created_at=now, updated_at=now) for n in ("wang", "zhao"))
    session.add_all([wang, zhao])
    session.flush()
    session.add_all(
        [
            RoleGrant(user_id=wang.id, role="lead", centre_id=org.centre, valid_from=now),
            RoleGrant(user_id=zhao.id, role="butler", centre_id=org.other_centre, valid_from=now),
            Deputy(
                user_id=wang.id,
                deputy_id=zhao.id,
                role="lead",
                centre_id=org.centre,
                valid_from=now,
                valid_to=now + 2 * DAY,
                created_by="wang",
                created_at=now,
            ),
        ]
    )
    session.flush()
    return wang, zhao


def test_a_deputy_has_the_rights_for_as_long_as_the_span_lasts(session, org, clock, people):
    _, zhao = people
    during = principal_of(session, zhao.id, clock.now() + DAY)
    assert (during.roles, during.centres) == ({"lead", "butler"}, {org.centre, org.other_centre})
    after = principal_of(session, zhao.id, clock.now() + 2 * DAY)
    assert (after.roles, after.centres) == ({"butler"}, {org.other_centre})


def test_an_inactive_user_is_nobody(session, clock, people):
    wang, _ = people
    wang.active = False
    session.flush()
    with pytest.raises(NotFound):
        principal_of(session, wang.id, clock.now())
