"""The layers of the allow-list: what holds where, what lies below, who may write."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.orm import Session

from app.allowlist.origins import Node, Source, explained, folded
from app.kernel.errors import Forbidden, NotFound
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import PolicyFiles, PolicyLayer, layer_versions, layers_over

SUBJECT = "allowlist"
WRITERS = ("operations",)
READERS = ("operations", "it", "lead")
Scope = Literal["district", "centre"]


@dataclass(frozen=True)
class Place:
    """Whose layer: a service centre's or a whole district's."""

    scope: Scope
    scope_id: uuid.UUID


@dataclass(frozen=True)
class LayerNow:
    """The layer that holds at a place, as it would be written today; version 0: there never was one."""

    version: int
    body: Mapping[str, Any]
    row: PolicyLayer | None


def may_write(principal: Principal, place: Place) -> bool:
    """Who writes a layer: operations of that centre; of a district only who is it in every centre of the company."""
    who = principal.narrowed(*WRITERS)
    if place.scope == "centre":
        return who.may(place.scope_id, *WRITERS)
    return who.centres is None and who.has_any(*WRITERS)


def require_writer(principal: Principal, place: Place) -> None:
    """Raise `NotFound` for a foreign centre, `Forbidden` for one that he may only read."""
    if place.scope == "centre" and not principal.sees(place.scope_id):
        raise NotFound("没有这个服务中心 / no such service centre")
    if not may_write(principal, place):
        raise Forbidden(
            "大区的名单只能由全公司的运营修改 / a district's list needs rights in all centres"
            if place.scope == "district"
            else "您在该服务中心没有这项权限 / your role in this centre may not do this"
        )


def layer_now(session: Session, principal: Principal, files: PolicyFiles, place: Place) -> LayerNow:
    versions = layer_versions(session, principal, files, SUBJECT, place.scope, place.scope_id)
    if not versions:
        return LayerNow(0, {}, None)
    return LayerNow(versions[0].version, files.renewed(SUBJECT, versions[0].body), versions[0])


def below(session: Session, files: PolicyFiles, place: Place) -> dict[str, Any]:
    """What the layer of this place lies over."""
    file = dict(files.latest(SUBJECT).body)
    if place.scope == "district":
        return file
    district, _ = layers_over(session, SUBJECT, place.scope_id)
    return file if district is None else files.stacked(SUBJECT, [district.body])


def tree_of(
    session: Session,
    files: PolicyFiles,
    centre_id: uuid.UUID,
    replaced: tuple[Place, Mapping[str, Any]] | None = None,
) -> Node:
    """Who set which value in a centre, and in which version. `replaced`: a draft's body over a layer's versions."""
    file = files.latest(SUBJECT)
    layers = []
    scopes: tuple[Scope, Scope] = ("district", "centre")
    for scope, newest in zip(scopes, layers_over(session, SUBJECT, centre_id), strict=True):
        rows = (
            [] if newest is None else layer_versions(session, SYSTEM, files, SUBJECT, scope, newest.scope_id)
        )
        versions = [
            (
                Source(scope, row.version, row.created_by, row.created_at, row.reason),
                files.renewed(SUBJECT, row.body),
            )
            for row in reversed(rows)
        ]
        if replaced is not None and replaced[0].scope == scope:
            versions.append((Source(scope, 0), files.renewed(SUBJECT, replaced[1])))
        if versions:
            layers.append(versions)
    return explained((Source("file", file.version), file.body), layers)


def tree_for(tree: Node, brand: str, model: str) -> Node:
    """The tree as it holds for one brand and model: its entries of `models` laid over, `models` itself left out."""
    brand, model = brand.strip().lower(), model.strip()
    result = folded(tree, *([brand] if brand else []), *([f"{brand}/{model}"] if brand and model else []))
    if result.children is not None and brand:
        result.children.pop("models", None)
    return result
