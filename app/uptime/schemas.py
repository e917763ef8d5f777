"""What the power API takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields

from app.http.api import StrictSchema
from app.http.fields import Instant


class WindowArgs(StrictSchema):
    """Half-open `[from, to)`; by default the 7 days up to now."""

    start = Instant(
        data_key="from",
        load_default=None,
        metadata={"description": "RFC 3339 with offset; default: 7 days before"},
    )
    end = Instant(
        data_key="to",
        load_default=None,
        metadata={"description": "RFC 3339 with offset; never later than now"},
    )


class EvidenceSchema(Schema):
    code = fields.String(metadata={"description": "what proves the state, or why nothing is proved"})
    boots = fields.List(fields.String(), metadata={"description": "boot ids"})


class IntervalSchema(Schema):
    start = Instant(data_key="from")
    end = Instant(data_key="to")
    state = fields.String(metadata={"enum": ["on", "off", "unknown"]})
    evidence = fields.List(fields.Nested(EvidenceSchema))


class AnomalySchema(Schema):
    """Evidence that contradicts itself: it proves no off-time."""

    code = fields.String(
        metadata={"enum": ["starts_differ", "boots_overlap", "outlived_shutdown", "heard_before_start"]}
    )
    boots = fields.List(fields.String())
    by_us = fields.Integer(metadata={"description": "by how many microseconds"})


class BootSchema(Schema):
    boot_id = fields.String()
    boot_count = fields.Integer(allow_none=True)
    started_at = Instant(allow_none=True)
    last_proof_at = Instant(allow_none=True)
    ended = fields.String(metadata={"enum": ["shutdown", "open"]})
    grades = fields.List(fields.String())


class SecondsSchema(Schema):
    on = fields.Integer()
    off = fields.Integer()
    # Under its own name it would be taken for marshmallow's setting `unknown`.
    neither = fields.Integer(data_key="unknown", attribute="unknown")


class PowerNowSchema(Schema):
    state = fields.String(
        metadata={"enum": ["on", "unknown"], "description": "a silent phone is never called off"}
    )
    since = Instant(allow_none=True)
    last_proof_at = Instant(allow_none=True)
    boot_id = fields.String(allow_none=True)


class PowerSchema(Schema):
    start = Instant(data_key="from")
    end = Instant(data_key="to")
    now = fields.Nested(PowerNowSchema)
    intervals = fields.List(
        fields.Nested(IntervalSchema), metadata={"description": "contiguous over the window"}
    )
    anomalies = fields.List(fields.Nested(AnomalySchema))
    boots = fields.List(fields.Nested(BootSchema))
    seconds = fields.Nested(SecondsSchema)
    proved_share = fields.Float(
        metadata={"description": "share of the window that is proved on or off, 0 to 1"}
    )


class CountsSchema(Schema):
    """Phones of which anything was ever proved."""

    on = fields.Integer()
    # Under its own name it would be taken for marshmallow's setting `unknown`.
    neither = fields.Integer(data_key="unknown", attribute="unknown")
