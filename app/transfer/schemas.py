"""The API's own shapes."""

from __future__ import annotations

from marshmallow import fields, validate

from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant
from app.transfer.rules import ENTRY_STATES, PARTS
from app.transfer.states import State
from app.transfer.stopping import DISCARD, KEEP


class TransferQuerySchema(PageArgs):
    state = fields.List(fields.String(validate=validate.OneOf(list(State))), load_default=list)
    centre_id = fields.UUID(load_default=None)
    handset_id = fields.UUID(load_default=None)
    words = fields.String(load_default="", validate=validate.Length(max=100))


class TransferInSchema(StrictSchema):
    old_id = fields.UUID(required=True)
    new_id = fields.UUID(load_default=None, allow_none=True, metadata={"description": "null: no successor"})
    reason = fields.String(load_default="", validate=validate.Length(max=500))
    parts = fields.List(
        fields.String(validate=validate.OneOf(PARTS)),
        load_default=list,
        metadata={"description": "empty: policy's"},
    )


class TransferReasonSchema(StrictSchema):
    reason = fields.String(required=True, validate=validate.Length(1, 500))


class TransferStopSchema(StrictSchema):
    copy = fields.String(
        required=True,
        validate=validate.OneOf((KEEP, DISCARD)),
        metadata={
            "description": "keep: to go on later; discard: the copy is destroyed and the transfer cancelled"
        },
    )
    reason = fields.String(load_default="", validate=validate.Length(max=500))


class WaiverDecisionSchema(StrictSchema):
    grant = fields.Boolean(required=True)
    reason = fields.String(load_default="", validate=validate.Length(max=500))


class TransferFilesSchema(StrictSchema):
    found = fields.Integer()
    moved = fields.Integer()
    verified = fields.Integer()
    differs = fields.Integer()
    failed = fields.Integer()
    skipped = fields.Integer()
    bytes = fields.Integer()


class TransferPartSchema(StrictSchema):
    name = fields.String()
    outcome = fields.String()
    found = fields.Integer(allow_none=True)
    moved = fields.Integer(allow_none=True)
    verified = fields.Integer(allow_none=True)
    differs = fields.Integer(allow_none=True)
    reason = fields.String(allow_none=True)


class TransferSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    old_id = fields.UUID()
    new_id = fields.UUID(allow_none=True)
    state = fields.String()
    reason = fields.String()
    parts = fields.List(fields.String())
    opened_by = fields.String()
    opened_at = Instant()
    runs = fields.Integer()
    run_by = fields.String(allow_none=True)
    started_at = Instant(allow_none=True)
    command_id = fields.UUID(allow_none=True)
    progress = fields.Dict(allow_none=True)
    progress_at = Instant(allow_none=True)
    note = fields.String(allow_none=True)
    verdict = fields.String(allow_none=True)
    result_at = Instant(allow_none=True)
    stop_by = fields.String(allow_none=True)
    stop_at = Instant(allow_none=True)
    stop_copy = fields.String(allow_none=True, metadata={"description": "keep or discard"})
    copy = fields.String(metadata={"description": "none, kept, destroyed or unknown"})
    manifest_sha256 = fields.String(allow_none=True)
    manifest_entries = fields.Integer(allow_none=True)
    waive_asked_by = fields.String(allow_none=True)
    ended_at = Instant(allow_none=True)
    ended_by = fields.String(allow_none=True)
    paper_id = fields.UUID(allow_none=True)


class TransferDetailSchema(TransferSchema):
    files = fields.Nested(TransferFilesSchema, allow_none=True)
    told_parts = fields.List(fields.Nested(TransferPartSchema))
    left_s = fields.Integer(allow_none=True)
    acts = fields.List(fields.String(), metadata={"description": "what the caller may do now"})


class ManifestQuerySchema(PageArgs):
    part = fields.String(load_default=None, validate=validate.OneOf(PARTS))
    state = fields.List(fields.String(validate=validate.OneOf(ENTRY_STATES)), load_default=list)
    words = fields.String(load_default="", validate=validate.Length(max=200))


class ManifestEntrySchema(StrictSchema):
    part = fields.String()
    path = fields.String()
    size = fields.Integer(allow_none=True)
    mtime = fields.Integer(allow_none=True)
    sha256 = fields.String(allow_none=True)
    state = fields.String()
    reason = fields.String(allow_none=True)


class TransferStateSchema(StrictSchema):
    code = fields.String(metadata={"description": "none, running, unverified, verified, accepted or waived"})
    at = Instant(allow_none=True)
    by = fields.String(allow_none=True)
    link = fields.String()
