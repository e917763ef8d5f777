from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.calldesk import service
from app.calldesk.schemas import (
    AddedSchema,
    CallInSchema,
    CallListSchema,
    CallQuerySchema,
    CorrectionSchema,
    DialTestSchema,
    ResultInSchema,
    TestQuerySchema,
)
from app.dialling import DialTest, add_call, call_lines, correct, list_tests, undo
from app.http.access import access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.kernel.db import db
from app.kernel.paging import Page
from app.runtime import runtime

calldesk_api = Blueprint("dialling", __name__, url_prefix=API_PREFIX, description="拨测 / Dial tests")
_CALLERS = ("operations", "lead")
_READERS = (*_CALLERS, "auditor")


@calldesk_api.route("/dialling/calls")
class Calls(MethodView):
    @access(*_READERS)
    @calldesk_api.arguments(CallQuerySchema, location="query")
    @calldesk_api.response(200, CallListSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """The list of calls to make, those with a suspicion first, and the calls made today; never one's own phone."""
        centre = query["centre_id"]
        lines = call_lines(
            db.session(),
            current_principal(),
            centre_ids=None if centre is None else [centre],
            policies=runtime().policies,
            now=runtime().clock.now(),
        )
        return {"items": lines}

    @access(*_CALLERS)
    @calldesk_api.arguments(CallInSchema)
    @calldesk_api.response(200, AddedSchema)
    def post(self, body: dict[str, Any]) -> dict[str, bool]:
        """Put a phone on the list by hand."""
        now = runtime().clock.now()
        return {"added": add_call(db.session(), current_principal(), body["handset_id"], now)}


@calldesk_api.route("/dialling/calls/<uuid:call_id>/result")
class Result(MethodView):
    @access(*_CALLERS)
    @calldesk_api.arguments(ResultInSchema)
    @calldesk_api.response(201, DialTestSchema)
    def post(self, body: dict[str, Any], call_id: uuid.UUID) -> DialTest:
        """What was heard; 409 when somebody was faster or the number is no longer the post's."""
        now = runtime().clock.now()
        return service.take_result(
            db.session(), current_principal(), call_id, body["number_id"], body["result"], now
        )


@calldesk_api.route("/dialling/tests")
class Tests(MethodView):
    @access(*_READERS)
    @calldesk_api.arguments(TestQuerySchema, location="query")
    @calldesk_api.response(200, page_schema(DialTestSchema))
    def get(self, query: dict[str, Any]) -> Page[DialTest]:
        """Tests, the latest first."""
        page = list_tests(
            db.session(), current_principal(), policies=runtime().policies, now=runtime().clock.now(), **query
        )
        return Page([line.test for line in page.items], page.next_cursor)


@calldesk_api.route("/dialling/tests/<uuid:test_id>/undo")
class Undo(MethodView):
    @access(*_CALLERS)
    @calldesk_api.response(204)
    def post(self, test_id: uuid.UUID) -> None:
        """Take one's own record back within policy's seconds; 409 afterwards."""
        now = runtime().clock.now()
        undo(db.session(), current_principal(), test_id, policies=runtime().policies, now=now)


@calldesk_api.route("/dialling/tests/<uuid:test_id>/correct")
class Correct(MethodView):
    @access(*_CALLERS)
    @calldesk_api.arguments(CorrectionSchema)
    @calldesk_api.response(201, DialTestSchema)
    def post(self, body: dict[str, Any], test_id: uuid.UUID) -> DialTest:
        """Put another record in the place of a wrong one; both stay."""
        now = runtime().clock.now()
        return correct(db.session(), current_principal(), test_id, body["result"], body["reason"], now)
