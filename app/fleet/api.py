"""Agents as people manage them."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request
from flask.views import MethodView

from app.fleet.model import Agent
from app.fleet.schemas import (
    AgentQuerySchema,
    AgentSchema,
    EnrolmentCodeInSchema,
    EnrolmentCodeSchema,
    RevokeSchema,
    SightingQuerySchema,
    SightingSchema,
)
from app.fleet.service import find_agent, list_agents, make_code, revoke
from app.http.access import STAFF, access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.http.transaction import answer_is_secret
from app.kernel.db import db
from app.kernel.paging import Page
from app.readings import Sighted, list_sightings
from app.runtime import runtime

fleet_api = Blueprint(
    "agents", __name__, url_prefix=API_PREFIX, description="网关与代理 / Gateways and agents"
)
_WHO = ("operations", "it")


@fleet_api.route("/agents")
class Agents(MethodView):
    @access(*STAFF)
    @fleet_api.arguments(AgentQuerySchema, location="query")
    @fleet_api.response(200, page_schema(AgentSchema))
    def get(self, query: dict[str, Any]) -> Page[Agent]:
        """Enrolled agents, newest first."""
        return list_agents(db.session(), current_principal(), **query)


@fleet_api.route("/agents/<uuid:agent_id>")
class OneAgent(MethodView):
    @access(*STAFF)
    @fleet_api.response(200, AgentSchema)
    def get(self, agent_id: uuid.UUID) -> Agent:
        """One agent."""
        return find_agent(db.session(), current_principal(), agent_id)


@fleet_api.route("/agents/<uuid:agent_id>/revoke")
class RevokeAgent(MethodView):
    @access(*_WHO)
    @fleet_api.arguments(RevokeSchema)
    @fleet_api.response(200, AgentSchema)
    def post(self, body: dict[str, Any], agent_id: uuid.UUID) -> Agent:
        """Refuse this agent from now on, for good."""
        return revoke(db.session(), current_principal(), agent_id, body["reason"], runtime().clock.now())


@fleet_api.route("/enrolment-codes")
class EnrolmentCodes(MethodView):
    @access(*_WHO)
    @fleet_api.arguments(EnrolmentCodeInSchema)
    @fleet_api.response(201, EnrolmentCodeSchema)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Make a code for one agent. It is shown once: sent again, this request is refused with `shown_once`."""
        answer_is_secret()
        made = make_code(
            db.session(),
            current_principal(),
            body["centre_id"],
            url=runtime().settings.public_url or request.host_url,
            command_key=runtime().keys.public_key("agent-reads"),
            name=body["name"],
            handset_id=body["handset_id"],
            hours=body["hours"],
            now=runtime().clock.now(),
        )
        return {"code": str(made.code), "expires_at": made.expires_at}


@fleet_api.route("/sightings")
class Sightings(MethodView):
    @access(*STAFF)
    @fleet_api.arguments(SightingQuerySchema, location="query")
    @fleet_api.response(200, page_schema(SightingSchema))
    def get(self, query: dict[str, Any]) -> Page[Sighted]:
        """Phones that agents read and nobody registered, the one seen last first."""
        return list_sightings(db.session(), current_principal(), **query)
