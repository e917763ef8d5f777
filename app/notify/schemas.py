from __future__ import annotations

from marshmallow import fields, validate

from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant
from app.notify.deliveries import STATES
from app.notify.spread import TOPICS


class InboxQuerySchema(StrictSchema):
    unread = fields.Boolean(load_default=False)
    q = fields.String(load_default="", validate=validate.Length(max=100))
    page = fields.Integer(load_default=1, validate=validate.Range(1, 10_000))
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))


class NoticeSchema(StrictSchema):
    id = fields.UUID()
    kind = fields.String()
    centre_id = fields.UUID()
    title = fields.String()
    body = fields.String()
    link = fields.String(allow_none=True)
    urgent = fields.Boolean()
    created_at = Instant()
    read_at = Instant(allow_none=True)


class InboxSchema(StrictSchema):
    items = fields.List(fields.Nested(NoticeSchema))
    total = fields.Integer()
    unread = fields.Integer()
    page = fields.Integer()
    pages = fields.Integer()


class ReadAllSchema(StrictSchema):
    read = fields.Integer(metadata={"description": "how many were unread"})


class ContactInSchema(StrictSchema):
    mail = fields.String(load_default="", validate=validate.Length(max=254))
    mobile = fields.String(load_default="", validate=validate.Length(max=30))


class ReachedSchema(StrictSchema):
    mail = fields.String(allow_none=True)
    mobile = fields.String(allow_none=True, metadata={"description": "E.164"})


class DeliveryQuerySchema(PageArgs):
    state = fields.String(load_default="", validate=validate.OneOf(["", *STATES]))
    topic = fields.String(load_default="", validate=validate.OneOf(["", *TOPICS]))


class DeliverySchema(StrictSchema):
    """Who it was for by name; addresses and contents are not told."""

    id = fields.UUID()
    topic = fields.String(validate=validate.OneOf(TOPICS))
    state = fields.String(validate=validate.OneOf(STATES))
    recipient = fields.String()
    what = fields.String()
    created_at = Instant()
    due_at = Instant()
    sent_at = Instant(allow_none=True)
    given_up_at = Instant(allow_none=True)
    attempts = fields.Integer()
    error = fields.String()
