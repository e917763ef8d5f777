from __future__ import annotations

from marshmallow import fields, validate

from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant
from app.reports.rules import MATCHES, WHEN
from app.reports.states import State


class ReportQuerySchema(PageArgs):
    state = fields.String(load_default=None, validate=validate.OneOf([str(s) for s in State]))
    centre_id = fields.UUID(load_default=None)
    handset_id = fields.UUID(load_default=None)


class ConfirmSchema(StrictSchema):
    household_id = fields.UUID(required=True, metadata={"description": "a household of the post's grid"})
    called_at = Instant(
        required=True, metadata={"description": "when it called; not after the report was received"}
    )
    reason = fields.String(load_default="", validate=validate.Length(max=500))


class ReasonSchema(StrictSchema):
    reason = fields.String(required=True, validate=validate.Length(1, 500))


class ReportSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    post_id = fields.UUID()
    grid_id = fields.UUID()
    room = fields.String()
    said = fields.String()
    when_said = fields.String(validate=validate.OneOf(list(WHEN)))
    received_at = Instant()
    matched = fields.String(validate=validate.OneOf(list(MATCHES)))
    household_id = fields.UUID(allow_none=True)
    handset_id = fields.UUID(allow_none=True)
    probed_at = Instant(allow_none=True)
    state = fields.String(validate=validate.OneOf([str(s) for s in State]))
    called_at = Instant(allow_none=True)
    judged_at = Instant(allow_none=True)
    judged_by = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
