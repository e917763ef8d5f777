from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.credchecks import acts, case_views, cases, listing, opening
from app.credchecks.model import ChangeCase, CheckItem, CheckRound
from app.credchecks.schemas import (
    ChangeCaseAnswerSchema,
    ChangeCaseDecideSchema,
    ChangeCaseQuerySchema,
    ChangeCaseSchema,
    ChangeCaseWordsSchema,
    CheckAttestSchema,
    CheckItemListSchema,
    CheckItemQuerySchema,
    CheckItemSchema,
    CheckReasonSchema,
    CheckRoundQuerySchema,
    CheckRoundSchema,
    CheckTypedSchema,
    OpenCheckRoundSchema,
)
from app.credchecks.states import Finding
from app.credchecks.tools import CHECKERS, VIEWERS, Tools
from app.escrow import blind_check
from app.http.access import access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.http.transaction import open_write
from app.kernel.db import db
from app.kernel.paging import Page
from app.runtime import runtime

rounds_api = Blueprint(
    "rounds", __name__, url_prefix=API_PREFIX, description="月度核对 / Monthly rounds of checks"
)
_SPEAKERS = (*CHECKERS, "butler")
_READERS = (*VIEWERS, "butler")


def _with() -> dict[str, Any]:
    here = runtime()
    return {"tools": Tools(here.policies, here.vault, here.keys), "now": here.clock.now()}


def _told() -> dict[str, Any]:
    return {"policies": runtime().policies, "now": runtime().clock.now()}


@rounds_api.route("/check-rounds")
class Rounds(MethodView):
    @access(*VIEWERS)
    @rounds_api.arguments(CheckRoundQuerySchema, location="query")
    @rounds_api.response(200, page_schema(CheckRoundSchema))
    def get(self, query: dict[str, Any]) -> Page[CheckRound]:
        """Rounds; open ones the oldest month first, else the latest first."""
        return listing.list_rounds(db.session(), current_principal(), **query)

    @access(*CHECKERS)
    @rounds_api.arguments(OpenCheckRoundSchema)
    @rounds_api.response(201, CheckRoundSchema)
    def post(self, body: dict[str, Any]) -> CheckRound:
        """Open this month's round of a centre before the scheduler does. One a month."""
        return opening.open_round(db.session(), current_principal(), centre_id=body["centre_id"], **_with())


@rounds_api.route("/check-rounds/<uuid:round_id>")
class OneRound(MethodView):
    @access(*VIEWERS)
    @rounds_api.response(200, CheckRoundSchema)
    def get(self, round_id: uuid.UUID) -> CheckRound:
        """One round. It is closed on its page only, by a drawn signature and the password typed again."""
        return listing.get_round(db.session(), current_principal(), round_id)


@rounds_api.route("/check-rounds/<uuid:round_id>/items")
class Items(MethodView):
    @access(*VIEWERS)
    @rounds_api.arguments(CheckItemQuerySchema, location="query")
    @rounds_api.response(200, CheckItemListSchema)
    def get(self, query: dict[str, Any], round_id: uuid.UUID) -> dict[str, Any]:
        """All items of a round, or of one post's kit, in the order of the posts."""
        found = listing.items_of_round(db.session(), current_principal(), round_id, query["post_id"])
        return {"items": found}


@rounds_api.route("/check-items/<uuid:item_id>")
class OneItem(MethodView):
    @access(*VIEWERS)
    @rounds_api.response(200, CheckItemSchema)
    def get(self, item_id: uuid.UUID) -> CheckItem:
        """One item."""
        return listing.get_item(db.session(), current_principal(), item_id)


@rounds_api.route("/check-items/<uuid:item_id>/check")
class Check(MethodView):
    @access(*CHECKERS, late_transaction=True)
    @rounds_api.arguments(CheckTypedSchema)
    @rounds_api.response(200, CheckItemSchema)
    def post(self, body: dict[str, Any], item_id: uuid.UUID) -> CheckItem:
        """Blind check of a password: matches or not, so many tries a day. Not for whose own kit it is."""
        who, given = current_principal(), _with()
        secret_id = acts.secret_to_check(db.session(), who, item_id, **given)
        db.session().rollback()
        blind_check(secret_id, body["typed"])
        return acts.after_check(open_write(), who, item_id, **given)


@rounds_api.route("/check-items/<uuid:item_id>/attest")
class Attest(MethodView):
    @access(*CHECKERS)
    @rounds_api.arguments(CheckAttestSchema)
    @rounds_api.response(200, CheckItemSchema)
    def post(self, body: dict[str, Any], item_id: uuid.UUID) -> CheckItem:
        """A point of the account's profile was looked at (U07)."""
        return acts.attest(db.session(), current_principal(), item_id, **body, **_with())


@rounds_api.route("/check-items/<uuid:item_id>/unreachable")
class Unreachable(MethodView):
    @access(*CHECKERS)
    @rounds_api.arguments(CheckReasonSchema)
    @rounds_api.response(200, CheckItemSchema)
    def post(self, body: dict[str, Any], item_id: uuid.UUID) -> CheckItem:
        """It could not be checked."""
        return acts.unreachable(db.session(), current_principal(), item_id, **body, **_with())


@rounds_api.route("/check-items/<uuid:item_id>/waive")
class Waive(MethodView):
    @access(*CHECKERS)
    @rounds_api.arguments(CheckReasonSchema)
    @rounds_api.response(200, CheckItemSchema)
    def post(self, body: dict[str, Any], item_id: uuid.UUID) -> CheckItem:
        """Ask that it need not be checked this month; a second person decides."""
        return acts.waive(db.session(), current_principal(), item_id, **body, **_with())


@rounds_api.route("/check-items/<uuid:item_id>/waiver/<any(grant, refuse):word>")
class SettleWaiver(MethodView):
    @access(*CHECKERS)
    @rounds_api.response(200, CheckItemSchema)
    def post(self, item_id: uuid.UUID, word: str) -> CheckItem:
        """The second person's word on a waiver."""
        return acts.settle_waiver(
            db.session(), current_principal(), item_id, grant=word == "grant", **_with()
        )


@rounds_api.route("/check-items/<uuid:item_id>/reopen")
class Reopen(MethodView):
    @access(*CHECKERS)
    @rounds_api.arguments(CheckReasonSchema)
    @rounds_api.response(200, CheckItemSchema)
    def post(self, body: dict[str, Any], item_id: uuid.UUID) -> CheckItem:
        """What was entered was a mistake; it stays on record."""
        return acts.reopen(db.session(), current_principal(), item_id, **body, **_with())


@rounds_api.route("/change-cases")
class Cases(MethodView):
    @access(*_READERS)
    @rounds_api.arguments(ChangeCaseQuerySchema, location="query")
    @rounds_api.response(200, page_schema(ChangeCaseSchema))
    def get(self, query: dict[str, Any]) -> Page[ChangeCase]:
        """Cases of passwords that did not match, the latest first; a butler sees his own."""
        return case_views.list_cases(db.session(), current_principal(), **query)


@rounds_api.route("/change-cases/<uuid:case_id>")
class OneCase(MethodView):
    @access(*_READERS)
    @rounds_api.response(200, ChangeCaseSchema)
    def get(self, case_id: uuid.UUID) -> ChangeCase:
        """One case."""
        return case_views.get_case(db.session(), current_principal(), case_id)


@rounds_api.route("/change-cases/<uuid:case_id>/statement")
class Statement(MethodView):
    @access(*_SPEAKERS)
    @rounds_api.arguments(ChangeCaseWordsSchema)
    @rounds_api.response(200, ChangeCaseSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> ChangeCase:
        """What the butler says of it, until it is decided."""
        return cases.make_statement(db.session(), current_principal(), case_id, **body, **_told())


@rounds_api.route("/change-cases/<uuid:case_id>/decide")
class Decide(MethodView):
    @access(*CHECKERS)
    @rounds_api.arguments(ChangeCaseDecideSchema)
    @rounds_api.response(200, ChangeCaseSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> ChangeCase:
        """Unauthorised, explained, or the record was wrong. Nobody is blamed before he could say something."""
        finding = Finding(body.pop("finding"))
        return cases.decide(db.session(), current_principal(), case_id, finding=finding, **body, **_with())


@rounds_api.route("/change-cases/<uuid:case_id>/appeal")
class Appeal(MethodView):
    @access(*_SPEAKERS)
    @rounds_api.arguments(ChangeCaseWordsSchema)
    @rounds_api.response(200, ChangeCaseSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> ChangeCase:
        """Once, against being found to blame."""
        return cases.appeal(db.session(), current_principal(), case_id, **body, **_told())


@rounds_api.route("/change-cases/<uuid:case_id>/answer")
class Answer(MethodView):
    @access(*CHECKERS)
    @rounds_api.arguments(ChangeCaseAnswerSchema)
    @rounds_api.response(200, ChangeCaseSchema)
    def post(self, body: dict[str, Any], case_id: uuid.UUID) -> ChangeCase:
        """A second person's last word on an appeal."""
        return cases.answer(db.session(), current_principal(), case_id, **body, **_with())
