"""What the papers' API takes and gives."""

from __future__ import annotations

from marshmallow import fields, validate

from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant
from app.papers.kinds import KINDS


class PaperQuerySchema(PageArgs):
    centre_id = fields.UUID(load_default=None)
    kind = fields.String(load_default="", validate=validate.OneOf(["", *KINDS]))
    subject = fields.String(
        load_default="", validate=validate.Length(max=100), metadata={"description": "`kind:id`"}
    )
    words = fields.String(
        data_key="q",
        load_default="",
        validate=validate.Length(max=100),
        metadata={"description": "in the number, the title, what it is about, or a party's name"},
    )
    start = Instant(data_key="from", load_default=None)
    end = Instant(data_key="to", load_default=None)


class PaperSchema(StrictSchema):
    id = fields.UUID()
    kind = fields.String(validate=validate.OneOf([*KINDS]))
    number = fields.String()
    centre_id = fields.UUID()
    subject = fields.String()
    title = fields.String()
    about = fields.String(metadata={"description": "the line under the title: which phone, post, month"})
    sha256 = fields.String(metadata={"description": "of the document's canonical JSON: what was signed"})
    corrects = fields.UUID(allow_none=True)
    issued_by = fields.String()
    issued_at = Instant()
    pdf_sha256 = fields.String(allow_none=True, metadata={"description": "null until it was first printed"})


class PaperFindingSchema(StrictSchema):
    what = fields.String()
    verdict = fields.String(validate=validate.OneOf(["genuine", "false", "unknown"]))
    detail = fields.String()


class PaperDetailSchema(PaperSchema):
    document = fields.Dict(allow_none=True, metadata={"description": "null when it is not what was signed"})
    corrected_by = fields.UUID(allow_none=True)
    verdict = fields.String(validate=validate.OneOf(["genuine", "false", "unknown"]))
    findings = fields.List(fields.Nested(PaperFindingSchema))
