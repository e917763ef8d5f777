from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask.views import MethodView

from app.contracts import contract_service, drafting_service, purchase_service, request_service, views
from app.contracts.listing import list_work
from app.contracts.model import Assessment, NumberContract, ReplacementRequest
from app.contracts.schemas import (
    AssessmentQuerySchema,
    AssessmentSchema,
    BoughtSchema,
    ContractChangeSchema,
    ContractInSchema,
    ContractNoteSchema,
    ContractQuerySchema,
    ContractReasonSchema,
    ContractSchema,
    RequestInSchema,
    RequestQuerySchema,
    RequestSchema,
)
from app.http.access import STAFF, access
from app.http.api import API_PREFIX, Blueprint, etag, expected_version, page_schema
from app.http.identity import current_principal
from app.kernel.db import db
from app.kernel.paging import Page
from app.runtime import runtime

contracts_api = Blueprint(
    "contracts",
    __name__,
    url_prefix=API_PREFIX,
    description="号码合约、评估与换机 / Number contracts, assessments, replacement requests (R06, U04)",
)
DESK, BUYERS = request_service.DESK, purchase_service.BUYERS


def _now() -> dt.datetime:
    return runtime().clock.now()


def _tagged(row: NumberContract) -> Any:
    return row, 200, {"ETag": etag(row.version)}


@contracts_api.route("/number-contracts")
class Contracts(MethodView):
    @access(*STAFF)
    @contracts_api.arguments(ContractQuerySchema, location="query")
    @contracts_api.response(200, page_schema(ContractSchema))
    def get(self, query: dict[str, Any]) -> Page[NumberContract]:
        """The last contract of each number, by what ends next."""
        return views.list_contracts(db.session(), current_principal(), **query)

    @access(*contract_service.WRITERS)
    @contracts_api.arguments(ContractInSchema)
    @contracts_api.response(201, ContractSchema)
    def post(self, body: dict[str, Any]) -> NumberContract:
        """Enter a contract, or one that follows another; 409 `overlap` where days are shared."""
        return contract_service.enter(db.session(), current_principal(), **body, now=_now())


@contracts_api.route("/number-contracts/<uuid:contract_id>")
class OneContract(MethodView):
    @access(*STAFF)
    @contracts_api.response(200, ContractSchema)
    def get(self, contract_id: uuid.UUID) -> Any:
        """One contract, with its ETag."""
        return _tagged(contract_service.find_contract(db.session(), current_principal(), contract_id))

    @access(*contract_service.WRITERS, if_match=True)
    @contracts_api.arguments(ContractChangeSchema)
    @contracts_api.response(200, ContractSchema)
    def put(self, body: dict[str, Any], contract_id: uuid.UUID) -> Any:
        """Correct it, or end it earlier; says why."""
        row = contract_service.change(
            db.session(), current_principal(), contract_id, **body, version=expected_version(), now=_now()
        )
        return _tagged(row)


@contracts_api.route("/number-contracts/<uuid:contract_id>/void")
class VoidContract(MethodView):
    @access(*contract_service.WRITERS, if_match=True)
    @contracts_api.arguments(ContractReasonSchema)
    @contracts_api.response(200, ContractSchema)
    def post(self, body: dict[str, Any], contract_id: uuid.UUID) -> Any:
        """Entered by mistake: it never held."""
        row = contract_service.void(
            db.session(), current_principal(), contract_id, **body, version=expected_version(), now=_now()
        )
        return _tagged(row)


@contracts_api.route("/number-contracts/<uuid:contract_id>/assessments")
class OpenAssessment(MethodView):
    @access(*DESK)
    @contracts_api.response(201, AssessmentSchema)
    def post(self, contract_id: uuid.UUID) -> Assessment:
        """Begin the assessment of the phone of the number's post; filled in and signed on its page."""
        return drafting_service.open_assessment(
            db.session(), current_principal(), contract_id, policies=runtime().policies, now=_now()
        )


@contracts_api.route("/contract-assessments")
class Assessments(MethodView):
    @access(*STAFF)
    @contracts_api.arguments(AssessmentQuerySchema, location="query")
    @contracts_api.response(200, page_schema(AssessmentSchema))
    def get(self, query: dict[str, Any]) -> Page[Assessment]:
        """Assessments, the newest first."""
        wanted = query.pop("state")
        return list_work(db.session(), current_principal(), Assessment, wanted=wanted, **query)


@contracts_api.route("/contract-assessments/<uuid:assessment_id>")
class OneAssessment(MethodView):
    @access(*STAFF)
    @contracts_api.response(200, AssessmentSchema)
    def get(self, assessment_id: uuid.UUID) -> Assessment:
        """One assessment."""
        return drafting_service.find_assessment(db.session(), current_principal(), assessment_id)


@contracts_api.route("/contract-assessments/<uuid:assessment_id>/requests")
class AskForReplacement(MethodView):
    @access(*DESK)
    @contracts_api.arguments(RequestInSchema)
    @contracts_api.response(201, RequestSchema)
    def post(self, body: request_service.Wanted, assessment_id: uuid.UUID) -> ReplacementRequest:
        """Ask for a new phone after an assessment that says so; over the contract's price with a reason."""
        here = runtime()
        return request_service.ask(
            db.session(), current_principal(), assessment_id, body, policies=here.policies, now=_now()
        )


@contracts_api.route("/replacement-requests")
class Requests(MethodView):
    @access(*STAFF)
    @contracts_api.arguments(RequestQuerySchema, location="query")
    @contracts_api.response(200, page_schema(RequestSchema))
    def get(self, query: dict[str, Any]) -> Page[ReplacementRequest]:
        """Requests, the newest first."""
        wanted = query.pop("state")
        return list_work(db.session(), current_principal(), ReplacementRequest, wanted=wanted, **query)


@contracts_api.route("/replacement-requests/<uuid:request_id>")
class OneRequest(MethodView):
    @access(*STAFF)
    @contracts_api.response(200, RequestSchema)
    def get(self, request_id: uuid.UUID) -> ReplacementRequest:
        """One request."""
        return request_service.find_request(db.session(), current_principal(), request_id)


@contracts_api.route("/replacement-requests/<uuid:request_id>/approve")
class ApproveRequest(MethodView):
    @access(*DESK, *request_service.SECOND)
    @contracts_api.arguments(ContractNoteSchema)
    @contracts_api.response(200, RequestSchema)
    def post(self, body: dict[str, Any], request_id: uuid.UUID) -> ReplacementRequest:
        """By another person than who asked; over the contract's price then by finance, a third one."""
        keys = runtime().keys
        return request_service.approve(
            db.session(), current_principal(), request_id, note=body["note"], keys=keys, now=_now()
        )


@contracts_api.route("/replacement-requests/<uuid:request_id>/reject")
class RejectRequest(MethodView):
    @access(*DESK, *request_service.SECOND)
    @contracts_api.arguments(ContractReasonSchema)
    @contracts_api.response(200, RequestSchema)
    def post(self, body: dict[str, Any], request_id: uuid.UUID) -> ReplacementRequest:
        """By whoever may approve it now."""
        return request_service.reject(db.session(), current_principal(), request_id, **body, now=_now())


@contracts_api.route("/replacement-requests/<uuid:request_id>/withdraw")
class WithdrawRequest(MethodView):
    @access(*DESK)
    @contracts_api.arguments(ContractReasonSchema)
    @contracts_api.response(200, RequestSchema)
    def post(self, body: dict[str, Any], request_id: uuid.UUID) -> ReplacementRequest:
        """Take it back before it is approved."""
        return request_service.withdraw(db.session(), current_principal(), request_id, **body, now=_now())


@contracts_api.route("/replacement-requests/<uuid:request_id>/cancel")
class CancelRequest(MethodView):
    @access(*DESK)
    @contracts_api.arguments(ContractReasonSchema)
    @contracts_api.response(200, RequestSchema)
    def post(self, body: dict[str, Any], request_id: uuid.UUID) -> ReplacementRequest:
        """Approved, and nothing bought."""
        return request_service.cancel(db.session(), current_principal(), request_id, **body, now=_now())


@contracts_api.route("/replacement-requests/<uuid:request_id>/buy")
class BuyForRequest(MethodView):
    @access(*BUYERS)
    @contracts_api.arguments(BoughtSchema)
    @contracts_api.response(200, RequestSchema)
    def post(self, body: purchase_service.Bought, request_id: uuid.UUID) -> ReplacementRequest:
        """Say which registered phone was bought, no dearer than was approved."""
        policies = runtime().policies
        return purchase_service.buy(
            db.session(), current_principal(), request_id, body, policies=policies, now=_now()
        )


@contracts_api.route("/replacement-requests/<uuid:request_id>/undo-buy")
class UndoBuy(MethodView):
    @access(*BUYERS)
    @contracts_api.arguments(ContractReasonSchema)
    @contracts_api.response(200, RequestSchema)
    def post(self, body: dict[str, Any], request_id: uuid.UUID) -> ReplacementRequest:
        """The purchase was entered wrongly, or the phone went back."""
        return purchase_service.undo_buy(db.session(), current_principal(), request_id, **body, now=_now())


@contracts_api.route("/replacement-requests/<uuid:request_id>/replace")
class Replace(MethodView):
    @access(*BUYERS)
    @contracts_api.response(200, RequestSchema)
    def post(self, request_id: uuid.UUID) -> ReplacementRequest:
        """The new phone takes the old one's place, which stands as "to be destroyed"."""
        return purchase_service.replace(db.session(), current_principal(), request_id, now=_now())
