from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.allowlist.applied import Applied, applied_to
from app.allowlist.layering import READERS, WRITERS, Place
from app.allowlist.origins import leaves, taken_away
from app.allowlist.previewing import Portion, explain, preview
from app.allowlist.schemas import AppliedSchema, ExplainArgs, ExplanationSchema, PreviewArgs, PreviewSchema
from app.http.access import access
from app.http.api import API_PREFIX, Blueprint
from app.http.identity import current_principal
from app.http.pages import page_now
from app.kernel.db import db
from app.runtime import runtime

allowlist_api = Blueprint(
    "allowlist",
    __name__,
    url_prefix=API_PREFIX,
    description="应用名单 / The allow-list, explained and tried (R03)",
)


@allowlist_api.route("/allowlist")
class Explanation(MethodView):
    @access(*READERS)
    @allowlist_api.arguments(ExplainArgs, location="query")
    @allowlist_api.response(200, ExplanationSchema)
    def get(self, args: dict[str, Any]) -> dict[str, Any]:
        """Each value that holds in a centre, for a brand and model if named: who set it, and what it overrode."""
        policy, tree = explain(db.session(), current_principal(), runtime().policies, **args)
        return {
            "version": policy.version,
            "sha256": policy.sha256,
            "values": list(leaves(tree)),
            "taken_away": list(taken_away(tree)),
        }


@allowlist_api.route("/allowlist/preview")
class Preview(MethodView):
    @access(*WRITERS, late_transaction=True)
    @allowlist_api.arguments(PreviewArgs)
    @allowlist_api.response(200, PreviewSchema)
    def post(self, body: dict[str, Any]) -> Portion:
        """What a layer would do to today's fleet, some hundred phones a call. Nothing is written."""
        place = Place(body["scope"], body["scope_id"])
        return preview(
            db.session(), current_principal(), runtime().policies, place, body["body"],
            after=body["after"], limit=body["limit"], now=page_now(),
        )  # fmt: skip


@allowlist_api.route("/handsets/<uuid:handset_id>/allowlist")
class HandsetAllowlist(MethodView):
    @access(*READERS)
    @allowlist_api.response(200, AppliedSchema)
    def get(self, handset_id: uuid.UUID) -> Applied:
        """The list that is wanted for a phone against the one that it was judged by last."""
        return applied_to(db.session(), current_principal(), runtime().policies, handset_id)
