from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.http.access import access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.kernel.db import db
from app.kernel.paging import Page
from app.remedy import dismissing, ordering, restoring, views
from app.remedy.hook import tools
from app.remedy.model import RemedyCase
from app.remedy.schemas import (
    RemedyDetailSchema,
    RemedyOrderSchema,
    RemedyQuerySchema,
    RemedyReasonSchema,
    RemedySchema,
)
from app.remedy.tools import DISMISSERS, ORDERERS, VIEWERS
from app.runtime import runtime

remedy_api = Blueprint(
    "remedies", __name__, url_prefix=f"{API_PREFIX}/remedies", description="整改 / Remedies of findings (R03)"
)


@remedy_api.route("")
class Remedies(MethodView):
    @access(*VIEWERS)
    @remedy_api.arguments(RemedyQuerySchema, location="query")
    @remedy_api.response(200, page_schema(RemedySchema))
    def get(self, query: dict[str, Any]) -> Page[RemedyCase]:
        """Cases, the latest first."""
        states, words = query.pop("state"), query.pop("q")
        return views.page_of(db.session(), current_principal(), states=states, words=words.strip(), **query)


@remedy_api.route("/<uuid:case_id>")
class OneRemedy(MethodView):
    @access(*VIEWERS)
    @remedy_api.response(200, RemedyDetailSchema)
    def get(self, case_id: uuid.UUID) -> dict[str, Any]:
        """One case with its history."""
        now = runtime().clock.now()
        found = views.case_view(db.session(), current_principal(), tools(), case_id, now)
        return {
            "remedy": found.line.case,
            "steps": found.steps,
            "blocked": found.blocked,
            "acts": sorted(found.acts),
            "todo": found.todo,
        }


@remedy_api.route("/<uuid:case_id>/order")
class OrderRemedy(MethodView):
    @access(*ORDERERS)
    @remedy_api.arguments(RemedyOrderSchema)
    @remedy_api.response(200, RemedySchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> RemedyCase:
        """Have the app removed; 409 `blocked` with all that stands in the way."""
        now = runtime().clock.now()
        return ordering.order(db.session(), current_principal(), tools(), case_id, **body, now=now)


@remedy_api.route("/<uuid:case_id>/cancellation")
class CancelRemedy(MethodView):
    @access(*ORDERERS)
    @remedy_api.arguments(RemedyReasonSchema)
    @remedy_api.response(200, RemedySchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> RemedyCase:
        """Take an order back; 409 `command_at_agent` when a gateway has it."""
        now = runtime().clock.now()
        return ordering.cancel(db.session(), current_principal(), tools(), case_id, **body, now=now)


@remedy_api.route("/<uuid:case_id>/dismissal")
class DismissRemedy(MethodView):
    @access(*DISMISSERS)
    @remedy_api.arguments(RemedyReasonSchema)
    @remedy_api.response(200, RemedySchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> RemedyCase:
        """Let it rest for policy's days; it stays a finding. Not by who has the phone."""
        now = runtime().clock.now()
        return dismissing.dismiss(db.session(), current_principal(), tools(), case_id, **body, now=now)


@remedy_api.route("/<uuid:case_id>/restoration")
class RestoreRemedy(MethodView):
    @access(*ORDERERS)
    @remedy_api.arguments(RemedyReasonSchema)
    @remedy_api.response(200, RemedySchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> RemedyCase:
        """Bring back an app that was disabled or suspended."""
        now = runtime().clock.now()
        return restoring.restore(db.session(), current_principal(), tools(), case_id, **body, now=now)
