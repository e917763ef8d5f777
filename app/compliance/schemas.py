"""What the compliance API takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.compliance.rules import VERDICTS, Status
from app.http.api import PageArgs
from app.http.fields import Instant

_STATUSES = [status.value for status in VERDICTS]


class FindingSchema(Schema):
    code = fields.String(metadata={"description": "stable"})
    subject = fields.String(metadata={"description": "package, app's name or user that it is about"})
    status = fields.Enum(Status, by_value=True)
    clause = fields.String()
    zh = fields.String()
    en = fields.String()
    evidence = fields.Dict()
    severity = fields.String(
        allow_none=True, metadata={"description": "of a breach: critical, high, medium or low"}
    )
    first_seen = Instant(metadata={"description": "since when it holds without a break"})
    last_seen = Instant(allow_none=True, metadata={"description": "the reading that last showed it"})
    grace_until = Instant(allow_none=True, metadata={"description": "until when it is no breach yet"})
    exempt_until = Instant(allow_none=True)
    exemption_id = fields.UUID(allow_none=True)


class VerdictSchema(Schema):
    """`unknown` with `at` null: never judged. The worst findings come first."""

    handset_id = fields.UUID()
    centre_id = fields.UUID(allow_none=True)
    status = fields.Enum(Status, by_value=True)
    findings = fields.List(fields.Nested(FindingSchema))
    policy_version = fields.Integer(allow_none=True)
    policy_sha256 = fields.String(allow_none=True)
    at = Instant(allow_none=True)
    changed_at = Instant(allow_none=True)


class VerdictArgs(PageArgs):
    status = fields.String(load_default=None, validate=validate.OneOf(_STATUSES))
    centre_id = fields.UUID(load_default=None, data_key="centre")
