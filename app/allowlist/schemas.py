"""What the allow-list's API takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.allowlist.comparing import CHUNK
from app.http.api import StrictSchema
from app.http.fields import Instant


class ExplainArgs(StrictSchema):
    centre_id = fields.UUID(required=True, data_key="centre")
    brand = fields.String(load_default="", validate=validate.Length(max=60))
    model = fields.String(load_default="", validate=validate.Length(max=100))


class SourceSchema(Schema):
    """`kind`: `file` (the company's), `district` or `centre`; `model`: the entry of `models` by which it got here."""

    kind = fields.String()
    version = fields.Integer()
    by = fields.String()
    at = Instant(allow_none=True)
    reason = fields.String()
    model = fields.String()


class PastSchema(Schema):
    """`gone`: this source took the member away."""

    value = fields.Raw(allow_none=True)
    source = fields.Nested(SourceSchema)
    gone = fields.Boolean()


class ExplainedSchema(Schema):
    path = fields.List(fields.String(), metadata={"description": "names from the outermost"})
    value = fields.Raw(allow_none=True)
    source = fields.Nested(SourceSchema)
    overrode = fields.List(fields.Nested(PastSchema), metadata={"description": "the oldest first"})


class TakenAwaySchema(Schema):
    path = fields.List(fields.String())
    value = fields.Raw(allow_none=True)
    source = fields.Nested(SourceSchema, metadata={"description": "who took it away"})
    before = fields.Nested(SourceSchema, metadata={"description": "whose it was"})


class ExplanationSchema(Schema):
    version = fields.Integer(metadata={"description": "of the company's file"})
    sha256 = fields.String(metadata={"description": "of the centre's policy, before models are laid over it"})
    values = fields.List(fields.Nested(ExplainedSchema))
    taken_away = fields.List(fields.Nested(TakenAwaySchema))


class PreviewArgs(StrictSchema):
    """`body`: a whole layer, as a PUT of the layer would take it. `after`: `next` of the answer before."""

    scope = fields.String(required=True, validate=validate.OneOf(["district", "centre"]))
    scope_id = fields.UUID(required=True)
    body = fields.Dict(keys=fields.String(), required=True)
    after = fields.UUID(load_default=None, allow_none=True)
    limit = fields.Integer(load_default=CHUNK, validate=validate.Range(1, CHUNK))


class SeenSchema(Schema):
    code = fields.String()
    subject = fields.String()
    status = fields.String()
    zh = fields.String()


class PhoneChangeSchema(Schema):
    handset_id = fields.UUID()
    centre_id = fields.UUID()
    before = fields.String()
    after = fields.String()
    appears = fields.List(fields.Nested(SeenSchema))
    vanishes = fields.List(fields.Nested(SeenSchema))
    never_read = fields.Boolean()


class MoveSchema(Schema):
    before = fields.String()
    after = fields.String()
    phones = fields.Integer()


class PreviewSchema(Schema):
    """Of one portion of the fleet: add the portions up until `next` is null. `phones` holds those that change."""

    total = fields.Integer(metadata={"description": "phones in service that the layer reaches"})
    judged = fields.Integer()
    never_read = fields.Integer(metadata={"description": "of the judged; for them nothing can be foreseen"})
    rules_sha256 = fields.String(
        metadata={"description": "the same in all portions, or the rules changed meanwhile"}
    )
    moves = fields.List(fields.Nested(MoveSchema))
    phones = fields.List(fields.Nested(PhoneChangeSchema))
    next = fields.UUID(allow_none=True)


class AppliedSchema(Schema):
    """`applied_*` null: never judged."""

    handset_id = fields.UUID()
    tag = fields.String()
    wanted_version = fields.Integer()
    wanted_sha256 = fields.String()
    applied_version = fields.Integer(allow_none=True)
    applied_sha256 = fields.String(allow_none=True)
    at = Instant(allow_none=True)
    waiting = fields.Boolean()
