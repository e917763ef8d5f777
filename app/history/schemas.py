"""What the histories' API takes and gives."""

from __future__ import annotations

from marshmallow import fields, validate

from app.history.words import ROOMS
from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant
from app.kernel.timeline import SUBJECT_KINDS


class HistoryQuerySchema(PageArgs):
    room = fields.String(load_default="", validate=validate.OneOf(["", *ROOMS]))
    words = fields.String(data_key="q", load_default="", validate=validate.Length(max=100))
    start = Instant(data_key="from", load_default=None)
    end = Instant(data_key="to", load_default=None)


class LifeEventSchema(StrictSchema):
    at = Instant()
    until = Instant(
        allow_none=True, metadata={"description": "of what lasted; null for a moment and what goes on"}
    )
    room = fields.String()
    title = fields.String()
    detail = fields.String()
    link = fields.String(allow_none=True, metadata={"description": "a page of this server"})


class HistorySchema(StrictSchema):
    kind = fields.String(validate=validate.OneOf(SUBJECT_KINDS))
    id = fields.UUID()
    name = fields.String()
    total = fields.Integer()
    items = fields.List(fields.Nested(LifeEventSchema))
    next_cursor = fields.String(allow_none=True)
