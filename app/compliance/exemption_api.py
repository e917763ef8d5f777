from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.compliance import exemption_listing as listing
from app.compliance import exemption_service as service
from app.compliance.exemption_model import ComplianceExemption
from app.compliance.exemption_schemas import (
    ExemptionInSchema,
    ExemptionNoteSchema,
    ExemptionQuerySchema,
    ExemptionReasonSchema,
    ExemptionSchema,
)
from app.http.access import STAFF, access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.kernel.db import db
from app.kernel.paging import Page
from app.runtime import runtime

exemption_api = Blueprint(
    "exemptions",
    __name__,
    url_prefix=API_PREFIX,
    description="应用合规的例外 / Exemptions from findings (R03)",
)


@exemption_api.route("/compliance/exemptions")
class Exemptions(MethodView):
    @access(*STAFF)
    @exemption_api.arguments(ExemptionQuerySchema, location="query")
    @exemption_api.response(200, page_schema(ExemptionSchema))
    def get(self, query: dict[str, Any]) -> Page[ComplianceExemption]:
        """Exemptions, the latest request first."""
        return listing.exemptions(db.session(), current_principal(), wanted=query.pop("state"), **query)

    @access(*service.ASKERS)
    @exemption_api.arguments(ExemptionInSchema)
    @exemption_api.response(201, ExemptionSchema)
    def post(self, body: dict[str, Any]) -> ComplianceExemption:
        """Ask for an exemption from one finding; it waits for another person."""
        here, asked = runtime(), service.Asked(**body)
        return service.ask(
            db.session(), current_principal(), asked, policies=here.policies, now=here.clock.now()
        )


@exemption_api.route("/compliance/exemptions/<uuid:exemption_id>")
class OneExemption(MethodView):
    @access(*STAFF)
    @exemption_api.response(200, ExemptionSchema)
    def get(self, exemption_id: uuid.UUID) -> ComplianceExemption:
        """One exemption."""
        return listing.one(db.session(), current_principal(), exemption_id)


@exemption_api.route("/compliance/exemptions/<uuid:exemption_id>/approve")
class ApproveExemption(MethodView):
    @access(*service.APPROVERS)
    @exemption_api.arguments(ExemptionNoteSchema)
    @exemption_api.response(200, ExemptionSchema)
    def post(self, body: dict[str, Any], exemption_id: uuid.UUID) -> ComplianceExemption:
        """By another person than who asked and than who has the phone; a whole centre's by operations."""
        now = runtime().clock.now()
        return service.approve(db.session(), current_principal(), exemption_id, note=body["note"], now=now)


@exemption_api.route("/compliance/exemptions/<uuid:exemption_id>/decline")
class DeclineExemption(MethodView):
    @access(*service.APPROVERS)
    @exemption_api.arguments(ExemptionReasonSchema)
    @exemption_api.response(200, ExemptionSchema)
    def post(self, body: dict[str, Any], exemption_id: uuid.UUID) -> ComplianceExemption:
        """The rule holds on; says why."""
        now = runtime().clock.now()
        return service.decline(db.session(), current_principal(), exemption_id, note=body["note"], now=now)


@exemption_api.route("/compliance/exemptions/<uuid:exemption_id>/withdraw")
class WithdrawExemption(MethodView):
    @access(*service.ASKERS)
    @exemption_api.response(200, ExemptionSchema)
    def post(self, exemption_id: uuid.UUID) -> ComplianceExemption:
        """Take back what nobody has decided."""
        return service.withdraw(db.session(), current_principal(), exemption_id, now=runtime().clock.now())


@exemption_api.route("/compliance/exemptions/<uuid:exemption_id>/end")
class EndExemption(MethodView):
    @access(*service.ASKERS)
    @exemption_api.arguments(ExemptionReasonSchema)
    @exemption_api.response(200, ExemptionSchema)
    def post(self, body: dict[str, Any], exemption_id: uuid.UUID) -> ComplianceExemption:
        """The rule holds again from now; says why."""
        now = runtime().clock.now()
        return service.end(db.session(), current_principal(), exemption_id, note=body["note"], now=now)
