"""Queries over the apps of many phones, for people."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, true
from sqlalchemy.orm import Session

from app.apps.model import AppEvent, AppPackage, AppPhone, AppPresence
from app.apps.rules import BROUGHT_BACK, PUT_AWAY
from app.kernel.tenancy import Principal, within
from app.registry import District, Handset

SORTS = {
    "tag": (Handset.asset_tag,),
    "version": (AppPresence.version_code, Handset.asset_tag),
    "installer": (AppPresence.installer, Handset.asset_tag),
    "since": (AppPresence.since_at, Handset.asset_tag),
    "gone": (AppPresence.gone_at, Handset.asset_tag),
}


def _of_sight(principal: Principal, centre_id: uuid.UUID | None) -> ColumnElement[bool]:
    """Rows of phones in service that the caller sees. Whoever sees nearly all names the few others: to look up each of
    half a million rows takes four times as long.
    """
    numbers = select(AppPhone.no).join(Handset, Handset.id == AppPhone.handset_id)
    if principal.centres is None and centre_id is None:
        return AppPresence.phone_no.not_in(numbers.where(Handset.retired_at.is_not(None)))
    seen = numbers.where(Handset.retired_at.is_(None), within(principal, Handset.centre_id))
    if centre_id is not None:
        seen = seen.where(Handset.centre_id == centre_id)
    return AppPresence.phone_no.in_(seen)


def totals(session: Session, principal: Principal, centre_id: uuid.UUID | None) -> Sequence[Any]:
    """Of each package that is on a phone now: how many have it, how many rows are in other users than the first, and
    how many are not the system's own; since when it was seen, when it came newest to a phone that did not have it.
    """
    own = case((AppPresence.system.is_(True), 0), else_=1)
    arrived = case((AppPresence.since_from.is_not(None), AppPresence.since_at))
    query = (
        select(
            AppPresence.package_no,
            func.count(AppPresence.phone_no.distinct()).label("phones"),
            func.sum(case((AppPresence.user_no != 0, 1), else_=0)).label("others"),
            func.sum(own).label("own"),
            func.min(AppPresence.first_at).label("first_at"),
            func.max(arrived).label("newest_at"),
        )
        .where(AppPresence.gone_at.is_(None), _of_sight(principal, centre_id))
        .group_by(AppPresence.package_no)
        .subquery()
    )
    named = select(AppPackage.name, *query.c).join(query, query.c.package_no == AppPackage.no)
    return session.execute(named).all()


def versions(
    session: Session, principal: Principal, centre_id: uuid.UUID | None, package_nos: Collection[int]
) -> Sequence[Any]:
    """How many rows of each of these packages are of each version."""
    query = select(AppPresence.package_no, AppPresence.version_name, func.count().label("rows")).where(
        AppPresence.package_no.in_(package_nos),
        AppPresence.gone_at.is_(None),
        _of_sight(principal, centre_id),
    )
    return session.execute(query.group_by(AppPresence.package_no, AppPresence.version_name)).all()


def kinds(session: Session, principal: Principal, centre_id: uuid.UUID | None) -> Sequence[Any]:
    """Each centre with each brand and model that its phones in service tell."""
    query = (
        select(Handset.centre_id, AppPhone.brand, AppPhone.model)
        .join(AppPhone, AppPhone.handset_id == Handset.id)
        .where(Handset.retired_at.is_(None), within(principal, Handset.centre_id))
        .distinct()
    )
    return session.execute(query if centre_id is None else query.where(Handset.centre_id == centre_id)).all()


def indexed_phones(session: Session, principal: Principal, centre_id: uuid.UUID | None) -> int:
    """Phones in service whose apps were read at least once."""
    query = (
        select(func.count())
        .select_from(AppPhone)
        .join(Handset, Handset.id == AppPhone.handset_id)
        .where(
            Handset.retired_at.is_(None),
            AppPhone.baseline_at.is_not(None),
            within(principal, Handset.centre_id),
        )
    )
    return session.scalar(query if centre_id is None else query.where(Handset.centre_id == centre_id)) or 0


def carriers(
    session: Session,
    principal: Principal,
    package: str,
    *,
    gone: bool,
    text: str,
    centre_id: uuid.UUID | None,
    sort: str,
    offset: int,
    limit: int,
) -> tuple[Sequence[Any], int]:
    """The phones that carry a package, or once did, one row a user, and how many there are. Retired ones only among
    those that did.
    """
    query = (
        select(
            *AppPresence.__table__.c, Handset.id.label("handset_id"), Handset.asset_tag, Handset.centre_id,
            Handset.retired_at, AppPhone.brand, AppPhone.model,
        )
        .join(AppPhone, AppPhone.no == AppPresence.phone_no)
        .join(Handset, Handset.id == AppPhone.handset_id)
        .join(AppPackage, AppPackage.no == AppPresence.package_no)
        .where(AppPackage.name == package, within(principal, Handset.centre_id), _wanted(gone, text, centre_id))
    )  # fmt: skip
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    down = sort.startswith("-")
    keys = SORTS[sort.removeprefix("-")]
    order = [key.desc() if down else key.asc() for key in keys]
    rows = session.execute(query.order_by(*order, AppPresence.user_no).offset(offset).limit(limit))
    return rows.all(), total


def _wanted(gone: bool, text: str, centre_id: uuid.UUID | None) -> ColumnElement[bool]:
    present = and_(AppPresence.gone_at.is_(None), Handset.retired_at.is_(None))
    found = or_(AppPresence.gone_at.is_not(None), Handset.retired_at.is_not(None)) if gone else present
    if centre_id is not None:
        found = and_(found, Handset.centre_id == centre_id)
    if text:
        found = and_(
            found,
            or_(
                Handset.asset_tag.icontains(text, autoescape=True),
                Handset.serial.icontains(text, autoescape=True),
                AppPresence.version_name.icontains(text, autoescape=True),
            ),
        )
    return found


def known_package(session: Session, principal: Principal, package: str) -> bool:
    """Whether a phone that the caller sees carries it or once did."""
    query = (
        select(AppPresence.phone_no)
        .join(AppPhone, AppPhone.no == AppPresence.phone_no)
        .join(Handset, Handset.id == AppPhone.handset_id)
        .join(AppPackage, AppPackage.no == AppPresence.package_no)
        .where(AppPackage.name == package, within(principal, Handset.centre_id))
    )
    return session.scalar(query.limit(1)) is not None


def districts(session: Session, principal: Principal) -> list[tuple[uuid.UUID, str]]:
    """The districts whose layers the caller may write: all, for whoever sees all centres."""
    if principal.centres is not None:
        return []
    query = select(District.id, District.name).where(District.retired_at.is_(None)).order_by(District.code)
    return [(row.id, row.name) for row in session.execute(query)]


def switches(
    session: Session, principal: Principal, handset_id: uuid.UUID, since: dt.datetime | None, least: int
) -> Sequence[Any]:
    """Rows `(package, user_no, kind, at)`, in their order, of the apps of one phone that were brought back as often as
    `least`: of a phone that makes up apps by the thousand the others stay where they are.
    """
    mine = [AppEvent.handset_id == handset_id, within(principal, AppEvent.centre_id)]
    mine += [] if since is None else [AppEvent.at >= since]
    often = (
        select(AppEvent.package)
        .where(AppEvent.kind.in_(BROUGHT_BACK), *mine)
        .group_by(AppEvent.package, AppEvent.user_no)
        .having(func.count() >= least)
    )
    query = select(AppEvent.package, AppEvent.user_no, AppEvent.kind, AppEvent.at).where(
        AppEvent.kind.in_([*PUT_AWAY, *BROUGHT_BACK]), AppEvent.package.in_(often), *mine
    )
    return session.execute(query.order_by(AppEvent.at, AppEvent.id)).all()


def events_query(principal: Principal, handset_id: uuid.UUID, kinds: Collection[str]) -> Select[AppEvent]:
    wanted = AppEvent.kind.in_(kinds) if kinds else true()
    return select(AppEvent).where(
        AppEvent.handset_id == handset_id, within(principal, AppEvent.centre_id), wanted
    )
