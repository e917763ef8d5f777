from __future__ import annotations

import datetime as dt
import uuid

import pytest

from app.kernel.tenancy import Principal
from app.notify import Recipients, tell
from app.people.model import RoleGrant, User

NOW = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)  # 10:00 in Shanghai
LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def add_user(session, name, employee_id=None, *grants):
    """`grants`: (role, centre or None)."""
    user = User(
        login=f"{name}-{uuid.uuid4().hex[:6]}",
        name=name,
        employee_id=employee_id,
        created_at=NOW,
        updated_at=NOW,
    )
    session.add(user)
    session.flush()
    for role, centre in grants:
        session.add(
            RoleGrant(user_id=user.id, role=role, centre_id=centre, valid_from=LONG_AGO, valid_to=None)
        )
    session.flush()
    return user.id


def person(user_id, *, employee=None, roles=("butler",), centres=None):
    return Principal(str(user_id), frozenset(roles), centres, employee=employee)


@pytest.fixture
def say(session, org):
    """`say(key, …)`: tell something in the first centre."""

    def said(key, to, *, now=NOW, title="关机事件待处理", body="请在三天内说明。", kind="incident", **more):
        return tell(
            session, key=key, kind=kind, centre_id=org.centre, to=to, title=title, body=body, now=now, **more
        )

    return said


__all__ = ["NOW", "Recipients", "add_user", "person"]
