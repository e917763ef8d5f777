"""Beats of the wire checked by hand; the API by marshmallow."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from app.http.api import StrictSchema
from app.http.fields import Instant
from app.observers.rules import Beat
from app.readings import BadEntry, age_us, shown, text

_BEAT = frozenset(("age_s", "up", "reason", "checks"))
_MAY_LACK = frozenset(("up_for_s",))
CHECKS = ("server", "adb_server", "clock", "canary")


def parse_beat(entry: Any) -> Beat:
    """One entry of a check-in's `beats`. Raise `BadEntry` naming the field."""
    if type(entry) is not dict:
        raise BadEntry("entry", "must be an object")
    for name in sorted((entry.keys() - _MAY_LACK) ^ _BEAT):
        raise BadEntry(shown(name), "unknown field" if name in entry else "is missing")
    if type(entry["up"]) is not bool:
        raise BadEntry("up", "must be true or false")
    checks = parse_checks(entry["checks"])
    if entry["up"] and not passed(checks):
        raise BadEntry("up", "a check that failed, or none at all, is no up")
    reason = None if entry["reason"] is None else text(entry["reason"], "reason", 20)
    lasting = age_us(entry.get("up_for_s", 0)) or 0
    return Beat(age_us(entry["age_s"]), entry["up"], lasting if entry["up"] else 0, reason)


def parse_checks(value: Any) -> dict[str, bool | None]:
    """Raise `BadEntry` for anything but the four checks, each true, false or null."""
    if type(value) is not dict or value.keys() != set(CHECKS):
        raise BadEntry("checks", "must have " + " ".join(CHECKS))
    if any(found is not None and type(found) is not bool for found in value.values()):
        raise BadEntry("checks", "each must be true, false or null")
    return dict(value)


def passed(checks: dict[str, bool | None]) -> bool:
    """None failed, and the way to the server and the clock, which every agent has, were found good."""
    return False not in checks.values() and checks["server"] is True and checks["clock"] is True


class OutageQuerySchema(StrictSchema):
    centre_id = fields.UUID(required=True)
    start = Instant(data_key="from", required=True)
    end = Instant(data_key="to", required=True)


class OutageSchema(StrictSchema):
    observer = fields.String()
    name = fields.String()
    start = Instant(data_key="from")
    end = Instant(data_key="to", allow_none=True)
    reason = fields.String()


class OutagesSchema(StrictSchema):
    items = fields.List(fields.Nested(OutageSchema))


class ObserverQuerySchema(StrictSchema):
    centre_id = fields.UUID(required=True)


class ObserversSchema(StrictSchema):
    trusted = fields.Boolean(metadata={"description": "whether a phone of this centre may be suspected now"})
    server_up_since = Instant(allow_none=True)
