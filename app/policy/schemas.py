"""What the policy API takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.http.api import StrictSchema
from app.http.fields import Instant


class SubjectSchema(Schema):
    subject = fields.String()
    version = fields.Integer(metadata={"description": "of the newest file"})
    sha256 = fields.String(metadata={"description": "of its canonical JSON"})


class SubjectsSchema(Schema):
    items = fields.List(fields.Nested(SubjectSchema))


class CentreArgs(StrictSchema):
    centre_id = fields.UUID(load_default=None, data_key="centre")


class PolicySchema(SubjectSchema):
    body = fields.Dict()


class LayerSchema(Schema):
    """A layer's `body` is a JSON merge patch (RFC 7396) over what lies below."""

    id = fields.UUID()
    subject = fields.String()
    scope = fields.String()
    scope_id = fields.UUID()
    version = fields.Integer()
    body = fields.Dict()
    reason = fields.String()
    created_by = fields.String()
    created_at = Instant()


class LayersSchema(Schema):
    items = fields.List(fields.Nested(LayerSchema))


class LayerInSchema(StrictSchema):
    body = fields.Dict(keys=fields.String(), required=True)
    reason = fields.String(required=True, validate=validate.Length(1, 500))
