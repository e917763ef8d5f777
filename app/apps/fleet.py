"""The apps of all phones that somebody sees, as one list: narrowed, sorted, cut into pages."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.apps import fleet_store
from app.compliance import Allowlist, allowlist_for
from app.kernel.db import from_us
from app.kernel.errors import Invalid
from app.kernel.paging import Page, decode_cursor, encode_cursor
from app.kernel.tenancy import Principal
from app.labels import labels_among
from app.policy import PolicyFiles, effective_many

ALLOWLIST = "allowlist"
PLACES = ("required", "allowed", "preset", "forbidden", "unlisted")


@dataclass(frozen=True)
class FleetApp:
    """`phones` carry it; `others` counts it in users besides the first (dual spaces too); `own` how many of all that
    are no system apps. `newest_at`: it was last seen to come to a phone that did not have it, None: never seen so.
    `places` in the allow-list: several where centres or models differ. `versions`: name (None: not told) and how many.
    """

    package: str
    label: str | None
    phones: int
    others: int
    own: int
    first_at: dt.datetime
    newest_at: dt.datetime | None
    places: tuple[str, ...]
    number: int
    versions: tuple[tuple[str | None, int], ...] = ()


@dataclass(frozen=True)
class Wanted:
    """Empty and None do not narrow. `system`: also apps that on every phone are the system's own."""

    text: str = ""
    place: str | None = None
    centre_id: uuid.UUID | None = None
    system: bool = False
    sort: str = "-phones"


@dataclass(frozen=True)
class Fleet:
    """`found`: what was wanted, in order; `total`: packages at all; `phones`: those whose apps were ever read."""

    found: list[FleetApp]
    total: int
    hidden: int
    phones: int
    labels: Mapping[str, str] = field(repr=False)


SORTS: Mapping[str, Callable[[FleetApp], Any]] = {
    "name": lambda app: (app.label is None, app.label or app.package),
    "package": lambda app: app.package,
    "phones": lambda app: app.phones,
    "first": lambda app: app.first_at,
    "newest": lambda app: app.newest_at or dt.datetime.min.replace(tzinfo=dt.UTC),
}


def fleet_apps(session: Session, principal: Principal, files: PolicyFiles, wanted: Wanted) -> Fleet:
    """Every package on the phones in service that the caller sees, without `versions` (`with_versions`)."""
    kinds = fleet_store.kinds(session, principal, wanted.centre_id)
    centres = {kind.centre_id for kind in kinds}
    labels = labels_among(session, files, centres)
    lists = _lists(session, files, kinds)
    rows = fleet_store.totals(session, principal, wanted.centre_id)
    everything = [_app(row, labels, lists) for row in rows]
    shown = [app for app in everything if wanted.system or app.own or "forbidden" in app.places]
    found = [app for app in shown if _is_wanted(app, wanted)]
    key = SORTS[wanted.sort.removeprefix("-")]
    found.sort(key=lambda app: app.package)
    found.sort(key=key, reverse=wanted.sort.startswith("-"))
    phones = fleet_store.indexed_phones(session, principal, wanted.centre_id)
    return Fleet(found, len(everything), len(everything) - len(shown), phones, labels)


def with_versions(
    session: Session, principal: Principal, wanted: Wanted, apps: Sequence[FleetApp]
) -> list[FleetApp]:
    """The same with how many are of each version, the commonest first."""
    told: dict[int, list[tuple[str | None, int]]] = {}
    numbers = [app.number for app in apps]
    for row in fleet_store.versions(session, principal, wanted.centre_id, numbers):
        told.setdefault(row.package_no, []).append((row.version_name, row.rows))
    return [
        replace(app, versions=tuple(sorted(told.get(app.number, []), key=lambda v: (-v[1], v[0] or ""))))
        for app in apps
    ]


def _lists(session: Session, files: PolicyFiles, kinds: Sequence[Row[Any]]) -> list[Allowlist]:
    """The allow-lists that hold for these kinds of phones, each once."""
    policies = effective_many(session, files, ALLOWLIST, {kind.centre_id for kind in kinds})
    found = {}
    for kind in kinds:
        allowlist = allowlist_for(policies[kind.centre_id], kind.brand, kind.model)
        found[id(allowlist)] = allowlist
    return list({tuple(sorted(one.places.items())): one for one in found.values()}.values())


def _app(row: Row[Any], labels: Mapping[str, str], lists: Sequence[Allowlist]) -> FleetApp:
    places = {allowlist.place_of(row.name) for allowlist in lists} or {"unlisted"}
    return FleetApp(
        package=row.name,
        label=labels.get(row.name),
        phones=row.phones,
        others=int(row.others),
        own=int(row.own),
        first_at=_instant(row.first_at),
        newest_at=None if row.newest_at is None else _instant(row.newest_at),
        places=tuple(place for place in PLACES if place in places),
        number=row.package_no,
    )


def _instant(value: dt.datetime | int) -> dt.datetime:
    """An aggregate of an expression comes as the database has it."""
    return from_us(value) if isinstance(value, int) else value


def _is_wanted(app: FleetApp, wanted: Wanted) -> bool:
    if wanted.place is not None and wanted.place not in app.places:
        return False
    text = wanted.text.casefold()
    return not text or text in f"{app.label or ''}\0{app.package}".casefold()


def page_of(found: Sequence[FleetApp], wanted: Wanted, cursor: str | None, limit: int) -> Page[FleetApp]:
    """One page, told by how many came before: the list is made anew for each."""
    order = f"{wanted.sort}\0apps"
    start = 0
    if cursor:
        text = decode_cursor(cursor, order, 1)[0] or ""
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise Invalid("the cursor is damaged: start again without it", code="bad_cursor")
        start = int(text)
    items = list(found[start : start + limit])
    more = start + limit < len(found)
    return Page(items, encode_cursor(order, [start + limit]) if more else None)
