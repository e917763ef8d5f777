"""What comes in and goes out: results of the wire checked by hand, the API by marshmallow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from marshmallow import fields, validate

from app.commands.rules import KINDS, MAX_DEDUP_CHARS, MAX_DETAIL_BYTES, MAX_EXPIRES_S, MIN_EXPIRES_S, REPORTS
from app.commands.states import State
from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant
from app.readings import BadEntry, age_us, shown, text

_RESULT = frozenset(("id", "state", "age_s", "detail"))


@dataclass(frozen=True)
class ResultInput:
    """One checked entry of `results`. `state` is one of `rules.REPORTS`."""

    id: str
    state: str
    age_us: int | None
    detail: Mapping[str, Any]


def parse_result(entry: Any) -> ResultInput:
    """One entry of a check-in's `results`. Raise `BadEntry` naming the field."""
    if type(entry) is not dict:
        raise BadEntry("entry", "must be an object")
    for name in sorted(entry.keys() ^ _RESULT):
        raise BadEntry(shown(name), "unknown field" if name in entry else "is missing")
    if type(entry["state"]) is not str or entry["state"] not in REPORTS:
        raise BadEntry("state", "must be one of " + " ".join(REPORTS))
    if type(entry["detail"]) is not dict or not _fits(entry["detail"]):
        raise BadEntry("detail", f"must be an object of at most {MAX_DETAIL_BYTES} bytes")
    return ResultInput(text(entry["id"], "id", 64), entry["state"], age_us(entry["age_s"]), entry["detail"])


def _fits(detail: dict[str, Any]) -> bool:
    try:
        raw = orjson.dumps(detail)
    except (TypeError, ValueError):
        return False
    # PostgreSQL's JSON cannot give a NUL back as text.
    return len(raw) <= MAX_DETAIL_BYTES and b"\\u0000" not in raw


class CommandInSchema(StrictSchema):
    kind = fields.String(
        required=True, validate=validate.OneOf([kind.name for kind in KINDS.values() if kind.by_hand])
    )
    args = fields.Dict(keys=fields.String(), load_default=dict)
    dedup_key = fields.String(load_default=None, validate=validate.Length(1, MAX_DEDUP_CHARS))
    expires_in_s = fields.Integer(
        load_default=None, strict=True, validate=validate.Range(MIN_EXPIRES_S, MAX_EXPIRES_S)
    )


class CancelSchema(StrictSchema):
    reason = fields.String(load_default="", validate=validate.Length(max=500))


class CommandQuerySchema(PageArgs):
    state = fields.List(fields.String(validate=validate.OneOf([str(s) for s in State])), load_default=list)
    kind = fields.String(load_default=None, validate=validate.OneOf(list(KINDS)))
    handset_id = fields.UUID(load_default=None)
    centre_id = fields.UUID(load_default=None)


class CommandSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    handset_id = fields.UUID()
    kind = fields.String()
    args = fields.Dict()
    dedup_key = fields.String()
    state = fields.String(validate=validate.OneOf([str(s) for s in State]))
    created_by = fields.String()
    created_at = Instant()
    due_at = Instant()
    expires_at = Instant()
    attempts = fields.Integer()
    max_attempts = fields.Integer()
    agent_id = fields.UUID(allow_none=True)
    leased_at = Instant(allow_none=True)
    lease_until = Instant(allow_none=True)
    not_now_first_at = Instant(allow_none=True)
    not_now_times = fields.Integer()
    finished_at = Instant(allow_none=True)
    end_reason = fields.String(allow_none=True)
    result = fields.Dict(allow_none=True)
