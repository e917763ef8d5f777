from __future__ import annotations

from marshmallow import fields, validate

from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant
from app.remedy.ordering import LOSS
from app.remedy.states import State
from app.remedy.tools import MAX_REASON

_STATES = [str(state) for state in State]


class RemedyQuerySchema(PageArgs):
    state = fields.List(fields.String(validate=validate.OneOf(_STATES)), load_default=list)
    code = fields.String(load_default=None, validate=validate.Length(1, 60))
    centre_id = fields.UUID(load_default=None)
    handset_id = fields.UUID(load_default=None)
    q = fields.String(load_default="", validate=validate.Length(max=100))


class RemedyReasonSchema(StrictSchema):
    reason = fields.String(required=True, validate=validate.Length(1, MAX_REASON))


class RemedyOrderSchema(RemedyReasonSchema):
    accept_loss = fields.Boolean(required=True, metadata={"description": LOSS})


class RemedyBlockerSchema(StrictSchema):
    code = fields.String()
    words = fields.String()
    link = fields.String(allow_none=True)


class RemedySchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    handset_id = fields.UUID()
    code = fields.String(
        metadata={"description": "of the finding; `not_inspected` for all that cannot be read"}
    )
    subject = fields.String()
    package = fields.String(allow_none=True)
    severity = fields.String()
    words = fields.String()
    evidence = fields.Dict(keys=fields.String())
    state = fields.String(validate=validate.OneOf(_STATES))
    why = fields.String(allow_none=True, metadata={"description": "why it is a task"})
    version = fields.Integer()
    first_seen = Instant()
    opened_at = Instant()
    failing_since = Instant(allow_none=True, metadata={"description": "the ladder's hours count from here"})
    unknown_since = Instant(allow_none=True)
    returns = fields.Integer(metadata={"description": "how often it came back"})
    orders = fields.Integer()
    ordered_by = fields.String(allow_none=True)
    ordered_at = Instant(allow_none=True)
    order_reason = fields.String(allow_none=True)
    command_id = fields.UUID(allow_none=True)
    acted_at = Instant(allow_none=True)
    outcome = fields.String(
        allow_none=True, metadata={"description": "the gateway's word, no proof by itself"}
    )
    after = fields.Dict(keys=fields.String(), allow_none=True)
    rest_until = Instant(allow_none=True)
    ended_at = Instant(allow_none=True)
    ended_by = fields.String(allow_none=True)
    end_reason = fields.String(allow_none=True)


class RemedyStepSchema(StrictSchema):
    at = Instant()
    step = fields.String()
    by = fields.String()
    words = fields.String()
    details = fields.Dict(keys=fields.String())


class RemedyDetailSchema(StrictSchema):
    remedy = fields.Nested(RemedySchema)
    steps = fields.List(fields.Nested(RemedyStepSchema))
    blocked = fields.List(
        fields.Nested(RemedyBlockerSchema), metadata={"description": "why it cannot be ordered now"}
    )
    acts = fields.List(fields.String(), metadata={"description": "what the caller may do now"})
    todo = fields.List(fields.String(), metadata={"description": "what to do on the phone, step by step"})
