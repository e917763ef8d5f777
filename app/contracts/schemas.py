from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from app.contracts.contract_service import MAX_REASON
from app.contracts.purchase_service import Bought
from app.contracts.request_service import Wanted
from app.contracts.rules import CONCLUSIONS, MAX_FEN, Terms
from app.contracts.states import Assessment, Request
from app.contracts.views import SORTS
from app.contracts.words import PLANS
from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant


def _fen() -> validate.Range:
    return validate.Range(0, MAX_FEN)


class ContractQuerySchema(PageArgs):
    all_rows = fields.Boolean(
        load_default=False, metadata={"description": "every contract, not only the last one of each number"}
    )
    centre_id = fields.UUID(load_default=None)
    number_id = fields.UUID(load_default=None)
    ends_from = fields.Date(load_default=None)
    ends_to = fields.Date(load_default=None)
    sort = fields.String(load_default="ends_on", validate=validate.OneOf(list(SORTS)))


class TermsSchema(StrictSchema):
    """Days are whole days in Shanghai, both included; amounts in fen."""

    carrier = fields.String(required=True, validate=validate.Length(1, 40))
    plan_type = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(list(PLANS)))
    plan_name = fields.String(required=True, validate=validate.Length(1, 120))
    monthly_fen = fields.Integer(required=True, strict=True, validate=_fen())
    handset_budget_fen = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=_fen(),
        metadata={"description": "what the contract allows a new phone to cost; null: not known"},
    )
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True)
    registered_name = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 200))
    note = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 500))


class ContractInSchema(TermsSchema):
    number_id = fields.UUID(required=True)
    renews_id = fields.UUID(load_default=None, allow_none=True)

    @post_load
    def _terms(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        number_id, renews_id = data.pop("number_id"), data.pop("renews_id")
        return {"number_id": number_id, "renews_id": renews_id, "terms": Terms(**data)}


class ContractChangeSchema(TermsSchema):
    reason = fields.String(required=True, validate=validate.Length(1, MAX_REASON))

    @post_load
    def _terms(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        reason = data.pop("reason")
        return {"reason": reason, "terms": Terms(**data)}


class ContractReasonSchema(StrictSchema):
    reason = fields.String(required=True, validate=validate.Length(1, MAX_REASON))


class ContractNoteSchema(StrictSchema):
    note = fields.String(load_default="", validate=validate.Length(max=MAX_REASON))


class ContractSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    number_id = fields.UUID()
    carrier = fields.String()
    plan_type = fields.String(allow_none=True, validate=validate.OneOf(list(PLANS)))
    plan_name = fields.String()
    monthly_fen = fields.Integer()
    handset_budget_fen = fields.Integer(allow_none=True)
    starts_on = fields.Date()
    ends_on = fields.Date()
    registered_name = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    renews_id = fields.UUID(allow_none=True)
    file_sha256 = fields.String(allow_none=True)
    created_by = fields.String()
    created_at = Instant()
    voided_at = Instant(allow_none=True)
    void_reason = fields.String(allow_none=True)
    version = fields.Integer()


class WorkQuerySchema(PageArgs):
    centre_id = fields.UUID(load_default=None)
    handset_id = fields.UUID(load_default=None)


class AssessmentQuerySchema(WorkQuerySchema):
    state = fields.List(fields.String(validate=validate.OneOf(list(Assessment))), load_default=list)


class RequestQuerySchema(WorkQuerySchema):
    state = fields.List(fields.String(validate=validate.OneOf(list(Request))), load_default=list)


class AssessmentSchema(StrictSchema):
    """Signatures are drawn and proved on the page, so an assessment is only read here."""

    id = fields.UUID()
    centre_id = fields.UUID()
    contract_id = fields.UUID()
    number_id = fields.UUID()
    post_id = fields.UUID()
    handset_id = fields.UUID()
    state = fields.String(validate=validate.OneOf(list(Assessment)))
    items = fields.Dict(keys=fields.String(), values=fields.Dict())
    conclusion = fields.String(allow_none=True, validate=validate.OneOf(list(CONCLUSIONS)))
    reason = fields.String()
    digest = fields.String(allow_none=True, metadata={"description": "sha256 of the text that was signed"})
    opened_by = fields.String()
    submitted_by = fields.String(allow_none=True)
    submitted_at = Instant(allow_none=True)
    decided_by = fields.String(allow_none=True)
    decided_at = Instant(allow_none=True)
    paper_id = fields.UUID(allow_none=True)
    created_at = Instant()
    version = fields.Integer()


class RequestInSchema(StrictSchema):
    brand = fields.String(required=True, validate=validate.Length(1, 60))
    model = fields.String(required=True, validate=validate.Length(1, 100))
    price_fen = fields.Integer(required=True, strict=True, validate=validate.Range(1, MAX_FEN))
    specification = fields.Dict(
        keys=fields.String(validate=validate.Length(1, 60)),
        values=fields.String(validate=validate.Length(1, 200)),
        load_default=dict,
        validate=validate.Length(max=40),
    )
    over_reason = fields.String(load_default="", validate=validate.Length(max=MAX_REASON))
    note = fields.String(load_default="", validate=validate.Length(max=MAX_REASON))

    @post_load
    def _wanted(self, data: dict[str, Any], **_: Any) -> Wanted:
        return Wanted(**data)


class BoughtSchema(StrictSchema):
    handset_id = fields.UUID(required=True)
    bought_fen = fields.Integer(required=True, strict=True, validate=validate.Range(1, MAX_FEN))
    bought_on = fields.Date(required=True)
    invoice_number = fields.String(load_default="", validate=validate.Length(max=60))
    note = fields.String(load_default="", validate=validate.Length(max=MAX_REASON))

    @post_load
    def _bought(self, data: dict[str, Any], **_: Any) -> Bought:
        return Bought(**data)


class ComparedSchema(StrictSchema):
    label = fields.String()
    old = fields.String(allow_none=True)
    new = fields.String(allow_none=True)
    verdict = fields.String(validate=validate.OneOf(["ok", "lower", "unknown"]))


class RequestSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    assessment_id = fields.UUID()
    contract_id = fields.UUID()
    post_id = fields.UUID()
    handset_id = fields.UUID()
    state = fields.String(validate=validate.OneOf(list(Request)))
    brand = fields.String()
    model = fields.String()
    specification = fields.Dict(keys=fields.String(), values=fields.String())
    compared = fields.List(fields.Nested(ComparedSchema))
    price_fen = fields.Integer()
    budget_fen = fields.Integer(allow_none=True)
    over_reason = fields.String()
    note = fields.String()
    requested_by = fields.String()
    approved_by = fields.String(allow_none=True)
    approved_at = Instant(allow_none=True)
    second_by = fields.String(allow_none=True)
    second_at = Instant(allow_none=True)
    ended_by = fields.String(allow_none=True)
    ended_at = Instant(allow_none=True)
    end_reason = fields.String(allow_none=True)
    new_handset_id = fields.UUID(allow_none=True)
    bought_fen = fields.Integer(allow_none=True)
    bought_on = fields.Date(allow_none=True)
    invoice_number = fields.String(allow_none=True)
    disposal_id = fields.UUID(allow_none=True)
    paper_id = fields.UUID(allow_none=True)
    created_at = Instant()
    version = fields.Integer()
