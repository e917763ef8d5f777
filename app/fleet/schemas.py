"""Bodies of agents checked by hand, the API's by marshmallow."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from marshmallow import fields, validate

from agent.wire import MAX_BEATS, MAX_JOURNALS, MAX_READINGS, MAX_RESULTS, SCHEMA, WireError, unb64
from app.fleet.refusals import bad_body
from app.fleet.rules import DEFAULT_HOURS, MAX_HOURS
from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant
from app.kernel.ids import parse_id
from app.readings import BadEntry, shown, text

_CHECKIN = frozenset(("schema", "batch", "agent", "readings", "unreached", "results", "journals", "beats"))
_CHECKIN_MAY_LACK = frozenset(("journals", "beats"))
_AGENT = frozenset(("version", "spooled", "targets", "adb_server"))
_ENROL = frozenset(("schema", "token", "name", "ed25519", "x25519", "version", "kind"))
_ADOPT = frozenset(
    (
        "schema",
        "request",
        "target",
        "identity",
        "asset_tag",
        "imei",
        "way_back",
        "adb_allowed_connection_time",
    )
)
_IDENTITY = frozenset(
    ("serial", "model", "brand", "manufacturer", "android_release", "sdk", "fingerprint", "security_patch",
     "android_id", "imei", "build_type")
)  # fmt: skip
MAX_COUNT = 2**31 - 1
WAYS_BACK = ("usb_dock", "tap", "none")


@dataclass(frozen=True)
class AgentWords:
    version: str
    spooled: int
    targets: int
    adb_server: bool | None


@dataclass(frozen=True)
class CheckinInput:
    """The envelope is checked, its entries are not: each of those stands and falls alone."""

    batch: uuid.UUID
    agent: AgentWords
    readings: list[Any]
    unreached: list[Any]
    results: list[Any]
    journals: list[Any]
    beats: list[Any]


@dataclass(frozen=True)
class EnrolInput:
    token: str
    name: str
    ed25519: bytes
    x25519: bytes
    version: str
    kind: str


@dataclass(frozen=True)
class AdoptionInput:
    request: uuid.UUID
    target: str
    identity: dict[str, Any]
    asset_tag: str
    imei: tuple[str, ...]
    way_back: str
    adb_allowed_connection_time: int | None


def parse_checkin(body: Any) -> CheckinInput:
    """Raise `bad_body` naming the field; more entries than the wire allows are `bad_body`, too."""
    _keys(body, _CHECKIN, optional=_CHECKIN_MAY_LACK)
    words = body["agent"]
    _keys(words, _AGENT, "agent.")
    if words["adb_server"] is not None and type(words["adb_server"]) is not bool:
        raise bad_body("agent.adb_server", "must be true, false or null")
    return CheckinInput(
        batch=_uuid(body, "batch"),
        agent=AgentWords(
            _text(words, "version", 40, "agent."),
            _count(words, "spooled", "agent."),
            _count(words, "targets", "agent."),
            words["adb_server"],
        ),
        readings=_entries(body, "readings", MAX_READINGS),
        unreached=_entries(body, "unreached", MAX_READINGS),
        results=_entries(body, "results", MAX_RESULTS),
        journals=_entries({"journals": [], **body}, "journals", MAX_JOURNALS),
        beats=_entries({"beats": [], **body}, "beats", MAX_BEATS),
    )


def parse_enrol(body: Any) -> EnrolInput:
    _keys(body, _ENROL)
    if body["kind"] not in ("gateway", "self"):
        raise bad_body("kind", "must be gateway or self")
    return EnrolInput(
        token=_text(body, "token", 200),
        name=_text(body, "name", 100),
        ed25519=_key(body, "ed25519"),
        x25519=_key(body, "x25519"),
        version=_text(body, "version", 40),
        kind=body["kind"],
    )


def parse_adopt(body: Any) -> AdoptionInput:
    _keys(body, _ADOPT)
    _keys(body["identity"], _IDENTITY, "identity.", optional=_IDENTITY - {"serial"})
    if body["way_back"] not in WAYS_BACK:
        raise bad_body("way_back", "must be one of " + " ".join(WAYS_BACK))
    imei = body["imei"]
    if type(imei) is not list or len(imei) > 2 or not all(type(i) is str and len(i) <= 40 for i in imei):
        raise bad_body("imei", "must be a list of at most two texts")
    kept = body["adb_allowed_connection_time"]
    if kept is not None and (type(kept) is not int or not 0 <= kept < 2**63):
        raise bad_body("adb_allowed_connection_time", "must be null or a whole number")
    identity = body["identity"]
    for name in ("serial", "model", "brand", "manufacturer"):
        if name == "serial" or identity.get(name) is not None:
            _text(identity, name, 100, "identity.")
    return AdoptionInput(
        _uuid(body, "request"), _text(body, "target", 200), identity, _text(body, "asset_tag", 100), tuple(imei),
        body["way_back"], kept,
    )  # fmt: skip


def _keys(value: Any, known: frozenset[str], path: str = "", optional: frozenset[str] = frozenset()) -> None:
    if type(value) is not dict:
        raise bad_body(path.rstrip(".") or "body", "must be an object")
    for name in sorted(value.keys() - known):
        raise bad_body(f"{path}{shown(name)}", "unknown field")
    for name in sorted(known - optional - value.keys()):
        raise bad_body(f"{path}{name}", "is missing")
    if "schema" in known and (type(value["schema"]) is not int or value["schema"] != SCHEMA):
        raise bad_body("schema", f"must be {SCHEMA}")


def _text(value: dict[str, Any], name: str, limit: int, path: str = "") -> str:
    try:
        return text(value[name], f"{path}{name}", limit)
    except BadEntry as exc:
        raise bad_body(exc.field, exc.message) from exc


def _count(value: dict[str, Any], name: str, path: str) -> int:
    number = value[name]
    if type(number) is not int or not 0 <= number <= MAX_COUNT:
        raise bad_body(f"{path}{name}", "must be a whole number from 0")
    return number


def _uuid(value: dict[str, Any], name: str) -> uuid.UUID:
    found = parse_id(value[name]) if type(value[name]) is str and len(value[name]) == 36 else None
    if found is None:
        raise bad_body(name, "must be a UUID")
    return found


def _key(value: dict[str, Any], name: str) -> bytes:
    try:
        return unb64(value[name], 32)
    except WireError as exc:
        raise bad_body(name, "must be the base64 of 32 bytes") from exc


def _entries(value: dict[str, Any], name: str, limit: int) -> list[Any]:
    found = value[name]
    if type(found) is not list or len(found) > limit:
        raise bad_body(name, f"must be a list of at most {limit}")
    return found


class AgentSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    name = fields.String()
    kind = fields.String(validate=validate.OneOf(["gateway", "self"]))
    handset_id = fields.UUID(allow_none=True)
    enrolled_at = Instant()
    version = fields.String()
    last_checkin_at = Instant(allow_none=True)
    spooled = fields.Integer(allow_none=True)
    targets = fields.Integer(allow_none=True)
    adb_server = fields.Boolean(allow_none=True)
    revoked_at = Instant(allow_none=True)
    revoked_by = fields.String(allow_none=True)
    revoke_reason = fields.String(allow_none=True)


class AgentQuerySchema(PageArgs):
    centre_id = fields.UUID(load_default=None)
    revoked = fields.Boolean(load_default=None)


class RevokeSchema(StrictSchema):
    reason = fields.String(required=True, validate=validate.Length(1, 500))


class EnrolmentCodeInSchema(StrictSchema):
    centre_id = fields.UUID(required=True)
    name = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 100))
    handset_id = fields.UUID(load_default=None, allow_none=True)
    hours = fields.Integer(load_default=DEFAULT_HOURS, strict=True, validate=validate.Range(1, MAX_HOURS))


class EnrolmentCodeSchema(StrictSchema):
    code = fields.String(metadata={"description": "shown this once: URL#token#key fingerprint"})
    expires_at = Instant()


class SightingQuerySchema(PageArgs):
    pass


class SightingSchema(StrictSchema):
    centre_id = fields.UUID()
    serial = fields.String()
    agent_id = fields.UUID()
    target = fields.String()
    first_seen_at = Instant()
    last_seen_at = Instant()
    times = fields.Integer()
    identity = fields.Dict(allow_none=True)
