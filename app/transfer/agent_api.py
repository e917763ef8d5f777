"""Where gateways hand in the manifest of a transfer, page by page; signed as their check-ins are."""

from __future__ import annotations

import orjson
from flask import Response, request
from flask.views import MethodView

from app.fleet import admit, bad_body, signed_call
from app.http.access import AGENT, access
from app.http.api import API_PREFIX, Blueprint
from app.http.transaction import open_write
from app.kernel.db import db
from app.kernel.errors import Invalid
from app.readings import BadEntry
from app.runtime import runtime
from app.transfer.hearing import rejudge
from app.transfer.manifests import take_page
from app.transfer.wire_schemas import parse_page

manifest_api = Blueprint(
    "agent_manifest",
    __name__,
    url_prefix=f"{API_PREFIX}/agent",
    description="迁移清单 / A transfer's manifest",
)


@manifest_api.route("/manifest")
class Manifest(MethodView):
    @access(AGENT, late_transaction=True)
    @manifest_api.response(200, description="taken in")
    @manifest_api.alt_response(404, description="unknown_command")
    @manifest_api.alt_response(409, description="command_finished")
    def post(self) -> Response:
        """One page; a page that came before is answered again and changes nothing."""
        now = runtime().clock.now()
        call = signed_call(request, db.session(), now)
        try:
            page = parse_page(call.body)
        except BadEntry as exc:
            raise bad_body(exc.field, exc.message) from exc
        session = open_write()
        admit(session, call, now, last_checkin_at=now)
        try:
            row, whole = take_page(session, call.agent, page, now)
        except Invalid as exc:
            raise bad_body("sha256", "the whole manifest has another") from exc
        if whole:
            rejudge(session, row, f"agent:{call.agent.id}", runtime().policies, now)
        answer = orjson.dumps({"received": len(page.entries)})
        return Response(answer, 200, mimetype="application/json")
