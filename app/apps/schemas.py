"""What the API of apps takes and gives."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from app.apps.fleet import PLACES
from app.apps.fleet import SORTS as FLEET_SORTS
from app.apps.rules import Kind
from app.apps.words import GROUPS
from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant

_SPAN = "not so yet at this reading; null: no reading was before"


class AppsArgs(PageArgs):
    text = fields.String(data_key="q", load_default="", validate=validate.Length(max=100))
    place = fields.String(load_default=None, validate=validate.OneOf(PLACES))
    centre_id = fields.UUID(data_key="centre", load_default=None)
    system = fields.Boolean(load_default=False, metadata={"description": "also apps of the system itself"})
    sort = fields.String(
        load_default="-phones",
        validate=validate.OneOf([sign + name for name in FLEET_SORTS for sign in ("", "-")]),
    )


class FleetAppSchema(Schema):
    package = fields.String()
    label = fields.String(allow_none=True)
    phones = fields.Integer()
    others = fields.Integer(metadata={"description": "times in users besides the first"})
    first_at = Instant(metadata={"description": "the reading that first showed it on any of these phones"})
    newest_at = Instant(allow_none=True, metadata={"description": "when it last came to one that had it not"})
    places = fields.List(fields.String(validate=validate.OneOf(PLACES)))
    versions = fields.Method("_versions")

    def _versions(self, app: object) -> list[dict[str, object]]:
        return [{"name": name, "count": count} for name, count in getattr(app, "versions", ())]


class CarriersArgs(StrictSchema):
    gone = fields.Boolean(load_default=False)
    text = fields.String(data_key="q", load_default="", validate=validate.Length(max=100))
    centre_id = fields.UUID(data_key="centre", load_default=None)
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000))


class CarrierSchema(Schema):
    handset_id = fields.UUID()
    asset_tag = fields.String()
    centre_id = fields.UUID()
    user = fields.Integer()
    version_name = fields.String(allow_none=True)
    version_code = fields.Integer(allow_none=True)
    installer = fields.String(allow_none=True)
    system = fields.Boolean(allow_none=True)
    enabled = fields.Boolean(allow_none=True)
    suspended = fields.Boolean(allow_none=True)
    place = fields.String(validate=validate.OneOf(PLACES))
    since_from = Instant(allow_none=True, metadata={"description": _SPAN})
    since_at = Instant()
    changed_at = Instant()
    unseen_at = Instant(allow_none=True, metadata={"description": "this user could last be inspected then"})
    gone_from = Instant(allow_none=True)
    gone_at = Instant(allow_none=True)
    retired_at = Instant(allow_none=True)


class CarriersSchema(Schema):
    package = fields.String()
    label = fields.String(allow_none=True)
    total = fields.Integer()
    items = fields.List(fields.Nested(CarrierSchema))


class ChangesArgs(PageArgs):
    since = Instant(load_default=None)
    group = fields.String(load_default=None, validate=validate.OneOf(list(GROUPS)))


class ChangeSchema(Schema):
    kind = fields.String(validate=validate.OneOf([kind.value for kind in Kind]))
    at = Instant(metadata={"description": "the reading that first showed it"})
    not_before = Instant(allow_none=True, metadata={"description": _SPAN})
    user = fields.Integer(allow_none=True)
    package = fields.String(allow_none=True)
    subject = fields.String()
    title = fields.String()
    detail = fields.String()
    before = fields.Raw(allow_none=True)
    after = fields.Raw(allow_none=True)
