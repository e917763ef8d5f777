"""What the API of the escrow takes and tells. A password goes in by `text` and `typed` and comes out of nothing."""

from __future__ import annotations

from marshmallow import fields, validate

from app.escrow.revealing import MAX_REASON
from app.escrow.states import Reveal
from app.escrow.store import SUBJECTS
from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant

_MAX_TEXT = 200
_SECRET = {"format": "password", "writeOnly": True}


class SecretQuerySchema(PageArgs):
    of = fields.String(required=True, validate=validate.OneOf(list(SUBJECTS)))
    centre_id = fields.UUID(load_default=None)
    q = fields.String(load_default="", validate=validate.Length(max=100))


class SecretStateSchema(StrictSchema):
    id = fields.UUID(allow_none=True, metadata={"description": "null: never filed"})
    of = fields.String(validate=validate.OneOf(list(SUBJECTS)))
    subject_id = fields.UUID(metadata={"description": "the handset, number or account"})
    subject_name = fields.String()
    kind = fields.String()
    label = fields.String()
    filed = fields.Boolean(metadata={"description": "one is in force"})
    filed_at = Instant(allow_none=True)
    waiting = fields.Boolean(metadata={"description": "a new one was filed and is not in force yet"})
    checked_at = Instant(allow_none=True)
    matched = fields.Boolean(
        allow_none=True, metadata={"description": "of the last check of what is in force; null: none yet"}
    )
    due = fields.String(metadata={"description": "why it must be renewed; empty: it need not"})
    due_at = Instant(allow_none=True)
    tries_left = fields.Integer(allow_none=True, metadata={"description": "blind checks left today"})


class FileSecretSchema(StrictSchema):
    of = fields.String(required=True, validate=validate.OneOf(list(SUBJECTS)))
    subject_id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=validate.Length(1, 40))
    text = fields.String(required=True, validate=validate.Length(1, _MAX_TEXT), metadata=_SECRET)
    in_force = fields.Boolean(
        required=True, metadata={"description": "it is set already; else it waits until that is confirmed"}
    )


class BlindCheckSchema(StrictSchema):
    typed = fields.String(required=True, validate=validate.Length(1, _MAX_TEXT), metadata=_SECRET)


class MatchedSchema(StrictSchema):
    matched = fields.Boolean()


class RevealQuerySchema(PageArgs):
    state = fields.List(fields.String(validate=validate.OneOf([str(s) for s in Reveal])), load_default=list)
    secret_id = fields.UUID(load_default=None)


class AskRevealSchema(StrictSchema):
    reason = fields.String(required=True, validate=validate.Length(1, MAX_REASON))


class DecideRevealSchema(StrictSchema):
    note = fields.String(load_default="", validate=validate.Length(max=MAX_REASON))


class RevealSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    secret_id = fields.UUID()
    state = fields.String(validate=validate.OneOf([str(s) for s in Reveal]))
    reason = fields.String()
    requested_by = fields.String()
    requested_at = Instant()
    expires_at = Instant()
    decided_by = fields.String(allow_none=True)
    decided_at = Instant(allow_none=True)
    decision = fields.String(allow_none=True)
    shown_at = Instant(allow_none=True)
