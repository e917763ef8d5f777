from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

from flask import Response
from flask.views import MethodView

from app.allowance import lists
from app.allowance.closing import close_month
from app.allowance.correcting import correct
from app.allowance.exporting import EXPORTERS, XLSX, export, file_of
from app.allowance.model import AllowanceMonth, PayrollExport
from app.allowance.schemas import (
    AllowanceMonthSchema,
    AllowanceSheetSchema,
    LedgerEntrySchema,
    LedgerQuerySchema,
    MonthCloseSchema,
    MonthCorrectedSchema,
    MonthCorrectionsSchema,
    MonthCorrectSchema,
    MonthQuerySchema,
    OwnAllowanceSchema,
    PayrollExportSchema,
    PreviewQuerySchema,
)
from app.allowance.tools import CLOSERS, VIEWERS, Tools
from app.allowance.views import MonthView, line_views, month_view
from app.http.access import SIGNED_IN, access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.kernel.db import db
from app.kernel.paging import Page
from app.ledger import LedgerEntry, list_entries
from app.runtime import runtime

allowance_api = Blueprint(
    "allowance", __name__, url_prefix=API_PREFIX, description="话费补贴与关账 / Allowances, closing, payroll"
)
_FILE = {200: {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}}


def tools() -> Tools:
    return Tools(runtime().policies, runtime().blobs)


@allowance_api.route("/allowance-months")
class Months(MethodView):
    @access(*VIEWERS)
    @allowance_api.arguments(MonthQuerySchema, location="query")
    @allowance_api.response(200, page_schema(AllowanceMonthSchema))
    def get(self, query: dict[str, Any]) -> Page[AllowanceMonth]:
        """Closed months, the latest first."""
        return lists.list_months(db.session(), current_principal(), **query)

    @access(*CLOSERS)
    @allowance_api.arguments(MonthCloseSchema)
    @allowance_api.response(201, AllowanceMonthSchema)
    def post(self, body: dict[str, Any]) -> AllowanceMonth:
        """Close a month for good, as its preview showed it; 409 when that is no more so, too early, or done."""
        return close_month(db.session(), current_principal(), tools(), **body, now=runtime().clock.now())


@allowance_api.route("/allowance-sheet")
class Sheet(MethodView):
    @access(*VIEWERS)
    @allowance_api.arguments(PreviewQuerySchema, location="query")
    @allowance_api.response(200, AllowanceSheetSchema)
    def get(self, query: dict[str, Any]) -> MonthView:
        """A month of one centre: as it was closed, or as it would be closed now."""
        return month_view(db.session(), current_principal(), tools(), **query, now=runtime().clock.now())


@allowance_api.route("/allowance-months/<uuid:month_id>")
class OneMonth(MethodView):
    @access(*VIEWERS)
    @allowance_api.response(200, AllowanceMonthSchema)
    def get(self, month_id: uuid.UUID) -> AllowanceMonth:
        """One closed month."""
        return lists.get_month(db.session(), current_principal(), month_id)


@allowance_api.route("/allowance-months/<uuid:month_id>/corrections")
class Corrections(MethodView):
    @access(*VIEWERS)
    @allowance_api.response(200, MonthCorrectionsSchema)
    def get(self, month_id: uuid.UUID) -> dict[str, Any]:
        """What evidence that came after closing would take from people."""
        session, who = db.session(), current_principal()
        row = lists.get_month(session, who, month_id)
        view = month_view(session, who, tools(), row.centre_id, row.month, runtime().clock.now())
        assert view.drifts is not None
        return {
            "sha256": view.drifts.sha256,
            "losses": [{"now": now, "closed": closed} for now, closed in view.losses],
            "gains": len(view.drifts.gains),
            "waiting": len(view.drifts.waiting),
        }

    @access(*CLOSERS)
    @allowance_api.arguments(MonthCorrectSchema)
    @allowance_api.response(200, MonthCorrectedSchema)
    def post(self, body: dict[str, Any], month_id: uuid.UUID) -> dict[str, int]:
        """Book them: reversals and new rows; the lines that they replace stay in sight."""
        now = runtime().clock.now()
        return {"corrected": correct(db.session(), current_principal(), tools(), month_id, **body, now=now)}


@allowance_api.route("/allowance-months/<uuid:month_id>/exports")
class Exports(MethodView):
    @access(*EXPORTERS)
    @allowance_api.response(201, PayrollExportSchema)
    def post(self, month_id: uuid.UUID) -> PayrollExport:
        """Make payroll's sheet of a closed month."""
        return export(db.session(), current_principal(), tools(), month_id, runtime().clock.now())


@allowance_api.route("/payroll-exports/<uuid:export_id>/file")
class ExportFile(MethodView):
    @access(*EXPORTERS)
    @allowance_api.doc(responses=_FILE)
    @allowance_api.response(200)
    def get(self, export_id: uuid.UUID) -> Response:
        """A sheet as it was exported."""
        return export_response(export_id)


def export_response(export_id: uuid.UUID) -> Response:
    made, data = file_of(db.session(), current_principal(), tools(), export_id)
    note_reading("payroll", action="allowance.downloaded", subject=f"payroll_export:{made.id}")
    return attachment(data, XLSX, made.file_name, f"payroll-{made.id}.xlsx")


def attachment(data: bytes, kind: str, name: str, ascii_name: str) -> Response:
    """A file to be saved, never shown as a page of ours."""
    response = Response(data, content_type=kind)
    disposition = f"attachment; filename={ascii_name}; filename*=UTF-8''{quote(name)}"
    response.headers["Content-Disposition"] = disposition
    return response


@allowance_api.route("/ledger-entries")
class Entries(MethodView):
    @access(*VIEWERS)
    @allowance_api.arguments(LedgerQuerySchema, location="query")
    @allowance_api.response(200, page_schema(LedgerEntrySchema))
    def get(self, query: dict[str, Any]) -> Page[LedgerEntry]:
        """The ledger, newest booking first."""
        return list_entries(db.session(), current_principal(), **query)


@allowance_api.route("/my/allowance")
class Own(MethodView):
    @access(*SIGNED_IN)
    @allowance_api.response(200, OwnAllowanceSchema)
    def get(self) -> dict[str, Any]:
        """One's own months and bookings; 404 for an account that is no employee's."""
        session = db.session()
        me = lists.own_employee(current_principal())
        lines = lists.own_lines(session, me)
        return {
            "lines": line_views(session, lines),
            "months": [line.month for line in lines],
            "entries": lists.own_entries(session, me),
        }
