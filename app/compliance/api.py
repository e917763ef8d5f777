from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.compliance.schemas import VerdictArgs, VerdictSchema
from app.compliance.views import Verdict, list_changes, list_verdicts, verdict_of
from app.http.access import STAFF, access
from app.http.api import API_PREFIX, Blueprint, PageArgs, page_schema
from app.http.identity import current_principal
from app.kernel.db import db
from app.kernel.paging import Page

compliance_api = Blueprint(
    "compliance", __name__, url_prefix=API_PREFIX, description="应用合规 / Prescribed apps (R03)"
)


@compliance_api.route("/handsets/<uuid:handset_id>/compliance")
class HandsetCompliance(MethodView):
    @access(*STAFF)
    @compliance_api.response(200, VerdictSchema)
    def get(self, handset_id: uuid.UUID) -> Verdict:
        """A phone's verdict with its findings."""
        return verdict_of(db.session(), current_principal(), handset_id)


@compliance_api.route("/handsets/<uuid:handset_id>/compliance/history")
class HandsetHistory(MethodView):
    @access(*STAFF)
    @compliance_api.arguments(PageArgs, location="query")
    @compliance_api.response(200, page_schema(VerdictSchema))
    def get(self, page: dict[str, Any], handset_id: uuid.UUID) -> Page[Verdict]:
        """A phone's verdicts as they changed, the newest first."""
        return list_changes(db.session(), current_principal(), handset_id, **page)


@compliance_api.route("/compliance")
class Compliance(MethodView):
    @access(*STAFF)
    @compliance_api.arguments(VerdictArgs, location="query")
    @compliance_api.response(200, page_schema(VerdictSchema))
    def get(self, query: dict[str, Any]) -> Page[Verdict]:
        """Judged phones in service, the latest change first."""
        return list_verdicts(db.session(), current_principal(), **query)
