"""Tell people something, once. What leaves the house follows from it in the scheduler (`spread`, `sending`)."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.kernel import outbox
from app.kernel.texts import one_line
from app.notify import store
from app.notify.rules import block
from app.people import user_of_employee, users_with

SPREAD = "notice.spread"
"""Topic of the outbox: a notice whose mails and messages are still to be made."""
MAX_TITLE = 200


@dataclass(frozen=True)
class Recipients:
    """Who is told: employees, users, everybody with one of the roles in the notice's centre.

    `group`: the centre's robots count it, by kind alone.
    """

    employees: tuple[uuid.UUID, ...] = ()
    users: tuple[uuid.UUID, ...] = ()
    roles: tuple[str, ...] = ()
    group: bool = False


def tell(
    session: Session,
    *,
    key: str,
    kind: str,
    centre_id: uuid.UUID,
    to: Recipients,
    title: str,
    body: str,
    link: str | None = None,
    urgent: bool = False,
    now: dt.datetime,
) -> bool:
    """Put a notice in the inbox of each person, and ask for it to be sent; False when this key was told before.

    `title` is one line that may leave by SMS; `link` a path on this server; `urgent` passes the quiet hours. Who is to
    be told for several reasons is told once. Part of the caller's transaction. Internal: the caller checked rights.
    """
    notice_id = store.insert_notice(
        session, key=key, kind=kind, centre_id=centre_id, title=one_line(title, MAX_TITLE), body=block(body),
        link=link, urgent=urgent, in_group=to.group, created_at=now,
    )  # fmt: skip
    if notice_id is None:
        return False
    store.insert_copies(session, notice_id, centre_id, _people(session, centre_id, to, now), now)
    body_of = {"notice_id": str(notice_id)}
    outbox.post(session, key=f"notice:{notice_id}", topic=SPREAD, body=body_of, centre_id=centre_id, now=now)
    return True


def _people(
    session: Session, centre_id: uuid.UUID, to: Recipients, now: dt.datetime
) -> list[tuple[uuid.UUID | None, uuid.UUID | None]]:
    """Each person once, as (user, employee), of which one may be None."""
    employees = dict.fromkeys(to.employees)
    found = {user: employee for employee in employees if (user := user_of_employee(session, employee))}
    people: dict[tuple[uuid.UUID | None, uuid.UUID | None], None] = {}
    users_of = {employee: user for user, employee in found.items()}
    for employee in employees:
        people[users_of.get(employee), employee] = None
    named = [*to.users, *(users_with(session, centre_id, *to.roles, at=now) if to.roles else ())]
    for user in named:
        if user not in found:
            people[user, None] = None
    return list(people)
