"""An agent's word on a test checked by hand; the API by marshmallow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant
from app.observers import parse_checks, passed
from app.probes.rules import Told, Try
from app.probes.states import State
from app.readings import BadEntry, age_us, shown, text

_DETAIL = frozenset(("outcome", "reason", "checked_before_s", "checks", "tries"))
_TRY = frozenset(("before_s", "reason"))
_TRY_MAY_LACK = frozenset(("checked_before_s", "up_for_s"))
OUTCOMES = ("reached", "not_reached", "inconclusive")
_MAX_TRIES = 10


def parse_told(detail: Mapping[str, Any], at: dt.datetime) -> Told:
    """The detail of a result that was given at `at`. Raise `BadEntry` naming the field."""
    for name in sorted(detail.keys() ^ _DETAIL):
        raise BadEntry(shown(name), "unknown field" if name in detail else "is missing")
    if detail["outcome"] not in OUTCOMES:
        raise BadEntry("outcome", "must be one of " + " ".join(OUTCOMES))
    tries = detail["tries"]
    if type(tries) is not list or len(tries) > _MAX_TRIES:
        raise BadEntry("tries", f"must be a list of at most {_MAX_TRIES}")
    reason = None if detail["reason"] is None else text(detail["reason"], "reason", 40)
    checks = parse_checks(detail["checks"])
    if detail["outcome"] == "not_reached" and not passed(checks):
        raise BadEntry("checks", "an observer whose self-check failed has not looked")
    found = tuple(_try(entry, detail["checked_before_s"], at) for entry in tries)
    return Told(detail["outcome"], reason, tuple(sorted(found)))


def _try(entry: Any, checked_before_s: Any, end: dt.datetime) -> Try:
    if type(entry) is not dict:
        raise BadEntry("tries", "must hold objects")
    for name in sorted((entry.keys() - _TRY_MAY_LACK) ^ _TRY):
        raise BadEntry(f"tries.{shown(name)}", "unknown field" if name in entry else "is missing")
    reason = "reached" if entry["reason"] is None else text(entry["reason"], "tries.reason", 40)
    return Try(
        end - _before(entry["before_s"], "tries.before_s"),
        end - _before(entry.get("checked_before_s", checked_before_s), "tries.checked_before_s"),
        _before(entry.get("up_for_s", 0), "tries.up_for_s"),
        reason,
    )


def _before(value: Any, field: str) -> dt.timedelta:
    us = age_us(value, field)
    if us is None:
        raise BadEntry(field, "must be a number of seconds")
    return dt.timedelta(microseconds=us)


class ProbeQuerySchema(PageArgs):
    centre_id = fields.UUID(load_default=None)
    handset_id = fields.UUID(load_default=None)
    state = fields.List(
        fields.String(validate=validate.OneOf([str(s) for s in State if s is not State.PLANNED])),
        load_default=list,
    )


class TrySchema(StrictSchema):
    at = Instant()
    checked_at = Instant()
    reason = fields.String()
    counts = fields.Boolean(
        metadata={"description": "whether it speaks against the phone, by what is known now"}
    )


class ProbeSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    handset_id = fields.UUID()
    cause = fields.String(validate=validate.OneOf(["scheduled", "report", "person"]))
    state = fields.String(validate=validate.OneOf([str(s) for s in State]))
    created_at = Instant()
    created_by = fields.String()
    sent_at = Instant(allow_none=True)
    finished_at = Instant(allow_none=True)
    agent_id = fields.UUID(allow_none=True)
    reason = fields.String(allow_none=True)


class OneProbeSchema(ProbeSchema):
    tries = fields.List(fields.Nested(TrySchema))


class StartedSchema(StrictSchema):
    id = fields.UUID()
