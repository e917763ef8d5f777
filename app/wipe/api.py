from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask.views import MethodView

from app.http.access import access
from app.http.api import API_PREFIX, Blueprint, etag, expected_version, page_schema
from app.http.identity import current_principal
from app.http.transaction import open_write
from app.kernel.db import db
from app.kernel.paging import Page
from app.runtime import runtime
from app.wipe import asking, drafting, guiding, releasing
from app.wipe.drafting import Draft
from app.wipe.entry import proved_code, typed
from app.wipe.hook import tools
from app.wipe.listing import list_wipes, whole
from app.wipe.model import Wipe
from app.wipe.schemas import (
    WipeApprovalSchema,
    WipeDetailSchema,
    WipeDraftSchema,
    WipeOpenSchema,
    WipeQuerySchema,
    WipeReasonMaybeSchema,
    WipeReasonSchema,
    WipeReleaseSchema,
    WipeReportSchema,
    WipeSchema,
    WipeTypedSchema,
)
from app.wipe.states import TO_DO, known
from app.wipe.tools import APPROVERS, APPROVERS_FOR_LEADS, ASKERS, PERFORMERS, VIEWERS

wipe_api = Blueprint(
    "wipes", __name__, url_prefix=f"{API_PREFIX}/wipes", description="数据销毁 / Wipes (R06)"
)


def _now() -> dt.datetime:
    return runtime().clock.now()


@wipe_api.route("")
class Wipes(MethodView):
    @access(*VIEWERS)
    @wipe_api.arguments(WipeQuerySchema, location="query")
    @wipe_api.response(200, page_schema(WipeSchema))
    def get(self, query: dict[str, Any]) -> Page[Wipe]:
        """The one that changed last first; `state` may be given several times."""
        states = query.pop("state")
        return list_wipes(db.session(), current_principal(), states=states, **query)

    @access(*ASKERS)
    @wipe_api.arguments(WipeOpenSchema)
    @wipe_api.response(201, WipeSchema)
    def post(self, body: dict[str, Any]) -> Wipe:
        """A draft for a phone that waits to be destroyed; the open one, if there is one. 409 `no_disposal`."""
        return drafting.open_wipe(
            db.session(), current_principal(), tools(), body["handset_id"], now=_now()
        )  # fmt: skip


@wipe_api.route("/<uuid:wipe_id>")
class OneWipe(MethodView):
    @access(*VIEWERS)
    @wipe_api.response(200, WipeDetailSchema)
    def get(self, wipe_id: uuid.UUID) -> Any:
        """One wipe with its steps, what is known of the phone, and what stands in the way; with its ETag."""
        found = whole(db.session(), current_principal(), tools(), wipe_id, _now())
        told = {name: getattr(found.row, name) for name in WipeSchema().fields}
        row = found.row
        words = known(row.state, tries=row.tries, lock_cleared=row.lock_cleared)
        body = {
            **told,
            "known": words,
            "to_do": TO_DO[row.state],
            "blockers": found.blockers,
            "steps": found.steps,
        }
        return body, 200, {"ETag": etag(found.row.version)}

    @access(*ASKERS, if_match=True)
    @wipe_api.arguments(WipeDraftSchema)
    @wipe_api.response(200, WipeSchema)
    def put(self, draft: Draft, wipe_id: uuid.UUID) -> Any:
        """Fill in the draft: strategy, reason, destination, checklist."""
        row = drafting.fill(
            db.session(), current_principal(), wipe_id, draft, version=expected_version(), now=_now()
        )
        return row, 200, {"ETag": etag(row.version)}


@wipe_api.route("/<uuid:wipe_id>/request")
class RequestWipe(MethodView):
    @access(*ASKERS, late_transaction=True)
    @wipe_api.arguments(WipeTypedSchema)
    @wipe_api.response(200, WipeSchema)
    def post(self, body: dict[str, Any], wipe_id: uuid.UUID) -> Wipe:
        """Ask for approval; 422 `typed_wrong`, 409 `blocked` with every blocker as an error."""
        typed(wipe_id, body["typed_tag"], body["typed_imei6"])
        return asking.request(open_write(), current_principal(), tools(), wipe_id, **body, now=_now())


@wipe_api.route("/<uuid:wipe_id>/approval")
class ApproveWipe(MethodView):
    @access(*APPROVERS_FOR_LEADS, late_transaction=True)
    @wipe_api.arguments(WipeApprovalSchema)
    @wipe_api.response(200, WipeSchema)
    def post(self, body: dict[str, Any], wipe_id: uuid.UUID) -> Wipe:
        """By another person, signed in by password, with an authenticator code typed now."""
        who = proved_code(body["code"])
        why = body["waive_reason"]
        return asking.approve(open_write(), who, tools(), wipe_id, waive_reason=why, now=_now())


@wipe_api.route("/<uuid:wipe_id>/refusal")
class RefuseWipe(MethodView):
    @access(*APPROVERS_FOR_LEADS)
    @wipe_api.arguments(WipeReasonSchema)
    @wipe_api.response(200, WipeSchema)
    def post(self, body: dict[str, Any], wipe_id: uuid.UUID) -> Wipe:
        """Back to the draft, with the reason."""
        return asking.refuse_request(db.session(), current_principal(), wipe_id, **body, now=_now())


@wipe_api.route("/<uuid:wipe_id>/withdrawal")
class WithdrawWipe(MethodView):
    @access(*ASKERS)
    @wipe_api.arguments(WipeReasonMaybeSchema)
    @wipe_api.response(200, WipeSchema)
    def post(self, body: dict[str, Any], wipe_id: uuid.UUID) -> Wipe:
        """Back to the draft; the approval is void with it."""
        return asking.withdraw(db.session(), current_principal(), wipe_id, **body, now=_now())


@wipe_api.route("/<uuid:wipe_id>/cancellation")
class CancelWipe(MethodView):
    @access(*ASKERS)
    @wipe_api.arguments(WipeReasonSchema)
    @wipe_api.response(200, WipeSchema)
    def post(self, body: dict[str, Any], wipe_id: uuid.UUID) -> Wipe:
        """End it before anything left for the phone; 409 `command_at_agent` when a gateway has the order."""
        return asking.cancel(db.session(), current_principal(), wipe_id, **body, now=_now())


@wipe_api.route("/<uuid:wipe_id>/release")
class ReleaseWipe(MethodView):
    @access(*PERFORMERS, late_transaction=True)
    @wipe_api.arguments(WipeReleaseSchema)
    @wipe_api.response(200, WipeSchema)
    def post(self, body: dict[str, Any], wipe_id: uuid.UUID) -> Wipe:
        """Queue the order, at the phone; 409 `blocked`, `not_at_hand` without a fresh reading by a gateway."""
        typed(wipe_id, body["typed_tag"], body["typed_imei6"])
        return releasing.release(open_write(), current_principal(), tools(), wipe_id, **body, now=_now())


@wipe_api.route("/<uuid:wipe_id>/recall")
class RecallWipe(MethodView):
    @access(*PERFORMERS, *APPROVERS)
    @wipe_api.arguments(WipeReasonMaybeSchema)
    @wipe_api.response(200, WipeSchema)
    def post(self, body: dict[str, Any], wipe_id: uuid.UUID) -> Wipe:
        """Take an order back that no gateway has taken yet."""
        return releasing.recall(db.session(), current_principal(), wipe_id, **body, now=_now())


@wipe_api.route("/<uuid:wipe_id>/retry")
class RetryWipe(MethodView):
    @access(*APPROVERS)
    @wipe_api.arguments(WipeReasonSchema)
    @wipe_api.response(200, WipeSchema)
    def post(self, body: dict[str, Any], wipe_id: uuid.UUID) -> Wipe:
        """Let it be released again, where inspection showed that nothing was erased."""
        return releasing.retry(db.session(), current_principal(), wipe_id, **body, now=_now())


@wipe_api.route("/<uuid:wipe_id>/guided")
class GuideWipe(MethodView):
    @access(*PERFORMERS, late_transaction=True)
    @wipe_api.arguments(WipeReleaseSchema)
    @wipe_api.response(200, WipeSchema)
    def post(self, body: dict[str, Any], wipe_id: uuid.UUID) -> Wipe:
        """Begin a reset by hand of a phone that a gateway just read; without that, on the page, with a picture."""
        typed(wipe_id, body["typed_tag"], body["typed_imei6"])
        return guiding.begin_guided(
            open_write(), current_principal(), tools(), wipe_id, **body, photo=None, now=_now()
        )


@wipe_api.route("/<uuid:wipe_id>/report")
class ReportWipe(MethodView):
    @access(*PERFORMERS)
    @wipe_api.arguments(WipeReportSchema)
    @wipe_api.response(200, WipeSchema)
    def post(self, body: dict[str, Any], wipe_id: uuid.UUID) -> Wipe:
        """What came of the reset by hand, by who began it; it proves nothing yet."""
        return guiding.report_reset(db.session(), current_principal(), wipe_id, **body, now=_now())
