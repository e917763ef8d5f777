from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.allowance.rules import LineState
from app.allowance.states import State
from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant


def _seen(of_what: str) -> fields.String:
    check = validate.Regexp(r"\A[0-9a-f]{64}\Z")
    return fields.String(required=True, validate=check, metadata={"description": of_what})


def _month(*, required: bool = False) -> fields.String:
    """A month of Shanghai; null unless required."""
    about = {"pattern": r"^(20\d\d|2100)-(0[1-9]|1[0-2])$", "example": "2026-11"}
    check = validate.Regexp(r"\A(20\d\d|2100)-(0[1-9]|1[0-2])\Z")
    if required:
        return fields.String(required=True, validate=check, metadata=about)
    return fields.String(load_default=None, validate=check, metadata=about)


class MonthQuerySchema(PageArgs):
    centre_id = fields.UUID(load_default=None)
    month = _month()


class PreviewQuerySchema(StrictSchema):
    centre_id = fields.UUID(required=True)
    month = _month(required=True)


class MonthCloseSchema(StrictSchema):
    centre_id = fields.UUID(required=True)
    month = _month(required=True)
    seen = _seen("`sha256` of the preview that is confirmed")


class MonthCorrectSchema(StrictSchema):
    seen = _seen("`sha256` of the corrections that are confirmed")
    reason = fields.String(required=True, validate=validate.Length(1, 500))


class AllowanceMonthSchema(Schema):
    """A closed month of one centre, and by what it was closed."""

    id = fields.UUID()
    centre_id = fields.UUID()
    month = fields.String()
    policy_version = fields.Integer()
    policy_sha256 = fields.String()
    uptime_version = fields.Integer()
    uptime_sha256 = fields.String()
    lines_sha256 = fields.String()
    closed_by = fields.String()
    closed_at = Instant()
    checked_at = Instant()


class MonthMatterSchema(Schema):
    incident = fields.UUID()
    handset = fields.UUID()
    at = fields.String(metadata={"format": "date-time"})
    kind = fields.String(validate=validate.OneOf(["strike", "suspected", "undecided"]))


class AllowanceLineSchema(Schema):
    """One employee's month; money in fen. `revision` 0: of a preview, 1: of the closing, more: of a correction."""

    employee_id = fields.UUID()
    number = fields.String()
    name = fields.String()
    days = fields.Integer()
    amount = fields.Integer(metadata={"description": "what custody earns, fen"})
    paid = fields.Integer(metadata={"description": "what is paid, fen"})
    state = fields.String(validate=validate.OneOf([str(s) for s in LineState]))
    strikes = fields.Integer()
    suspected = fields.Integer()
    undecided = fields.Integer()
    why = fields.String()
    shares = fields.String()
    matters = fields.List(fields.Nested(MonthMatterSchema))
    revision = fields.Integer()
    correction = fields.String()
    trace = fields.String(allow_none=True, metadata={"description": "sha256 of the trace kept with it"})


class AllowanceSheetSchema(Schema):
    """A month as it is closed, or as it would be closed now."""

    centre_id = fields.UUID(attribute="centre.id")
    month = fields.String()
    row = fields.Nested(AllowanceMonthSchema, allow_none=True, data_key="closed")
    sha256 = fields.String()
    monthly_fen = fields.Integer()
    hindrance = fields.String(allow_none=True)
    lines = fields.List(fields.Nested(AllowanceLineSchema))


class MonthLossSchema(Schema):
    now = fields.Nested(AllowanceLineSchema)
    closed = fields.Nested(AllowanceLineSchema, allow_none=True)


class MonthCorrectionsSchema(Schema):
    """What new evidence would take from people of a closed month; `sha256` is what a confirmation names."""

    sha256 = fields.String()
    losses = fields.List(fields.Nested(MonthLossSchema))
    gains = fields.Integer(metadata={"description": "people who get more; booked by itself within minutes"})
    waiting = fields.Integer(metadata={"description": "paid people of whom incidents wait"})


class MonthCorrectedSchema(Schema):
    corrected = fields.Integer()


class PayrollExportSchema(Schema):
    id = fields.UUID()
    centre_id = fields.UUID()
    month_id = fields.UUID()
    sha256 = fields.String()
    file_name = fields.String()
    people = fields.Integer()
    net_fen = fields.Integer()
    created_by = fields.String()
    created_at = Instant()


class LedgerQuerySchema(PageArgs):
    centre_id = fields.UUID(load_default=None)
    employee_id = fields.UUID(load_default=None)
    month = _month()


class LedgerEntrySchema(Schema):
    """One booking; never changed, only reversed by another that names it."""

    id = fields.UUID()
    centre_id = fields.UUID()
    employee_id = fields.UUID()
    month = fields.String()
    account = fields.String()
    amount_fen = fields.Integer()
    rule = fields.String()
    reverses_id = fields.UUID(allow_none=True)
    note = fields.String()
    booked_by = fields.String()
    booked_at = Instant()


class OwnAllowanceSchema(Schema):
    """One's own months, latest first, and the bookings behind them."""

    lines = fields.List(fields.Nested(AllowanceLineSchema))
    months = fields.List(fields.String(), metadata={"description": "of `lines`, in the same order"})
    entries = fields.List(fields.Nested(LedgerEntrySchema))


class ClaimQuerySchema(PageArgs):
    centre_id = fields.UUID(load_default=None)
    employee_id = fields.UUID(load_default=None)
    month = _month()
    state = fields.String(load_default=None, validate=validate.OneOf([str(s) for s in State]))


class ClaimFormSchema(StrictSchema):
    employee_id = fields.UUID(load_default=None, metadata={"description": "default: oneself"})
    paid_fen = fields.Integer(required=True, validate=validate.Range(1, 10_000_000))
    paid_on = fields.Date(required=True, format="iso", metadata={"description": "the day in Shanghai"})
    receipt_number = fields.String(load_default=None, validate=validate.Length(max=60))
    note = fields.String(load_default="", validate=validate.Length(max=500))


class TopupClaimSchema(Schema):
    id = fields.UUID()
    centre_id = fields.UUID()
    employee_id = fields.UUID()
    month = fields.String()
    paid_fen = fields.Integer()
    paid_on = fields.Date(format="iso")
    receipt_number = fields.String(allow_none=True)
    receipt_sha256 = fields.String()
    note = fields.String()
    state = fields.String(validate=validate.OneOf([str(s) for s in State]))
    filed_by = fields.String()
    created_at = Instant()
    approved_fen = fields.Integer(allow_none=True)
    decided_by = fields.String(allow_none=True)
    decided_at = Instant(allow_none=True)
    reason = fields.String(allow_none=True)
    reversed_for = fields.String(allow_none=True)
    entry_id = fields.UUID(allow_none=True)


class ClaimApproveSchema(StrictSchema):
    approved_fen = fields.Integer(
        load_default=None,
        validate=validate.Range(1, 10_000_000),
        metadata={"description": "default: all of it, as far as the month's cap goes"},
    )
    reason = fields.String(load_default="", validate=validate.Length(max=500))


class ClaimReasonSchema(StrictSchema):
    reason = fields.String(required=True, validate=validate.Length(1, 500))
