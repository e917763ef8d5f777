"""Who a user is at an instant, and who holds a role."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy.orm import Session

from app.kernel.errors import NotFound
from app.kernel.ids import parse_id
from app.kernel.tenancy import Principal
from app.people import store
from app.people.rules import Right, effective_rights, fixed_name

_NAMED = 100


def principal_of(session: Session, user_id: uuid.UUID, instant: dt.datetime) -> Principal:
    """Roles and centres of a user at an instant, deputies included. Raise `NotFound` for an unknown or inactive user.

    `roles` and `centres` are those of all his rights together; `rights` tell which role he has where.
    """
    user = store.find_user(session, user_id)
    if user is None or not user.active:
        raise NotFound("没有这个用户，或已停用 / no such user, or no longer active")
    return make_principal(user_id, user.employee_id, rights_of(session, user_id, instant))


def make_principal(user_id: uuid.UUID, employee_id: uuid.UUID | None, rights: Collection[Right]) -> Principal:
    centres = {r.centre for r in rights}
    return Principal(
        user=str(user_id),
        roles=frozenset(r.role for r in rights),
        centres=None if None in centres else frozenset(c for c in centres if c is not None),
        employee=employee_id,
        rights=frozenset((r.role, r.centre) for r in rights),
    )


def rights_of(session: Session, user_id: uuid.UUID, instant: dt.datetime) -> frozenset[Right]:
    """What a user may do where: what was granted to him, and what those hold for whom he stands in."""
    deputies = store.deputised_at(session, user_id, instant)
    grants = store.grants_at(session, [user_id, *{d.user_id for d in deputies}], instant)
    rights = {Right(g.role, g.centre_id) for g in grants if g.user_id == user_id}
    for absent in {d.user_id for d in deputies}:
        lent = [Right(d.role, d.centre_id) for d in deputies if d.user_id == absent]
        has = [Right(g.role, g.centre_id) for g in grants if g.user_id == absent]
        rights |= effective_rights((), lent, has)
    return frozenset(rights)


def names_of(session: Session, actors: Collection[str]) -> dict[str, str]:
    """The words to show for each `Principal.user`: a person's name, 系统, 应急令牌, 网关 ….

    An actor that nobody knows any more is shown as it was written.
    """
    ids = {actor: found for actor in set(actors) if (found := parse_id(actor)) is not None}
    people = store.names(session, ids.values()) if ids else {}
    return {actor: people.get(ids[actor], actor) if actor in ids else fixed_name(actor) for actor in actors}


def actors_named(session: Session, words: str) -> list[str]:
    """`Principal.user` of those whose name holds these words, or whose login they are; at most a hundred."""
    return [str(found) for found in store.ids_named(session, words, _NAMED)]


def actor_of_login(session: Session, login: str) -> str:
    """`Principal.user` of who signs in by this name, `unknown` for nobody."""
    user = store.user_by_login(session, login)
    return "unknown" if user is None else str(user.id)


def users_with(session: Session, centre_id: uuid.UUID, *roles: str, at: dt.datetime) -> list[uuid.UUID]:
    """Active users who hold one of the roles in this centre at that instant, deputies included, by name.

    The admin is none of them unless `admin` is asked for.
    """
    found = store.perhaps_with(session, centre_id, roles, at)
    wanted = {Right(role, centre) for role in roles for centre in (centre_id, None)}
    return [user_id for user_id in found if not wanted.isdisjoint(rights_of(session, user_id, at))]


def user_of_employee(session: Session, employee_id: uuid.UUID) -> uuid.UUID | None:
    """The active user who is this employee, None when he has none."""
    return store.user_of_employee(session, employee_id)
