"""Lists, imports and exports for people."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, flash, render_template, request

from app.http.access import STAFF, access
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.pages import page_now, see_other
from app.kernel.db import db
from app.kernel.errors import DomainError, NotFound
from app.kernel.ids import parse_id
from app.registry import forms, import_service, listing, store, views
from app.registry.catalogue import CENTRES, HANDSETS, PERSONAL, RESOURCES
from app.registry.columns import sheet_fields
from app.registry.custody import Custody, holders_of
from app.registry.exporting import hint
from app.registry.file_api import (
    FORMATS,
    WRITERS,
    apply_import,
    export_response,
    problems_response,
    take_upload,
    template_response,
)
from app.registry.listing import Query
from app.registry.resource import Field, Resource

registry_pages = Blueprint("registry_pages", __name__)
_PAGE = 50
_CENTRES = 200
_PROBLEMS_SHOWN = 500
_STATE_WORDS = {"active": "在用", "retired": "已停用", "valid": "有效", "voided": "已作废", "any": "全部"}


@registry_pages.get("/registry")
@access(*STAFF)
def overview() -> str:
    return render_template("registry/overview.html", counts=views.counts(db.session(), current_principal()))


@registry_pages.get("/registry/<name>")
@access(*STAFF)
def list_page(name: str) -> str:
    resource, session, who = _resource(name), db.session(), current_principal()
    query = _query(resource)
    page = listing.list_rows(
        session, who, resource, query, cursor=request.args.get("cursor") or None, limit=_PAGE
    )
    if name in PERSONAL:
        note_reading(name, filters=request.args.to_dict(), count=len(page.items))
    centres = listing.list_rows(session, who, CENTRES, Query(), cursor=None, limit=_CENTRES).items
    return render_template(
        "registry/list.html",
        resource=resource,
        fields=views.listed_fields(resource),
        holders=_holders(resource, page.items),
        lines=views.lines(session, resource, page.items),
        next_cursor=page.next_cursor,
        query=query,
        sort=query.sort or resource.order[0],
        centre=query.filters.get("centre_id"),
        centres=centres if resource.has_centre else [],
        narrowed=_narrowed(resource, query),
        posts=_posts(resource, query),
        now=page_now(),
        states=[(state, _STATE_WORDS[state]) for state in listing.states(resource)],
    )


@registry_pages.get("/registry/<name>/export.<file_format>")
@access(*STAFF)
def export_page(name: str, file_format: str) -> Response:
    """The list as the page shows it, all of its pages."""
    resource = _resource(name)
    query = _query(resource)
    args = {"q": query.q, "sort": query.sort, "state": query.state, **query.filters}
    return export_response(resource, {**args, "format": _format(file_format)})


@registry_pages.get("/registry/<name>/template.<file_format>")
@access(*STAFF)
def template_page(name: str, file_format: str) -> Response:
    return template_response(_resource(name), _format(file_format))


@registry_pages.get("/registry/import")
@access(*WRITERS)
def import_page() -> str:
    chosen = RESOURCES.get(request.args.get("resource", ""), RESOURCES["handsets"])
    return render_template(
        "registry/import.html",
        resources=list(RESOURCES.values()),
        chosen=chosen,
        fields=[(f, hint(f)) for f in sheet_fields(chosen)],
    )


@registry_pages.post("/registry/import")
@access(*WRITERS, late_transaction=True)
def upload_page() -> Response:
    """Try the file and show what it would do."""
    resource = _resource(request.form.get("resource", ""))
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        flash("请先选择一个文件。", "warning")
        return see_other(f"/registry/import?resource={resource.name}")
    try:
        row = take_upload(resource, upload)
    except DomainError as exc:
        # Nothing is written by then: a dry run is rolled back before its refusal gets here.
        flash(exc.detail, "bad")
        return see_other(f"/registry/import?resource={resource.name}")
    return see_other(f"/registry/imports/{row.id}")


@registry_pages.get("/registry/imports/<uuid:import_id>")
@access(*WRITERS)
def outcome_page(import_id: uuid.UUID) -> str:
    row = import_service.find_import(db.session(), current_principal(), import_id)
    return render_template(
        "registry/outcome.html",
        row=row,
        outcome=row.outcome,
        resource=RESOURCES[row.resource],
        shown=_PROBLEMS_SHOWN,
    )


@registry_pages.get("/registry/imports/<uuid:import_id>/problems.csv")
@access(*WRITERS)
def problems_page(import_id: uuid.UUID) -> Response:
    row = import_service.find_import(db.session(), current_principal(), import_id)
    return problems_response(row.outcome["problems"])


@registry_pages.post("/registry/imports/<uuid:import_id>/apply")
@access(*WRITERS, late_transaction=True)
def apply_page(import_id: uuid.UUID) -> Response:
    """Import for good. A refusal must reach the error handler: only that rolls back what was written before it."""
    row = apply_import(import_id)
    outcome: dict[str, Any] = row.outcome
    flash(f"已导入：新增 {outcome['created']} 条，修改 {outcome['changed']} 条。", "success")
    return see_other(f"/registry/imports/{row.id}")


def _holders(resource: Resource, rows: Sequence[Any]) -> dict[uuid.UUID, Custody] | None:
    """For phones: who has them now. None for anything else."""
    if resource is not HANDSETS:
        return None
    return holders_of(db.session(), current_principal(), [row.id for row in rows], page_now())


def _narrowed(resource: Resource, query: Query) -> list[tuple[Field, uuid.UUID, str]]:
    """By which things the list is narrowed, beside the centre: (field, id, name)."""
    session, who, fields = db.session(), current_principal(), resource.by_name
    found = []
    for name, row_id in query.filters.items():
        target = RESOURCES[fields[name].target]
        if name != "centre_id" and store.find(session, target, who, row_id) is not None:
            found.append((fields[name], row_id, forms.label_of(session, target, row_id)))
    return found


def _posts(resource: Resource, query: Query) -> Sequence[tuple[str, str]]:
    """The posts that a list of ties offers to choose from; none where there are too many."""
    if not resource.tie:
        return ()
    made = forms.Controls(db.session(), current_principal(), query.filters.get("centre_id"))
    return made.choices(resource.by_name["post_id"], query.filters.get("post_id")) or ()


def _resource(name: str) -> Resource:
    if name not in RESOURCES:
        raise NotFound("没有这种档案 / no such resource")
    return RESOURCES[name]


def _format(text: str) -> str:
    if text not in FORMATS:
        raise NotFound("只有 xlsx 和 csv / only xlsx and csv")
    return text


def _query(resource: Resource) -> Query:
    """What the address asks for; what makes no sense there is as if it were not there."""
    args = request.args
    words = "".join(c for c in args.get("q", "") if c.isprintable())[:100]
    sort = args.get("sort", "")
    state = args.get("state", "")
    wanted = {f.name: args.get(f.name, "") for f in resource.fields if f.filter and f.target}
    if resource.has_centre:
        wanted["centre_id"] = args.get("centre", "")
    return Query(
        filters={name: row_id for name, text in wanted.items() if (row_id := parse_id(text))},
        q=words.strip() if any(f.search for f in resource.fields) else "",
        sort=sort if sort in listing.sorts(resource) else "",
        state=state if state in listing.states(resource) else "",
    )
