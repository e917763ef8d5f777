"""Imports, exports and templates over the JSON API."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Response
from flask_smorest.fields import Upload
from marshmallow import Schema
from marshmallow import fields as ma
from marshmallow.validate import OneOf

from app.http.access import STAFF, access
from app.http.api import API_PREFIX, Blueprint, StrictSchema
from app.http.fields import Instant
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.transaction import open_write
from app.kernel.db import db
from app.registry import exporting, import_service
from app.registry.api import query_of
from app.registry.catalogue import RESOURCES
from app.registry.resource import Resource
from app.registry.schemas import query_fields
from app.runtime import runtime

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS = ("xlsx", "csv")
CSV = "text/csv"
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_FILE = {200: {"content": {XLSX: _BYTES, CSV: _BYTES}}}

files_api = Blueprint(
    "registry_files", __name__, url_prefix=API_PREFIX, description="导入导出 / Import and export"
)
WRITERS = tuple(sorted({role for r in RESOURCES.values() for role in r.writers}))


class CellProblemSchema(Schema):
    row = ma.Integer(metadata={"description": "as the spreadsheet numbers it"})
    column = ma.String(metadata={"description": "letter and heading; empty: the whole row"})
    code = ma.String()
    message = ma.String()


class CellChangeSchema(Schema):
    row = ma.Integer()
    column = ma.String()
    before = ma.String()
    after = ma.String()


class OutcomeSchema(Schema):
    """`problems` are the first 10,000 of `problem_count`; `changes` the first 500."""

    sheet = ma.String()
    rows = ma.Integer()
    created = ma.Integer()
    changed = ma.Integer()
    unchanged = ma.Integer()
    problem_count = ma.Integer()
    problems = ma.List(ma.Nested(CellProblemSchema))
    changes = ma.List(ma.Nested(CellChangeSchema))


class ImportSchema(Schema):
    """A file put up for import. `applied_at` is null until it is applied."""

    id = ma.UUID()
    resource = ma.String()
    file_name = ma.String()
    sha256 = ma.String()
    created_at = Instant()
    applied_at = Instant(allow_none=True)
    outcome = ma.Nested(OutcomeSchema)


class UploadForm(StrictSchema):
    resource = ma.String(required=True, validate=OneOf(list(RESOURCES)))


class UploadFiles(StrictSchema):
    file = Upload(required=True)


class NoBody(StrictSchema):
    pass


@files_api.route("/imports", methods=["POST"])
@access(*WRITERS, late_transaction=True)
@files_api.arguments(UploadForm, location="form", unknown="exclude")
@files_api.arguments(UploadFiles, location="files")
@files_api.response(201, ImportSchema)
def import_view(form: dict[str, Any], files: dict[str, Any]) -> Any:
    """上传并试运行 / Upload a file and try it: nothing is imported yet."""
    row = take_upload(RESOURCES[form["resource"]], files["file"])
    return row, 201, {"Location": f"{API_PREFIX}/imports/{row.id}"}


def take_upload(resource: Resource, upload: Any) -> Any:
    """Read the whole file first, then open the transaction: a slow sender must not hold the only write lock."""
    data = upload.read()
    name, sheet = import_service.read_upload(upload.filename or "", data)
    session = open_write()
    now = runtime().clock.now()
    return import_service.put_up(session, current_principal(), resource, name, sheet, data, now)


@files_api.route("/imports/<uuid:import_id>", methods=["GET"])
@access(*WRITERS)
@files_api.response(200, ImportSchema)
def import_get_view(import_id: uuid.UUID) -> Any:
    """试运行结果 / What an import did, or would do."""
    return import_service.find_import(db.session(), current_principal(), import_id)


@files_api.route("/imports/<uuid:import_id>/apply", methods=["POST"])
@access(*WRITERS, late_transaction=True)
@files_api.arguments(NoBody, required=False)
@files_api.response(200, ImportSchema)
def import_apply_view(_body: dict[str, Any], import_id: uuid.UUID) -> Any:
    """确认导入：全部成功或全部不导入 / Import all of it, or nothing."""
    return apply_import(import_id)


def apply_import(import_id: uuid.UUID) -> Any:
    """Read the kept file first: check-ins must not wait for the write lock while it is parsed."""
    session, principal = db.session(), current_principal()
    sheet = import_service.kept_sheet(session, principal, import_id)
    session.rollback()  # a write transaction must be one from its first statement
    return import_service.apply(open_write(), principal, import_id, sheet, runtime().clock.now())


def hang_files(resource: Resource) -> None:
    """Hang up the export and the template of one resource."""
    stem = "".join(part.capitalize() for part in resource.subject.split("_"))
    members = {"format": ma.String(load_default="xlsx", validate=OneOf(FORMATS))}
    export_args = type(f"{stem}ExportArgs", (StrictSchema,), {**query_fields(resource), **members})
    template_args = type(f"{stem}TemplateArgs", (StrictSchema,), dict(members))

    @files_api.route(f"/{resource.name}/export", methods=["GET"], endpoint=f"{resource.subject}_export")
    @access(*STAFF)
    @files_api.doc(
        summary=f"导出{resource.label} / Export the list, filtered as the list is.", responses=_FILE
    )
    @files_api.arguments(export_args, location="query")
    @files_api.response(200)
    def export_view(args: dict[str, Any]) -> Any:
        return export_response(resource, args)

    @files_api.route(f"/{resource.name}/template", methods=["GET"], endpoint=f"{resource.subject}_template")
    @access(*STAFF)
    @files_api.doc(summary=f"{resource.label}导入模板 / An empty sheet to fill in.", responses=_FILE)
    @files_api.arguments(template_args, location="query")
    @files_api.response(200)
    def template_view(args: dict[str, Any]) -> Any:
        return template_response(resource, args["format"])


def export_response(resource: Resource, args: dict[str, Any]) -> Response:
    """The list as a file, with the list's own filters and order."""
    query = query_of(resource, args)
    rows = _Counted(exporting.export_rows(db.session(), current_principal(), resource, query))
    if args["format"] == "csv":
        out = BytesIO()
        exporting.write_csv(rows, out)
        data = out.getvalue()
    else:
        with tempfile.TemporaryDirectory(prefix="butler-export-") as folder:
            path = Path(folder) / "export.xlsx"
            exporting.write_xlsx(rows, path, resource)
            data = path.read_bytes()
    # The first row is the head.
    count = max(rows.seen - 1, 0)
    note_reading(resource.name, filters=args, count=count, action="registry.exported")
    return _download(Response(data, content_type=_media(args["format"])), resource, args["format"])


class _Counted:
    """Rows that are counted while they are written."""

    def __init__(self, rows: Iterator[list[str]]) -> None:
        self._rows = rows
        self.seen = 0

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        row = next(self._rows)
        self.seen += 1
        return row


def template_response(resource: Resource, file_format: str) -> Response:
    data = (exporting.template_csv if file_format == "csv" else exporting.template_xlsx)(resource)
    return _download(Response(data, content_type=_media(file_format)), resource, file_format, "模板")


def problems_response(problems: Sequence[dict[str, Any]]) -> Response:
    """The problems of a dry run as CSV, to work through beside the sheet."""
    out = BytesIO()
    rows = [[str(p["row"]), p["column"], p["message"]] for p in problems]
    exporting.write_csv(iter([["行", "列", "问题"], *rows]), out)
    response = Response(out.getvalue(), content_type=_media("csv"))
    response.headers["Content-Disposition"] = "attachment; filename=problems.csv"
    return response


def _media(file_format: str) -> str:
    return f"{CSV}; charset=utf-8" if file_format == "csv" else XLSX


def _download(response: Response, resource: Resource, file_format: str, *parts: str) -> Response:
    stamp = runtime().clock.now().strftime("%Y%m%d")
    name = exporting.file_name(resource, file_format, stamp, parts)
    ascii_name = f"{resource.name}-{stamp}.{file_format}"
    disposition = f"attachment; filename={ascii_name}; filename*=UTF-8''{quote(name)}"
    response.headers["Content-Disposition"] = disposition
    return response


for _resource in RESOURCES.values():
    hang_files(_resource)
