"""What the incidents' API takes and gives."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant
from app.incidents.service import MAX_TEXT
from app.incidents.states import State
from app.incidents.views import DEFAULT_SORT, SORTS
from app.incidents.words import STATUS
from app.kernel.db import from_us

_MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"


class _Microseconds(Instant):
    """An instant that is kept as microseconds inside JSON."""

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:
        return super()._serialize(from_us(value), attr, obj, **kwargs)


class IncidentHitSchema(Schema):
    at = _Microseconds()
    source = fields.String(metadata={"enum": ["dial_test", "customer_report", "probe_failed"]})
    what = fields.String()
    excused = fields.Boolean(metadata={"description": "inside maintenance or repair: costs nothing"})


class IncidentSchema(Schema):
    """`status` is the ruling's, `state` how far people are with it; `gone_at`: it counts no more."""

    id = fields.UUID()
    version = fields.Integer()
    centre_id = fields.UUID()
    handset_id = fields.UUID()
    kind = fields.String(metadata={"enum": ["a", "b"], "description": "a: proved off, b: accused"})
    status = fields.String(metadata={"enum": list(STATUS)})
    state = fields.String(metadata={"enum": [str(state) for state in State]})
    start_at = Instant(data_key="from")
    end_at = Instant(data_key="to")
    employee_id = fields.UUID(
        allow_none=True, metadata={"description": "who answers; null: nobody had custody"}
    )
    month = fields.String(metadata={"description": "Shanghai's, as 2026-11"})
    hits = fields.List(fields.Nested(IncidentHitSchema))
    strikes = fields.Integer()
    policy_version = fields.Integer()
    policy_sha256 = fields.String()
    inputs_sha256 = fields.String()
    opened_at = Instant()
    changed_at = Instant()
    appeal_until = Instant(allow_none=True)
    gone_at = Instant(allow_none=True)
    gone_to = fields.UUID(allow_none=True)


class IncidentChangeSchema(Schema):
    at = Instant()
    causes = fields.List(fields.String())
    why = fields.String()
    before = fields.Dict(allow_none=True)
    after = fields.Dict(allow_none=True)
    inputs_sha256 = fields.String()
    policy_version = fields.Integer()
    policy_sha256 = fields.String()


class IncidentDecisionSchema(Schema):
    at = Instant()
    status = fields.String()
    stage = fields.String(metadata={"enum": ["first", "appeal"]})
    reason = fields.String()


class IncidentAppealSchema(Schema):
    at = Instant()
    statement = fields.String()
    decided_at = Instant(allow_none=True)


class IncidentDetailSchema(IncidentSchema):
    evidence = fields.List(fields.String(), metadata={"description": "in words, without names"})
    policy_body = fields.Dict(metadata={"description": "the values that ruled"})
    changes = fields.List(fields.Nested(IncidentChangeSchema))
    decisions = fields.List(fields.Nested(IncidentDecisionSchema))
    appeals = fields.List(fields.Nested(IncidentAppealSchema))


class IncidentArgs(PageArgs):
    status = fields.List(fields.String(validate=validate.OneOf(list(STATUS))), load_default=list)
    state = fields.List(fields.String(validate=validate.OneOf([str(s) for s in State])), load_default=list)
    month = fields.String(load_default=None, validate=validate.Regexp(_MONTH))
    centre_id = fields.UUID(load_default=None, data_key="centre")
    handset_id = fields.UUID(load_default=None, data_key="handset")
    employee_id = fields.UUID(load_default=None, data_key="employee")
    words = fields.String(load_default="", data_key="q", validate=validate.Length(max=100))
    gone = fields.Boolean(load_default=False)
    sort = fields.String(load_default=DEFAULT_SORT, validate=validate.OneOf(SORTS))


class IncidentWordSchema(StrictSchema):
    status = fields.String(required=True, validate=validate.OneOf(["confirmed", "refuted"]))
    reason = fields.String(required=True, validate=validate.Length(1, MAX_TEXT))


class IncidentStatementSchema(StrictSchema):
    statement = fields.String(required=True, validate=validate.Length(1, MAX_TEXT))
