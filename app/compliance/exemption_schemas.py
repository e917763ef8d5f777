"""What the API of exemptions takes and gives."""

from __future__ import annotations

from marshmallow import fields, validate

from app.compliance.exemption_rules import EXEMPTABLE, MAX_SUBJECT
from app.compliance.exemption_service import MAX_NOTE, MAX_REASON
from app.compliance.exemption_states import State
from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant

_STATES = [str(state) for state in State]
_CODES = sorted(EXEMPTABLE)


class ExemptionQuerySchema(PageArgs):
    state = fields.List(fields.String(validate=validate.OneOf(_STATES)), load_default=list)
    centre_id = fields.UUID(load_default=None)
    handset_id = fields.UUID(load_default=None)
    code = fields.String(load_default=None, validate=validate.OneOf(_CODES))


class ExemptionInSchema(StrictSchema):
    handset_id = fields.UUID(
        load_default=None, allow_none=True, metadata={"description": "null: every phone of the centre"}
    )
    centre_id = fields.UUID(
        load_default=None, allow_none=True, metadata={"description": "needed without a phone"}
    )
    code = fields.String(required=True, validate=validate.OneOf(_CODES))
    subject = fields.String(
        load_default="",
        validate=validate.Length(max=MAX_SUBJECT),
        metadata={"description": "as in the finding"},
    )
    reason = fields.String(required=True, validate=validate.Length(1, MAX_REASON))
    valid_to = Instant(
        required=True, metadata={"description": "the first instant at which it no longer holds"}
    )


class ExemptionNoteSchema(StrictSchema):
    note = fields.String(load_default="", validate=validate.Length(max=MAX_NOTE))


class ExemptionReasonSchema(StrictSchema):
    note = fields.String(required=True, validate=validate.Length(1, MAX_NOTE))


class ExemptionSchema(StrictSchema):
    """`valid_from` is the approval; `ended_at` where it stopped before `valid_to`, or was withdrawn."""

    id = fields.UUID()
    centre_id = fields.UUID()
    handset_id = fields.UUID(allow_none=True)
    code = fields.String(validate=validate.OneOf(_CODES))
    subject = fields.String()
    reason = fields.String()
    state = fields.String(validate=validate.OneOf(_STATES))
    valid_from = Instant(allow_none=True)
    valid_to = Instant()
    requested_by = fields.String()
    requested_at = Instant()
    decided_by = fields.String(allow_none=True)
    decided_at = Instant(allow_none=True)
    decision = fields.String(allow_none=True)
    ended_by = fields.String(allow_none=True)
    ended_at = Instant(allow_none=True)
    end_reason = fields.String(allow_none=True)
    version = fields.Integer()
