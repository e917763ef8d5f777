"""The three routes that agents call. Signatures are checked over the bytes as sent; bodies are docs/wire.md's."""

from __future__ import annotations

import orjson
from flask import Response, request
from flask.views import MethodView

from agent.wire import EnrolAnswer, b64
from app.fleet.adopt import adopt
from app.fleet.checkin import Surroundings, checkin
from app.fleet.schemas import parse_adopt, parse_checkin, parse_enrol
from app.fleet.service import admit, enrol
from app.fleet.signatures import parse_json, read_body, signed_call, unpack, verify_enrolment
from app.http.access import AGENT, access
from app.http.api import API_PREFIX, Blueprint
from app.http.transaction import open_write
from app.kernel.db import db
from app.runtime import command_hooks, runtime

agent_api = Blueprint(
    "agent",
    __name__,
    url_prefix=f"{API_PREFIX}/agent",
    description="代理（网关）接口，见 docs/wire.md / For agents",
)
MAX_ENROL_BYTES = 16 * 1024


def _json(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, mimetype="application/json")


@agent_api.route("/enrol")
class Enrol(MethodView):
    @access(AGENT, late_transaction=True)
    @agent_api.response(201, description="enrolled")
    @agent_api.alt_response(403, description="bad_token")
    def post(self) -> Response:
        """Enrol with a code; signed by the key in the body."""
        now = runtime().clock.now()
        raw = read_body(request, MAX_ENROL_BYTES)
        wanted = parse_enrol(parse_json(unpack(request, raw)))
        verify_enrolment(request, raw, wanted.ed25519, now)
        agent_id = enrol(open_write(), wanted, now)
        answer: EnrolAnswer = {
            "agent_id": str(agent_id),
            "command_key": b64(runtime().keys.public_key("agent-reads")),
            "interval_s": runtime().settings.checkin_interval_s,
        }
        return _json(answer, 201)


@agent_api.route("/checkin")
class Checkin(MethodView):
    @access(AGENT, late_transaction=True)
    @agent_api.response(200, description="taken in")
    @agent_api.alt_response(400, description="bad_body, bad_gzip")
    def post(self) -> Response:
        """Readings and results come in; wants and commands go out."""
        # Before the body is read: an age counts from the moment of sending, and an upload may take its time.
        now = runtime().clock.now()
        call = signed_call(request, db.session(), now)
        body = parse_checkin(call.body)
        words = body.agent
        session = open_write()
        admit(
            session, call, now, last_checkin_at=now, version=words.version, spooled=words.spooled,
            targets=words.targets, adb_server=words.adb_server,
        )  # fmt: skip
        here = runtime()
        around = Surroundings(
            here.keys, here.policies, here.vault, command_hooks(), here.settings.checkin_interval_s
        )
        return _json(checkin(session, call, body, now, around))


@agent_api.route("/adopt")
class Adopt(MethodView):
    @access(AGENT, late_transaction=True)
    @agent_api.response(201, description="registered")
    @agent_api.alt_response(409, description="registered with other data")
    def post(self) -> Response:
        """Register the phone in the hand."""
        now = runtime().clock.now()
        call = signed_call(request, db.session(), now)
        wanted = parse_adopt(call.body)
        session = open_write()
        admit(session, call, now, last_checkin_at=now)
        return _json(adopt(session, call.agent, wanted, runtime().settings.public_url, now), 201)
