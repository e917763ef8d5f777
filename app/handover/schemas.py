from __future__ import annotations

from marshmallow import fields, validate

from app.handover.items import MAX_COUNT, MAX_WORDS, RESULTS
from app.handover.model import KINDS, SIDES
from app.handover.rules import REASONS, ChangeKind
from app.handover.states import Case, Leg
from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant


class HandoverQuerySchema(PageArgs):
    state = fields.String(load_default=None, validate=validate.OneOf([str(s) for s in Case]))
    kind = fields.String(load_default=None, validate=validate.OneOf(KINDS))
    centre_id = fields.UUID(load_default=None)
    post_id = fields.UUID(load_default=None)
    handset_id = fields.UUID(load_default=None)
    words = fields.String(load_default="", validate=validate.Length(max=100))


class HandoverInSchema(StrictSchema):
    post_id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    reason = fields.String(required=True, validate=validate.OneOf(list(REASONS)))
    receiver_id = fields.UUID(load_default=None, allow_none=True)
    due_at = Instant(load_default=None, allow_none=True)
    place = fields.String(load_default="", validate=validate.Length(max=200))
    note = fields.String(load_default="", validate=validate.Length(max=MAX_WORDS))
    lead_user = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=200),
        metadata={"description": "user id of who leads it and signs for the staff; the caller when absent"},
    )


class HandoverReasonSchema(StrictSchema):
    reason = fields.String(required=True, validate=validate.Length(1, MAX_WORDS))


class HandoverReceiverSchema(StrictSchema):
    employee_id = fields.UUID(required=True)


class HandoverDueSchema(StrictSchema):
    due_at = Instant(required=True)


class HandoverItemInSchema(StrictSchema):
    present = fields.Boolean(required=True, allow_none=True, metadata={"description": "null: not known"})
    condition = fields.String(required=True, validate=validate.Length(max=20))
    words = fields.String(load_default="", validate=validate.Length(max=MAX_WORDS))


class HandoverNewItemSchema(StrictSchema):
    category = fields.String(required=True, validate=validate.OneOf(("accessory", "other")))
    name = fields.String(required=True, validate=validate.Length(1, 200))
    identifier = fields.String(load_default="", validate=validate.Length(max=300))


class HandoverCountsSchema(StrictSchema):
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(strict=True, allow_none=True, validate=validate.Range(0, MAX_COUNT)),
        required=True,
    )
    by = fields.String(required=True, validate=validate.Length(1, 100))


class HandoverHandTestSchema(StrictSchema):
    key = fields.String(required=True, validate=validate.Length(1, 40))
    result = fields.String(required=True, validate=validate.OneOf(RESULTS))
    words = fields.String(load_default="", validate=validate.Length(max=MAX_WORDS))


class HandoverSaidSchema(StrictSchema):
    side = fields.String(required=True, validate=validate.OneOf(SIDES))
    words = fields.String(required=True, validate=validate.Length(1, MAX_WORDS))


class HandoverSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    kind = fields.String(validate=validate.OneOf(KINDS))
    state = fields.String(validate=validate.OneOf([str(s) for s in Case]))
    post_id = fields.UUID()
    reason = fields.String(validate=validate.OneOf(list(REASONS)))
    note = fields.String()
    place = fields.String()
    giver_id = fields.UUID(allow_none=True)
    receiver_id = fields.UUID(allow_none=True)
    lead_user = fields.String()
    due_at = Instant()
    started_by = fields.String()
    started_at = Instant()
    ended_by = fields.String(allow_none=True)
    ended_at = Instant(allow_none=True)
    end_reason = fields.String(allow_none=True)


class HandoverLegSchema(StrictSchema):
    id = fields.UUID()
    handover_id = fields.UUID()
    number = fields.Integer()
    correction = fields.Integer()
    corrects_id = fields.UUID(allow_none=True)
    correction_reason = fields.String(allow_none=True)
    state = fields.String(validate=validate.OneOf([str(s) for s in Leg]))
    giver_id = fields.UUID(allow_none=True)
    giver_user = fields.String(allow_none=True)
    receiver_id = fields.UUID(allow_none=True)
    receiver_user = fields.String(allow_none=True)
    previous_id = fields.UUID(allow_none=True)
    counts = fields.Dict()
    version = fields.Integer()
    begun_at = Instant(allow_none=True)
    tests_asked_at = Instant(allow_none=True)
    completed_at = Instant(allow_none=True)
    paper_id = fields.UUID(allow_none=True)


class HandoverLegsSchema(StrictSchema):
    items = fields.List(fields.Nested(HandoverLegSchema))


class HandoverItemSchema(StrictSchema):
    id = fields.UUID()
    leg_id = fields.UUID()
    key = fields.String()
    category = fields.String()
    origin = fields.String()
    name = fields.String()
    identifier = fields.String()
    handset_id = fields.UUID(allow_none=True)
    present = fields.Boolean(allow_none=True)
    condition = fields.String()
    words = fields.String()
    version = fields.Integer()
    saved_by = fields.String(allow_none=True)
    saved_at = Instant(allow_none=True)
    removed_reason = fields.String(allow_none=True)


class HandoverItemsSchema(StrictSchema):
    items = fields.List(fields.Nested(HandoverItemSchema))


class HandoverHindranceSchema(StrictSchema):
    code = fields.String()
    words = fields.String()
    step = fields.String()


class HandoverReadySchema(StrictSchema):
    hindrances = fields.List(fields.Nested(HandoverHindranceSchema))
    warnings = fields.List(fields.Nested(HandoverHindranceSchema))


class HandoverDocumentSchema(StrictSchema):
    document = fields.Dict()
    digest = fields.String(
        metadata={"description": "sha256 of the canonical JSON of `document`: what is signed"}
    )


class HandoverRoundSchema(StrictSchema):
    id = fields.UUID()
    leg_id = fields.UUID()
    number = fields.Integer()
    digest = fields.String()
    frozen_by = fields.String()
    frozen_at = Instant()
    outcome = fields.String(allow_none=True)
    outcome_side = fields.String(allow_none=True)
    outcome_words = fields.String(allow_none=True)
    outcome_by = fields.String(allow_none=True)
    outcome_at = Instant(allow_none=True)


class HandoverExceptionSchema(StrictSchema):
    id = fields.UUID()
    leg_id = fields.UUID()
    side = fields.String(validate=validate.OneOf(SIDES))
    words = fields.String()
    by = fields.String()
    at = Instant()


class HandoverTestLineSchema(StrictSchema):
    key = fields.String()
    label = fields.String()
    result = fields.String(validate=validate.OneOf(RESULTS))
    at = Instant(allow_none=True)
    words = fields.String()
    stale = fields.Boolean()
    by_hand = fields.Boolean()
    handset_id = fields.UUID(allow_none=True)


class HandoverTestsSchema(StrictSchema):
    items = fields.List(fields.Nested(HandoverTestLineSchema))


class HandoverAskedSchema(StrictSchema):
    phones = fields.Integer()


class ItemStateSchema(StrictSchema):
    key = fields.String()
    category = fields.String()
    name = fields.String()
    identifier = fields.String()
    condition = fields.String()
    words = fields.String()
    present = fields.Boolean(allow_none=True)
    photos = fields.List(fields.String())


class InCustodySchema(StrictSchema):
    employee_id = fields.UUID(allow_none=True, metadata={"description": "null: staff, or it cannot be said"})
    name = fields.String()
    since = Instant()
    until = Instant(allow_none=True)


class HandoverChangeSchema(StrictSchema):
    kind = fields.String(validate=validate.OneOf([str(k) for k in ChangeKind]))
    key = fields.String()
    name = fields.String()
    before = fields.Nested(ItemStateSchema, allow_none=True)
    after = fields.Nested(ItemStateSchema, allow_none=True)
    in_custody_of = fields.Nested(InCustodySchema, allow_none=True)


class HandoverChangesSchema(StrictSchema):
    items = fields.List(fields.Nested(HandoverChangeSchema))
