"""A user for each role, with a password that everybody can read. Who needs an authenticator sets it up like anybody."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.demo.people import DEMO_PASSWORD, DEMO_USERS
from app.kernel.tenancy import SYSTEM
from app.people import (
    By,
    UserInput,
    create_user,
    grant,
    set_known_password,
    user_exists,
    user_of_employee,
)
from app.registry import RESOURCES, Employee, known_id


def seed_users(session: Session, centre_code: str, now: dt.datetime) -> int:
    """Make those whose login is not taken; how many that were."""
    centre = known_id(session, RESOURCES["centres"], {"code": centre_code})
    by, made = By(SYSTEM.user, now), 0
    for login, name, role, company, number in DEMO_USERS:
        if user_exists(session, login):
            continue
        user, _ = create_user(session, UserInput(login, name, _employee(session, number)), by)
        set_known_password(session, user, DEMO_PASSWORD, now)
        grant(session, user.id, role, None if company else centre, by)
        made += 1
    return made


def seed_butler(session: Session, centre: uuid.UUID, employee_id: uuid.UUID, now: dt.datetime) -> None:
    """A login for a butler who has none, by his number: who signs for a kit has one. Rights from `now` on."""
    if user_of_employee(session, employee_id) is not None:
        return
    employee, by = session.get_one(Employee, employee_id), By(SYSTEM.user, now)
    user, _ = create_user(session, UserInput(employee.number.lower(), employee.name, employee_id), by)
    set_known_password(session, user, DEMO_PASSWORD, now)
    grant(session, user.id, "butler", centre, by)


def _employee(session: Session, number: str | None) -> uuid.UUID | None:
    return known_id(session, RESOURCES["employees"], {"number": number}) if number else None
