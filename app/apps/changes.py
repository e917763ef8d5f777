"""What changed on one phone, and which phones carry one app, as pages and the API show it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy.orm import Session

from app.apps import fleet_store
from app.apps.fleet import ALLOWLIST
from app.apps.model import AppEvent
from app.apps.rules import AGAIN, Kind, came_back
from app.apps.words import GROUPS, detail_of, installer_word, subject_of, user_word
from app.compliance import allowlist_for
from app.kernel.errors import NotFound
from app.kernel.paging import Page, SortKey, paginate
from app.kernel.tenancy import Principal
from app.labels import labels_for, name_of
from app.policy import PolicyFiles, effective_many
from app.registry import find_handset, live_centres


@dataclass(frozen=True)
class ChangeView:
    """It was so at `at` and not yet at `not_before`; None: no reading was before."""

    kind: Kind
    at: dt.datetime
    not_before: dt.datetime | None
    user: int | None
    package: str | None
    subject: str
    title: str
    where: str
    detail: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Carrier:
    """One user of one phone that has an app, or had it (`gone_at`). `place` in that phone's own allow-list."""

    handset_id: uuid.UUID
    asset_tag: str
    centre_id: uuid.UUID
    centre_name: str
    user: int
    where: str
    version_name: str | None
    version_code: int | None
    installer: str | None
    source: str
    system: bool | None
    enabled: bool | None
    suspended: bool | None
    place: str
    since_from: dt.datetime | None
    since_at: dt.datetime
    changed_at: dt.datetime
    unseen_at: dt.datetime | None
    gone_from: dt.datetime | None
    gone_at: dt.datetime | None
    retired_at: dt.datetime | None


def list_phone_changes(
    session: Session,
    principal: Principal,
    files: PolicyFiles,
    handset_id: uuid.UUID,
    *,
    since: dt.datetime | None = None,
    group: str | None = None,
    cursor: str | None,
    limit: int,
) -> Page[ChangeView]:
    """What a phone's readings showed since, the newest first; `group` as in `words.GROUPS`. Raise `NotFound` for a
    phone that the caller cannot see.
    """
    phone = find_handset(session, principal, handset_id)
    kinds = GROUPS[group][1] if group is not None else ()
    query = fleet_store.events_query(principal, handset_id, kinds)
    if since is not None:
        query = query.where(AppEvent.at >= since)
    keys = [SortKey("at", AppEvent.at, descending=True), SortKey("id", AppEvent.id, descending=True)]
    page = paginate(session, query, keys, cursor=cursor, limit=limit)
    labels = labels_for(session, files, phone.centre_id)
    return Page([_change(row, labels) for row in page.items], page.next_cursor)


@dataclass(frozen=True)
class HiddenAgain:
    """An app in one user of a phone that was put away (removed, disabled, suspended) and brought back so many `times`,
    as readings saw it. `at`: the last of these changes.
    """

    package: str
    title: str
    where: str
    times: int
    at: dt.datetime


def hidden_again(
    session: Session,
    principal: Principal,
    files: PolicyFiles,
    handset_id: uuid.UUID,
    since: dt.datetime | None,
) -> list[HiddenAgain]:
    """The most often first. Raise `NotFound` for a phone that the caller cannot see."""
    phone = find_handset(session, principal, handset_id)
    rows: dict[tuple[str, int], list[Any]] = {}
    for row in fleet_store.switches(session, principal, handset_id, since, AGAIN):
        rows.setdefault((row.package, row.user_no), []).append(row)
    times = {key: came_back(row.kind for row in of_app) for key, of_app in rows.items()}
    labels = labels_for(session, files, phone.centre_id)
    return [
        HiddenAgain(name, name_of(name, labels), user_word(user), times[name, user], rows[name, user][-1].at)
        for name, user in sorted(rows, key=lambda key: (-times[key], key))
        if times[name, user] >= AGAIN
    ]


def _change(row: AppEvent, labels: Mapping[str, str]) -> ChangeView:
    kind, told = Kind(row.kind), orjson.loads(row.detail)
    before, after = told["before"], told["after"]
    return ChangeView(
        kind=kind,
        at=row.at,
        not_before=row.not_before,
        user=row.user_no,
        package=row.package,
        subject=row.subject,
        title=subject_of(kind, row.package, row.subject, row.user_no, labels),
        where=user_word(row.user_no) if row.package or row.subject else "",
        detail=detail_of(kind, row.subject, before, after, labels),
        before=before,
        after=after,
    )


def list_carriers(
    session: Session,
    principal: Principal,
    files: PolicyFiles,
    package: str,
    *,
    gone: bool = False,
    text: str = "",
    centre_id: uuid.UUID | None = None,
    sort: str = "tag",
    offset: int = 0,
    limit: int,
) -> tuple[list[Carrier], int]:
    """The phones that carry an app (`gone`: those that did), and how many rows there are in all."""
    rows, total = fleet_store.carriers(
        session, principal, package,
        gone=gone, text=text, centre_id=centre_id, sort=sort, offset=offset, limit=limit,
    )  # fmt: skip
    names = dict(live_centres(session, principal))
    policies = effective_many(session, files, ALLOWLIST, {row.centre_id for row in rows})
    labels = labels_for(session, files, centre_id)
    found = []
    for row in rows:
        place = allowlist_for(policies[row.centre_id], row.brand, row.model).place_of(package)
        found.append(_carrier(row, names.get(row.centre_id, ""), place, labels))
    return found, total


def _carrier(row: Any, centre_name: str, place: str, labels: Mapping[str, str]) -> Carrier:
    return Carrier(
        handset_id=row.handset_id,
        asset_tag=row.asset_tag,
        centre_id=row.centre_id,
        centre_name=centre_name,
        user=row.user_no,
        where=user_word(row.user_no),
        version_name=row.version_name,
        version_code=row.version_code,
        installer=row.installer,
        source=installer_word(row.installer, row.system, labels),
        system=row.system,
        enabled=row.enabled,
        suspended=row.suspended,
        place=place,
        since_from=row.since_from,
        since_at=row.since_at,
        changed_at=row.changed_at,
        unseen_at=row.unseen_at,
        gone_from=row.gone_from,
        gone_at=row.gone_at,
        retired_at=row.retired_at,
    )


def require_package(session: Session, principal: Principal, package: str) -> None:
    """Raise `NotFound` for what no phone that the caller sees carries or once did."""
    if not fleet_store.known_package(session, principal, package):
        raise NotFound(
            "您的服务中心没有手机装过这个应用 / no phone in your centres carries or carried this app"
        )


def scopes(session: Session, principal: Principal) -> Sequence[tuple[str, str]]:
    """Where the caller may name an app: `centre:UUID` or `district:UUID`, and what it is called; the widest first."""
    places = [
        (f"district:{key}", f"{name}（全大区）") for key, name in fleet_store.districts(session, principal)
    ]
    return [*places, *((f"centre:{key}", name) for key, name in live_centres(session, principal))]
