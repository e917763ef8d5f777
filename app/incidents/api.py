from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from flask.views import MethodView

from app.http.access import SIGNED_IN, STAFF, access
from app.http.api import API_PREFIX, Blueprint, etag, expected_version, page_schema
from app.http.identity import current_principal
from app.incidents.model import Incident
from app.incidents.schemas import (
    IncidentArgs,
    IncidentDetailSchema,
    IncidentSchema,
    IncidentStatementSchema,
    IncidentWordSchema,
)
from app.incidents.service import Word, appeal, decide, decide_appeal
from app.incidents.tracing import trace_of_incident
from app.incidents.views import detail_of, incidents_of
from app.kernel.db import db
from app.kernel.paging import Page
from app.runtime import runtime

incidents_api = Blueprint(
    "incidents", __name__, url_prefix=API_PREFIX, description="关机事件 / Incidents (R02)"
)


@incidents_api.route("/incidents")
class Incidents(MethodView):
    @access(*SIGNED_IN)
    @incidents_api.arguments(IncidentArgs, location="query")
    @incidents_api.response(200, page_schema(IncidentSchema))
    def get(self, query: dict[str, Any]) -> Page[Incident]:
        """Staff: their centres' incidents; a butler: his own."""
        statuses, states = query.pop("status"), query.pop("state")
        return incidents_of(db.session(), current_principal(), statuses=statuses, states=states, **query)


@incidents_api.route("/incidents/<uuid:incident_id>")
class OneIncident(MethodView):
    @access(*SIGNED_IN)
    @incidents_api.response(200, IncidentDetailSchema)
    def get(self, incident_id: uuid.UUID) -> tuple[dict[str, Any], int, dict[str, str]]:
        """With its evidence in words, its history and what people said; `ETag` for a decision's `If-Match`."""
        found = detail_of(db.session(), current_principal(), incident_id)
        return found, 200, {"ETag": etag(found["version"])}


@incidents_api.route("/incidents/<uuid:incident_id>/decide")
class Decide(MethodView):
    @access("lead", if_match=True)
    @incidents_api.arguments(IncidentWordSchema)
    @incidents_api.response(200, IncidentSchema)
    def post(self, body: dict[str, str], incident_id: uuid.UUID) -> Incident:
        """The lead's word on what the evidence leaves open, or his waiver of what it proves."""
        word = Word(body["status"], body["reason"], expected_version())
        now, policies = runtime().clock.now(), runtime().policies
        return decide(db.session(), current_principal(), incident_id, word, now=now, policies=policies)


@incidents_api.route("/incidents/<uuid:incident_id>/appeal")
class Appeal(MethodView):
    @access(*SIGNED_IN)
    @incidents_api.arguments(IncidentStatementSchema)
    @incidents_api.response(200, IncidentSchema)
    def post(self, body: dict[str, str], incident_id: uuid.UUID) -> Incident:
        """The one appeal of who answers for it."""
        now = runtime().clock.now()
        return appeal(db.session(), current_principal(), incident_id, body["statement"], now=now)


@incidents_api.route("/incidents/<uuid:incident_id>/appeal/decide")
class DecideAppeal(MethodView):
    @access("lead", "operations", if_match=True)
    @incidents_api.arguments(IncidentWordSchema)
    @incidents_api.response(200, IncidentSchema)
    def post(self, body: dict[str, str], incident_id: uuid.UUID) -> Incident:
        """A second person's word on the appeal."""
        word = Word(body["status"], body["reason"], expected_version())
        now, policies = runtime().clock.now(), runtime().policies
        return decide_appeal(db.session(), current_principal(), incident_id, word, now=now, policies=policies)


@incidents_api.route("/incidents/<uuid:incident_id>/trace")
class Trace(MethodView):
    @access(*STAFF)
    @incidents_api.response(200, content_type="application/x-ndjson")
    def get(self, incident_id: uuid.UUID) -> Response:
        """All that was said of the phone, for `flask uptime replay`."""
        here = runtime()
        trace = trace_of_incident(
            db.session(), current_principal(), here.policies, incident_id, here.clock.now()
        )
        return Response(trace, mimetype="application/x-ndjson")
