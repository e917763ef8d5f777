from __future__ import annotations

from marshmallow import fields, validate

from app.credchecks.rules import PROFILE, SECRET
from app.credchecks.states import Case, Finding, Item, Round
from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant

_CASES = ["open", *(str(state) for state in Case)]


def _one_of(values: type[Round] | type[Item] | type[Case] | type[Finding]) -> validate.OneOf:
    return validate.OneOf([str(value) for value in values])


class CheckRoundQuerySchema(PageArgs):
    state = fields.String(load_default=None, validate=_one_of(Round))
    centre_id = fields.UUID(load_default=None)
    month = fields.String(
        load_default="",
        validate=validate.Regexp(r"[0-9]{4}-(0[1-9]|1[0-2])\Z"),
        metadata={"example": "2026-11"},
    )


class OpenCheckRoundSchema(StrictSchema):
    centre_id = fields.UUID(required=True)


class CheckRoundSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    month = fields.String()
    state = fields.String(validate=_one_of(Round))
    opened_at = Instant()
    opened_by = fields.String()
    due_at = Instant(metadata={"description": "the end of its last day, exclusive"})
    closed_at = Instant(allow_none=True)
    closed_by = fields.String(allow_none=True)
    paper_id = fields.UUID(allow_none=True, metadata={"description": "the signed report"})
    figures = fields.Dict(keys=fields.String(), values=fields.Integer(), allow_none=True)


class CheckItemSchema(StrictSchema):
    id = fields.UUID()
    round_id = fields.UUID()
    centre_id = fields.UUID()
    post_id = fields.UUID()
    holder_id = fields.UUID(allow_none=True, metadata={"description": "who held the post at the opening"})
    area = fields.String(validate=validate.OneOf([SECRET, PROFILE]))
    of = fields.String(validate=validate.OneOf(["handset", "number", "wechat"]))
    subject_id = fields.UUID()
    subject_name = fields.String()
    kind = fields.String()
    label = fields.String()
    rule = fields.String()
    hint = fields.String()
    picture = fields.Boolean(metadata={"description": "a picture is needed, which only the page takes"})
    state = fields.String(validate=_one_of(Item))
    version = fields.Integer()
    at = Instant(allow_none=True)
    by = fields.String(allow_none=True)
    source = fields.String(allow_none=True)
    reason = fields.String()


class CheckItemQuerySchema(StrictSchema):
    post_id = fields.UUID(load_default=None)


class CheckItemListSchema(StrictSchema):
    items = fields.List(fields.Nested(CheckItemSchema))


class CheckTypedSchema(StrictSchema):
    typed = fields.String(
        required=True, validate=validate.Length(1, 64), load_only=True,
        metadata={"description": "what opened the phone or account; compared, never kept", "format": "password"},
    )  # fmt: skip


class CheckAttestSchema(StrictSchema):
    matches = fields.Boolean(required=True)
    reason = fields.String(load_default="", validate=validate.Length(max=500))


class CheckReasonSchema(StrictSchema):
    reason = fields.String(required=True, validate=validate.Length(1, 500))


class ChangeCaseQuerySchema(PageArgs):
    state = fields.String(load_default=None, validate=validate.OneOf(_CASES))
    centre_id = fields.UUID(load_default=None)


class ChangeCaseSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    round_id = fields.UUID()
    item_id = fields.UUID()
    of = fields.String()
    subject_id = fields.UUID()
    subject_name = fields.String()
    label = fields.String()
    post_id = fields.UUID()
    employee_id = fields.UUID(allow_none=True)
    state = fields.String(validate=_one_of(Case))
    mismatch_at = Instant()
    known_good_at = Instant(allow_none=True)
    told_at = Instant(allow_none=True)
    statement_until = Instant(allow_none=True)
    statement = fields.String()
    stated_at = Instant(allow_none=True)
    finding = fields.String(allow_none=True, validate=_one_of(Finding))
    reason = fields.String()
    decided_by = fields.String(allow_none=True)
    decided_at = Instant(allow_none=True)
    appeal_until = Instant(allow_none=True)
    appeal = fields.String()
    answer = fields.String()
    answered_by = fields.String(allow_none=True)
    answered_at = Instant(allow_none=True)
    closed_at = Instant(allow_none=True)
    paper_id = fields.UUID(allow_none=True)


class ChangeCaseWordsSchema(StrictSchema):
    text = fields.String(required=True, validate=validate.Length(1, 1000))


class ChangeCaseDecideSchema(StrictSchema):
    finding = fields.String(required=True, validate=_one_of(Finding))
    reason = fields.String(required=True, validate=validate.Length(1, 1000))


class ChangeCaseAnswerSchema(StrictSchema):
    uphold = fields.Boolean(required=True)
    reason = fields.String(required=True, validate=validate.Length(1, 1000))
