from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.http.access import STAFF, access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.kernel.db import db
from app.kernel.paging import Page
from app.reports import service
from app.reports.model import CustomerReport
from app.reports.schemas import ConfirmSchema, ReasonSchema, ReportQuerySchema, ReportSchema
from app.reports.views import list_reports
from app.runtime import runtime

reports_api = Blueprint(
    "reports", __name__, url_prefix=API_PREFIX, description="客户反映 / Customers' reports"
)
_JUDGES = ("operations", "lead")


@reports_api.route("/customer-reports")
class Reports(MethodView):
    @access(*STAFF)
    @reports_api.arguments(ReportQuerySchema, location="query")
    @reports_api.response(200, page_schema(ReportSchema))
    def get(self, query: dict[str, Any]) -> Page[CustomerReport]:
        """Customers' reports, the latest first; only confirmed ones are evidence."""
        return list_reports(db.session(), current_principal(), **query)


@reports_api.route("/customer-reports/<uuid:report_id>")
class OneReport(MethodView):
    @access(*STAFF)
    @reports_api.response(200, ReportSchema)
    def get(self, report_id: uuid.UUID) -> CustomerReport:
        """One report."""
        return service.get(db.session(), current_principal(), report_id)


@reports_api.route("/customer-reports/<uuid:report_id>/confirm")
class Confirm(MethodView):
    @access(*_JUDGES)
    @reports_api.arguments(ConfirmSchema)
    @reports_api.response(200, ReportSchema)
    def post(self, body: dict[str, Any], report_id: uuid.UUID) -> CustomerReport:
        """A household of the grid called then: evidence from now on. Not for whoever answers for the phone."""
        return service.confirm(
            db.session(),
            current_principal(),
            report_id,
            policies=runtime().policies,
            now=runtime().clock.now(),
            **body,
        )


@reports_api.route("/customer-reports/<uuid:report_id>/reject")
class Reject(MethodView):
    @access(*_JUDGES)
    @reports_api.arguments(ReasonSchema)
    @reports_api.response(200, ReportSchema)
    def post(self, body: dict[str, Any], report_id: uuid.UUID) -> CustomerReport:
        """It is no evidence."""
        now = runtime().clock.now()
        return service.reject(db.session(), current_principal(), report_id, reason=body["reason"], now=now)


@reports_api.route("/customer-reports/<uuid:report_id>/undo")
class Undo(MethodView):
    @access(*_JUDGES)
    @reports_api.arguments(ReasonSchema)
    @reports_api.response(200, ReportSchema)
    def post(self, body: dict[str, Any], report_id: uuid.UUID) -> CustomerReport:
        """Take a judgement back; it stays on record."""
        return service.undo(
            db.session(),
            current_principal(),
            report_id,
            reason=body["reason"],
            policies=runtime().policies,
            now=runtime().clock.now(),
        )
