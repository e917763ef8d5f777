from __future__ import annotations

from marshmallow import fields, validate

from app.dialling import RESULTS, SOURCES, WITHDRAWN, CallState
from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant


class CallQuerySchema(StrictSchema):
    centre_id = fields.UUID(load_default=None)


class CallInSchema(StrictSchema):
    handset_id = fields.UUID(required=True)


class CallSchema(StrictSchema):
    """`number_id` and `e164` are null where no number is registered: nothing can be called."""

    id = fields.UUID(attribute="call.id")
    centre_id = fields.UUID(attribute="call.centre_id")
    handset_id = fields.UUID(attribute="call.handset_id")
    asset_tag = fields.String(attribute="tag")
    post = fields.String()
    number_id = fields.UUID(allow_none=True)
    e164 = fields.String(allow_none=True)
    source = fields.String(attribute="call.source", validate=validate.OneOf(list(SOURCES)))
    cause = fields.String(attribute="call.cause")
    state = fields.String(attribute="call.state", validate=validate.OneOf([str(s) for s in CallState]))
    opened_at = Instant(attribute="call.opened_at")


class CallListSchema(StrictSchema):
    items = fields.List(fields.Nested(CallSchema))


class AddedSchema(StrictSchema):
    added = fields.Boolean(metadata={"description": "false: it stood on the list already"})


class ResultInSchema(StrictSchema):
    number_id = fields.UUID(required=True, metadata={"description": "the number that was called, as listed"})
    result = fields.String(required=True, validate=validate.OneOf(list(RESULTS)))


class CorrectionSchema(StrictSchema):
    result = fields.String(
        required=True,
        validate=validate.OneOf([*RESULTS, WITHDRAWN]),
        metadata={"description": "`withdrawn`: there was no such call"},
    )
    reason = fields.String(required=True, validate=validate.Length(1, 500))


class TestQuerySchema(PageArgs):
    centre_id = fields.UUID(load_default=None)
    handset_id = fields.UUID(load_default=None)
    result = fields.String(load_default=None, validate=validate.OneOf([*RESULTS, WITHDRAWN]))
    corrected = fields.Boolean(
        load_default=False, metadata={"description": "also those that another took the place of"}
    )


class DialTestSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    handset_id = fields.UUID()
    call_id = fields.UUID()
    post_id = fields.UUID()
    number_id = fields.UUID()
    employee_id = fields.UUID(allow_none=True)
    e164 = fields.String()
    result = fields.String(validate=validate.OneOf([*RESULTS, WITHDRAWN]))
    at = Instant()
    by = fields.String()
    recorded_at = Instant()
    corrects = fields.UUID(allow_none=True)
    reason = fields.String()
