"""The registry's JSON API: the same routes for every resource of the catalogue."""

from __future__ import annotations

import uuid
from typing import Any

from app.http.access import STAFF, access
from app.http.api import API_PREFIX, Blueprint, etag, expected_version
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.kernel.db import db
from app.registry import service, tie_service
from app.registry.catalogue import PERSONAL, RESOURCES
from app.registry.custody import history_of, holder_of
from app.registry.handsets import find_handset
from app.registry.listing import Query, list_rows
from app.registry.resource import Resource
from app.registry.schemas import (
    ActSchema,
    AtArgs,
    CustodyAtSchema,
    CustodyHistorySchema,
    Schemas,
    VoidSchema,
    schemas_of,
)
from app.runtime import runtime

registry_api = Blueprint("registry", __name__, url_prefix=API_PREFIX, description="档案 / The registry")


def hang(resource: Resource) -> None:
    """Hang up the routes of one resource."""
    schemas = schemas_of(resource)
    _reading(resource, schemas)
    _creating(resource, schemas)
    if resource.tie:
        _act(resource, schemas, "end", tie_service.end_tie, ActSchema)
        _act(resource, schemas, "void", tie_service.void_tie, VoidSchema)
    else:
        _changing(resource, schemas)
        _act(resource, schemas, "retire", service.retire, ActSchema)
        _act(resource, schemas, "reinstate", service.reinstate, VoidSchema)


def query_of(resource: Resource, args: dict[str, Any]) -> Query:
    """A list's query from its checked arguments."""
    names = {f.name for f in resource.fields if f.filter}
    return Query(
        filters={name: value for name, value in args.items() if name in names},
        q=args.get("q", ""),
        sort=args.get("sort", ""),
        state=args.get("state", ""),
        at=args.get("at"),
    )


def _reading(resource: Resource, schemas: Schemas) -> None:
    @registry_api.route(f"/{resource.name}", methods=["GET"], endpoint=f"{resource.subject}_list")
    @access(*STAFF)
    @registry_api.doc(summary=f"{resource.label}列表 / List, filter and search.")
    @registry_api.arguments(schemas.query, location="query")
    @registry_api.response(200, schemas.page)
    def list_view(args: dict[str, Any]) -> Any:
        page = list_rows(
            db.session(),
            current_principal(),
            resource,
            query_of(resource, args),
            cursor=args["cursor"],
            limit=args["limit"],
        )
        if resource.name in PERSONAL:
            note_reading(resource.name, filters=args, count=len(page.items))
        return page

    @registry_api.route(
        f"/{resource.name}/<uuid:row_id>", methods=["GET"], endpoint=f"{resource.subject}_get"
    )
    @access(*STAFF)
    @registry_api.doc(summary=f"{resource.label} / Read one.")
    @registry_api.response(200, schemas.item)
    def get_view(row_id: uuid.UUID) -> Any:
        row = service.get(db.session(), current_principal(), resource, row_id)
        return row, 200, {"ETag": etag(row.version)}


def _creating(resource: Resource, schemas: Schemas) -> None:
    create = tie_service.tie if resource.tie else service.create

    @registry_api.route(f"/{resource.name}", methods=["POST"], endpoint=f"{resource.subject}_create")
    @access(*resource.writers)
    @registry_api.doc(summary=f"新增{resource.label} / Create one.")
    @registry_api.arguments(schemas.create)
    @registry_api.response(201, schemas.item)
    def create_view(values: dict[str, Any]) -> Any:
        row = create(db.session(), current_principal(), resource, values, runtime().clock.now())
        location = f"{API_PREFIX}/{resource.name}/{row.id}"
        return row, 201, {"ETag": etag(row.version), "Location": location}


def _changing(resource: Resource, schemas: Schemas) -> None:
    @registry_api.route(
        f"/{resource.name}/<uuid:row_id>", methods=["PATCH"], endpoint=f"{resource.subject}_change"
    )
    @access(*resource.writers, if_match=True)
    @registry_api.doc(summary=f"修改{resource.label} / Change some fields.")
    @registry_api.arguments(schemas.change)
    @registry_api.response(200, schemas.item)
    def change_view(values: dict[str, Any], row_id: uuid.UUID) -> Any:
        row = service.change(
            db.session(),
            current_principal(),
            resource,
            row_id,
            expected_version(),
            values,
            runtime().clock.now(),
        )
        return row, 200, {"ETag": etag(row.version)}


def _act(resource: Resource, schemas: Schemas, verb: str, act: Any, body: Any) -> None:
    @registry_api.route(
        f"/{resource.name}/<uuid:row_id>/{verb}", methods=["POST"], endpoint=f"{resource.subject}_{verb}"
    )
    @access(*resource.writers, if_match=True)
    @registry_api.doc(summary=f"{resource.label}: {verb}")
    @registry_api.arguments(body)
    @registry_api.response(200, schemas.item)
    def act_view(args: dict[str, Any], row_id: uuid.UUID) -> Any:
        now = runtime().clock.now()
        row = act(db.session(), current_principal(), resource, row_id, expected_version(), now, **args)
        return row, 200, {"ETag": etag(row.version)}


@registry_api.route("/handsets/<uuid:row_id>/custody", methods=["GET"])
@access(*STAFF)
@registry_api.arguments(AtArgs, location="query")
@registry_api.response(200, CustodyAtSchema)
def custody_view(args: dict[str, Any], row_id: uuid.UUID) -> Any:
    """某时刻由谁保管 / Who held this phone at an instant."""
    session, principal = db.session(), current_principal()
    at = args["at"] or runtime().clock.now()
    find_handset(session, principal, row_id)
    return {"at": at, "custody": holder_of(session, principal, row_id, at)}


@registry_api.route("/handsets/<uuid:row_id>/custody/history", methods=["GET"])
@access(*STAFF)
@registry_api.response(200, CustodyHistorySchema)
def custody_history_view(row_id: uuid.UUID) -> Any:
    """历任保管 / Every stretch of custody, oldest first."""
    session, principal = db.session(), current_principal()
    find_handset(session, principal, row_id)
    return {"items": history_of(session, principal, row_id)}


for _resource in RESOURCES.values():
    hang(_resource)
