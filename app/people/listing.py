"""Users as an administrator sees them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.kernel.paging import Page, SortKey, paginate
from app.people import list_store, store
from app.people.model import Deputy, RoleGrant, User

SORTS = ("name", "-name", "login", "-login")
STATES = ("active", "inactive", "any")


@dataclass(frozen=True)
class Wanted:
    """`role` and `centre_id` narrow to who holds such a role now; empty or None asks for nothing."""

    q: str = ""
    sort: str = "name"
    state: str = "active"
    role: str = ""
    centre_id: uuid.UUID | None = None


@dataclass(frozen=True)
class UserLine:
    user: User
    grants: Sequence[RoleGrant]
    employee: str | None
    seen_at: dt.datetime | None
    has_factor: bool
    must_change: bool


@dataclass(frozen=True)
class Whole:
    """One user with all that was ever granted to him and by him; newest first."""

    line: UserLine
    past: Sequence[RoleGrant]
    sent: Sequence[Deputy]
    stands_in: Sequence[Deputy]


def list_users(
    session: Session, wanted: Wanted, now: dt.datetime, *, cursor: str | None, limit: int
) -> Page[UserLine]:
    descending = wanted.sort.startswith("-")
    column = User.login if wanted.sort.lstrip("-") == "login" else User.name
    keys = [SortKey(wanted.sort.lstrip("-"), column, descending), SortKey("id", User.id, descending)]
    query = list_store.users(wanted.q, wanted.state, wanted.role, wanted.centre_id, now)
    page = paginate(session, query, keys, cursor=cursor, limit=limit)
    return Page(_lines(session, page.items, now), page.next_cursor)


def whole_user(session: Session, user: User, now: dt.datetime) -> Whole:
    (line,) = _lines(session, [user], now)
    grants = list_store.all_grants(session, user.id)
    present = {grant.id for grant in line.grants}
    deputies = list_store.all_deputies(session, user.id)
    return Whole(
        line=line,
        past=[g for g in grants if g.id not in present],
        sent=[d for d in deputies if d.user_id == user.id],
        stands_in=[d for d in deputies if d.deputy_id == user.id],
    )


def deputies(session: Session, user_id: uuid.UUID) -> Sequence[Deputy]:
    """Of him and for him, the latest first."""
    return list_store.all_deputies(session, user_id)


def centre_names(session: Session) -> dict[uuid.UUID, str]:
    return list_store.centres(session)


def user_choices(session: Session) -> dict[uuid.UUID, str]:
    """Active users, `name (login)`, by name: for choosing a deputy."""
    return {row.id: f"{row.name}（{row.login}）" for row in list_store.active_users(session)}


def user_names(session: Session) -> dict[uuid.UUID, str]:
    """Of all users, active or not."""
    return list_store.user_names(session)


def employee_choices(session: Session, keep: uuid.UUID | None) -> dict[uuid.UUID, str]:
    """Employees who have no login yet, and the one who is chosen."""
    return {row.id: f"{row.name} {row.number}" for row in list_store.employees_without_user(session, keep)}


def _lines(session: Session, users: Sequence[User], now: dt.datetime) -> list[UserLine]:
    ids = [user.id for user in users]
    grants: Mapping[uuid.UUID, list[RoleGrant]] = defaultdict(list)
    for grant in sorted(store.grants_at(session, ids, now), key=lambda g: g.role):
        grants[grant.user_id].append(grant)
    seen = list_store.last_seen(session, ids)
    employees = _employees(session, [u.employee_id for u in users if u.employee_id])
    credentials = list_store.credentials(session, ids)
    return [
        UserLine(
            user=user,
            grants=grants.get(user.id, []),
            employee=employees.get(user.employee_id) if user.employee_id else None,
            seen_at=seen.get(user.id),
            has_factor=user.id in credentials and credentials[user.id].totp_sealed is not None,
            must_change=user.id not in credentials or credentials[user.id].must_change,
        )
        for user in users
    ]


def _employees(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    return {row.id: f"{row.name} {row.number}" for row in list_store.employees(session, ids)}
