"""The trail over the JSON API."""

from __future__ import annotations

from typing import Any

import orjson
from marshmallow import Schema, fields, validate

from app.audit import AuditRow
from app.http.api import PageArgs


def _details(row: AuditRow) -> Any:
    return None if row.details is None else orjson.loads(row.details)


class EventQuerySchema(PageArgs):
    actor = fields.String(load_default="", validate=validate.Length(max=200))
    action = fields.String(
        load_default="",
        validate=validate.Length(max=80),
        metadata={"description": "a name, or a beginning that ends in a dot"},
    )
    object = fields.String(
        load_default="", validate=validate.Length(max=200), metadata={"description": "`kind:id`"}
    )
    centre_id = fields.UUID(load_default=None)
    outcome = fields.String(load_default="", validate=validate.Length(max=20))
    start = fields.AwareDateTime(load_default=None, metadata={"description": "at or after"})
    end = fields.AwareDateTime(load_default=None, metadata={"description": "before"})
    q = fields.String(load_default="", validate=validate.Length(max=100))


class EventSchema(Schema):
    """`details` is null when they were erased."""

    seq = fields.Integer()
    at = fields.AwareDateTime()
    centre_id = fields.UUID(allow_none=True)
    actor = fields.String()
    ip = fields.String()
    action = fields.String()
    object = fields.String()
    reason = fields.String()
    outcome = fields.String()
    details = fields.Function(_details, metadata={"type": ["object", "null"]})
    hash = fields.Function(lambda row: row.hash.hex(), metadata={"type": "string"})
