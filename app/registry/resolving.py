"""From the texts by which a sheet names things (codes, serials, numbers) to the things, many at a time."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from app.registry import store, tie_store
from app.registry.catalogue import RESOURCES, WECHAT_ACCOUNTS
from app.registry.references import References
from app.registry.resource import Field, Resource


class NamedRow(Protocol):
    number: int
    cells: dict[str, Any]
    bad: set[str]


R = TypeVar("R", bound=NamedRow)


def resolve(
    references: References, resource: Resource, rows: Sequence[R]
) -> Iterator[tuple[R, str, str, str]]:
    """Replace the texts of references by ids; yields (row, field, code, message) for what names nothing."""
    fields = [f for f in resource.fields if f.target]
    # The centre first: codes of grids and posts are unique only within one.
    for described in sorted(fields, key=lambda f: f.name != "centre_id"):
        yield from _resolve_field(references, described, rows)
    if resource is WECHAT_ACCOUNTS:
        for row in rows:
            centre = _centre(references, row)
            if centre is not None:
                row.cells["district_id"] = centre.district_id


def _resolve_field(
    references: References, described: Field, rows: Sequence[R]
) -> Iterator[tuple[R, str, str, str]]:
    target = RESOURCES[described.target]
    wanted: dict[tuple[Any, ...], list[R]] = defaultdict(list)
    for row in rows:
        text = row.cells.get(described.name)
        if text is None or isinstance(text, uuid.UUID):
            continue
        try:
            wanted[
                (*_prefix(references, target, row), target.by_name[target.key[-1]].kind.parse(text))
            ].append(row)
        except ValueError as exc:
            yield row, described.name, "invalid", str(exc)
    found = references.by_key(target.name, [k for k in wanted if None not in k])
    references.load(target.name, found.values())
    for key, claims in wanted.items():
        row_id = found.get(key)
        visible = row_id is not None and references.get(target.name, row_id) is not None
        for row in claims:
            row.cells[described.name] = row_id if visible else None
            if not visible:
                message = f"找不到{target.label}“{key[-1]}” / no such {target.subject}"
                yield row, described.name, "not_found", message


def _prefix(references: References, target: Resource, row: NamedRow) -> tuple[Any, ...]:
    """The part of a target's key that a sheet does not write: the centre, or its district."""
    if len(target.key) == 1:
        return ()
    centre = _centre(references, row)
    if centre is None:
        return (None,)
    return (centre.district_id,) if target.key[0] == "district_id" else (centre.id,)


def _centre(references: References, row: NamedRow) -> Any:
    centre_id = row.cells.get("centre_id")
    return references.get("centres", centre_id) if isinstance(centre_id, uuid.UUID) else None


def stored_rows(
    references: References, resource: Resource, rows: Sequence[NamedRow]
) -> dict[int, Mapping[str, Any]]:
    """The stored row that each sheet row names by its key, by row number."""
    session = references.session
    keys: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for row in rows:
        key = tuple(row.cells.get(name) for name in resource.key)
        if resource.tie or None not in key:
            keys[key].append(row.number)
    if resource.tie:
        owners = tie_store.by_key(session, resource, list(keys))
    else:
        owners = store.owners(session, resource, resource.key, list(keys))
    values = store.load_values(session, resource, set(owners.values()))
    return {number: values[owner] for key, owner in owners.items() for number in keys[key]}
