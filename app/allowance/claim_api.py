"""Receipts over the JSON API."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import Response
from flask.views import MethodView
from flask_smorest.fields import Upload

from app.allowance import claims, lists
from app.allowance.api import attachment, tools
from app.allowance.model import TopupClaim
from app.allowance.receipt_rules import EXTENSIONS, MAX_BYTES
from app.allowance.schemas import (
    ClaimApproveSchema,
    ClaimFormSchema,
    ClaimQuerySchema,
    ClaimReasonSchema,
    TopupClaimSchema,
)
from app.allowance.tools import VIEWERS
from app.http.access import SIGNED_IN, access
from app.http.api import API_PREFIX, Blueprint, StrictSchema, page_schema
from app.http.identity import current_principal
from app.http.transaction import open_write
from app.kernel.db import db
from app.kernel.paging import Page
from app.runtime import runtime

claim_api = Blueprint(
    "topup_claims", __name__, url_prefix=API_PREFIX, description="充值报销 / Receipts of top-ups"
)
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_FILE = {200: {"content": dict.fromkeys(EXTENSIONS, _BYTES)}}


class ReceiptSchema(StrictSchema):
    receipt = Upload(required=True)


@claim_api.route("/topup-claims")
class Claims(MethodView):
    @access(*VIEWERS)
    @claim_api.arguments(ClaimQuerySchema, location="query")
    @claim_api.response(200, page_schema(TopupClaimSchema))
    def get(self, query: dict[str, Any]) -> Page[TopupClaim]:
        """Receipts, the newest first."""
        return lists.list_claims(db.session(), current_principal(), **query)

    @access(*claims.FILERS, late_transaction=True)
    @claim_api.arguments(ClaimFormSchema, location="form")
    @claim_api.arguments(ReceiptSchema, location="files")
    @claim_api.response(201, TopupClaimSchema)
    def post(self, form: dict[str, Any], files: dict[str, Any]) -> TopupClaim:
        """File a receipt: one's own, or for a butler by operations."""
        return file_form(form, files["receipt"])


def file_form(form: dict[str, Any], upload: Any) -> TopupClaim:
    """Read and take the whole file first: neither a slow sender nor a large photo may hold the only write lock."""
    receipt = claims.take_receipt(upload.read(MAX_BYTES + 1))
    session, principal = open_write(), current_principal()
    given = claims.ClaimInput(
        employee_id=form["employee_id"] or lists.own_employee(principal),
        paid_fen=form["paid_fen"],
        paid_on=form["paid_on"],
        number=form["receipt_number"],
        note=form["note"],
        receipt=receipt,
    )
    return claims.file_claim(session, principal, tools(), given, _now())


def _now() -> dt.datetime:
    return runtime().clock.now()


@claim_api.route("/topup-claims/<uuid:claim_id>")
class OneClaim(MethodView):
    @access(*SIGNED_IN)
    @claim_api.response(200, TopupClaimSchema)
    def get(self, claim_id: uuid.UUID) -> TopupClaim:
        """One receipt's claim; a butler's own only."""
        return claims.get(db.session(), current_principal(), claim_id)


@claim_api.route("/topup-claims/<uuid:claim_id>/receipt")
class Receipt(MethodView):
    @access(*SIGNED_IN)
    @claim_api.doc(responses=_FILE)
    @claim_api.response(200)
    def get(self, claim_id: uuid.UUID) -> Response:
        """The file, as it was put up."""
        return receipt_response(claim_id)


def receipt_response(claim_id: uuid.UUID) -> Response:
    claim, data, kind = claims.receipt(db.session(), current_principal(), tools(), claim_id)
    return attachment(data, kind, claim.receipt_name, claim.receipt_name)


@claim_api.route("/topup-claims/<uuid:claim_id>/approve")
class Approve(MethodView):
    @access(*claims.DECIDERS)
    @claim_api.arguments(ClaimApproveSchema)
    @claim_api.response(200, TopupClaimSchema)
    def post(self, body: dict[str, Any], claim_id: uuid.UUID) -> TopupClaim:
        """Pay it back; 409 for a month that R02 cancelled or may yet cancel, and beyond the cap."""
        fen, reason = body["approved_fen"], body["reason"]
        return claims.approve(
            db.session(), current_principal(), tools(), claim_id, fen=fen, reason=reason, now=_now()
        )


@claim_api.route("/topup-claims/<uuid:claim_id>/reject")
class Reject(MethodView):
    @access(*claims.DECIDERS)
    @claim_api.arguments(ClaimReasonSchema)
    @claim_api.response(200, TopupClaimSchema)
    def post(self, body: dict[str, Any], claim_id: uuid.UUID) -> TopupClaim:
        """Refuse it, with the reason that the butler is told."""
        return claims.reject(db.session(), current_principal(), claim_id, **body, now=_now())


@claim_api.route("/topup-claims/<uuid:claim_id>/reverse")
class Reverse(MethodView):
    @access(*claims.DECIDERS)
    @claim_api.arguments(ClaimReasonSchema)
    @claim_api.response(200, TopupClaimSchema)
    def post(self, body: dict[str, Any], claim_id: uuid.UUID) -> TopupClaim:
        """Take an approval back that was a mistake, by a linked row in the ledger."""
        return claims.take_back(db.session(), current_principal(), claim_id, **body, now=_now())


@claim_api.route("/topup-claims/<uuid:claim_id>/withdraw")
class Withdraw(MethodView):
    @access(*claims.FILERS)
    @claim_api.response(200, TopupClaimSchema)
    def post(self, claim_id: uuid.UUID) -> TopupClaim:
        """Taken back by who filed it, or by whose it is, before it is decided."""
        return claims.withdraw(db.session(), current_principal(), claim_id, now=_now())
