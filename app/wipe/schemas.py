"""What comes in and goes out of the API."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant
from app.wipe.drafting import Answer, Draft
from app.wipe.rules import ANSWERS, CHECKLIST, DESTINATIONS, STRATEGIES
from app.wipe.states import State

_STATES = [str(state) for state in State]


def _words(*, required: bool = False) -> fields.String:
    if required:
        return fields.String(required=True, validate=validate.Length(1, 500))
    return fields.String(load_default="", validate=validate.Length(max=500))


class WipeQuerySchema(PageArgs):
    state = fields.List(fields.String(validate=validate.OneOf(_STATES)), load_default=list)
    centre_id = fields.UUID(load_default=None)
    handset_id = fields.UUID(load_default=None)
    words = fields.String(load_default="", validate=validate.Length(max=100))


class WipeOpenSchema(StrictSchema):
    handset_id = fields.UUID(required=True)


class WipeAnswerSchema(StrictSchema):
    answer = fields.String(required=True, validate=validate.OneOf(list(ANSWERS)))
    words = fields.String(load_default="", validate=validate.Length(max=200))

    @post_load
    def _answer(self, data: dict[str, Any], **_: Any) -> Answer:
        return Answer(**data)


class WipeDraftSchema(StrictSchema):
    strategy = fields.String(required=True, validate=validate.OneOf(list(STRATEGIES)))
    reason = _words(required=True)
    destination = fields.String(required=True, validate=validate.OneOf(list(DESTINATIONS)))
    checklist = fields.Dict(
        keys=fields.String(validate=validate.OneOf(list(CHECKLIST))),
        values=fields.Nested(WipeAnswerSchema),
        required=True,
    )

    @post_load
    def _draft(self, data: dict[str, Any], **_: Any) -> Draft:
        return Draft(**data)


class WipeTypedSchema(StrictSchema):
    typed_tag = fields.String(required=True, validate=validate.Length(1, 60))
    typed_imei6 = fields.String(
        required=True, validate=validate.Length(1, 20), metadata={"description": "last six digits of an IMEI"}
    )


class WipeReleaseSchema(WipeTypedSchema):
    imei_typed = fields.String(
        load_default=None, allow_none=True, validate=validate.Length(max=30),
        metadata={"description": "the whole IMEI as `*#06#` shows it, where the phone hides it"},
    )  # fmt: skip


class WipeApprovalSchema(StrictSchema):
    code = fields.String(
        required=True, validate=validate.Length(1, 40), metadata={"description": "of the authenticator, now"}
    )
    waive_reason = _words()


class WipeReasonSchema(StrictSchema):
    reason = _words(required=True)


class WipeReasonMaybeSchema(StrictSchema):
    reason = _words()


class WipeReportSchema(StrictSchema):
    done = fields.Boolean(required=True)
    words = _words()


class WipeSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    handset_id = fields.UUID()
    disposal_id = fields.UUID(allow_none=True)
    state = fields.String(validate=validate.OneOf(_STATES))
    version = fields.Integer()
    strategy = fields.String(validate=validate.OneOf(list(STRATEGIES)))
    reason = fields.String()
    destination = fields.String()
    checklist = fields.Dict()
    asset_tag = fields.String()
    serial = fields.String()
    imeis = fields.List(fields.String())
    brand = fields.String()
    model = fields.String()
    created_by = fields.String()
    created_at = Instant()
    updated_at = Instant()
    requested_by = fields.String(allow_none=True)
    requested_at = Instant(allow_none=True)
    approved_by = fields.String(allow_none=True)
    approved_at = Instant(allow_none=True)
    second_by = fields.String(allow_none=True)
    second_at = Instant(allow_none=True)
    waivers = fields.List(fields.Dict())
    arms_at = Instant(allow_none=True)
    lapses_at = Instant()
    decision = fields.String(allow_none=True)
    tries = fields.Integer()
    done_by = fields.String(allow_none=True)
    released_by = fields.String(allow_none=True)
    released_at = Instant(allow_none=True)
    command_id = fields.UUID(allow_none=True)
    agent_id = fields.UUID(allow_none=True)
    ordered_at = Instant(allow_none=True)
    acknowledged_at = Instant(allow_none=True)
    silent_at = Instant(allow_none=True)
    why = fields.String(allow_none=True, metadata={"description": "code of what stopped or hid it last"})
    lock_cleared = fields.Boolean()
    inspected_at = Instant(allow_none=True)
    grade = fields.String(allow_none=True)
    verified_by = fields.String(allow_none=True)
    verified_at = Instant(allow_none=True)
    certificate_paper_id = fields.UUID(allow_none=True)
    ended_at = Instant(allow_none=True)
    end_reason = fields.String(allow_none=True)


class WipeStepSchema(StrictSchema):
    at = Instant()
    by = fields.String()
    step = fields.String()
    words = fields.String()


class WipeBlockerSchema(StrictSchema):
    code = fields.String()
    words = fields.String()
    link = fields.String()
    waivable = fields.Boolean(metadata={"description": "a second approver may set it aside"})


class WipeDetailSchema(WipeSchema):
    known = fields.String(metadata={"description": "what is known of the phone in this state"})
    to_do = fields.String(metadata={"description": "what is to be done next"})
    blockers = fields.List(fields.Nested(WipeBlockerSchema))
    steps = fields.List(fields.Nested(WipeStepSchema))
