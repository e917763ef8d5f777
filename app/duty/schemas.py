from __future__ import annotations

from marshmallow import fields, validate

from app.duty.delegations import MAX_NOTE
from app.duty.messages import REASONS
from app.duty.states import Delegation, Excuse
from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant


class DelegationQuerySchema(PageArgs):
    state = fields.List(
        fields.String(validate=validate.OneOf([str(s) for s in Delegation])), load_default=list
    )
    centre_id = fields.UUID(load_default=None)
    handset_id = fields.UUID(load_default=None)


class ExcuseQuerySchema(PageArgs):
    state = fields.List(fields.String(validate=validate.OneOf([str(s) for s in Excuse])), load_default=list)
    centre_id = fields.UUID(load_default=None)
    handset_id = fields.UUID(load_default=None)


class DelegationInSchema(StrictSchema):
    handset_id = fields.UUID(required=True)
    to_post_id = fields.UUID(required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    note = fields.String(load_default="", validate=validate.Length(max=MAX_NOTE))


class ExcuseInSchema(StrictSchema):
    handset_id = fields.UUID(required=True)
    reason = fields.String(required=True, validate=validate.OneOf(list(REASONS)))
    starts_at = Instant(required=True)
    ends_at = Instant(
        load_default=None, allow_none=True, metadata={"description": "null only for a repair without an end"}
    )
    note = fields.String(required=True, validate=validate.Length(1, MAX_NOTE))


class DutyNoteSchema(StrictSchema):
    note = fields.String(load_default="", validate=validate.Length(max=MAX_NOTE))


class DutyReasonSchema(StrictSchema):
    note = fields.String(required=True, validate=validate.Length(1, MAX_NOTE))


class DelegationSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    handset_id = fields.UUID()
    from_post_id = fields.UUID()
    giver_id = fields.UUID()
    to_post_id = fields.UUID()
    delegate_id = fields.UUID(allow_none=True)
    starts_at = Instant()
    ends_at = Instant()
    force_from = Instant(
        allow_none=True, metadata={"description": "it holds from here: its acceptance at the earliest"}
    )
    force_to = Instant(allow_none=True)
    state = fields.String(validate=validate.OneOf([str(s) for s in Delegation]))
    note = fields.String()
    created_by = fields.String()
    created_at = Instant()
    answered_by = fields.String(allow_none=True)
    answered_at = Instant(allow_none=True)
    answer = fields.String(allow_none=True)
    ended_by = fields.String(allow_none=True)
    ended_at = Instant(allow_none=True)
    end_reason = fields.String(allow_none=True)


class ExcuseSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    handset_id = fields.UUID()
    reason = fields.String(validate=validate.OneOf(list(REASONS)))
    starts_at = Instant()
    ends_at = Instant(allow_none=True)
    state = fields.String(validate=validate.OneOf([str(s) for s in Excuse]))
    note = fields.String()
    filed_by = fields.String()
    filed_at = Instant()
    decided_by = fields.String(allow_none=True)
    decided_at = Instant(allow_none=True)
    decision = fields.String(allow_none=True)
    ended_by = fields.String(allow_none=True)
    ended_at = Instant(allow_none=True)
    end_reason = fields.String(allow_none=True)
