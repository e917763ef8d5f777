from __future__ import annotations

from marshmallow import fields, validate

from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant
from app.kernel.tenancy import ROLES
from app.people.listing import SORTS, STATES


class UserQuerySchema(PageArgs):
    q = fields.String(
        load_default="", validate=validate.Length(max=100), metadata={"description": "name or login"}
    )
    sort = fields.String(load_default="name", validate=validate.OneOf(SORTS))
    state = fields.String(load_default="active", validate=validate.OneOf(STATES))
    role = fields.String(load_default="", validate=validate.OneOf(["", *ROLES]))
    centre = fields.UUID(load_default=None)


class NewUserSchema(StrictSchema):
    login = fields.String(required=True, validate=validate.Length(2, 63))
    name = fields.String(required=True, validate=validate.Length(1, 100))
    employee_id = fields.UUID(load_default=None, allow_none=True)


class NewGrantSchema(StrictSchema):
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    centre_id = fields.UUID(
        required=True, allow_none=True, metadata={"description": "null: the whole company"}
    )


class GrantSchema(StrictSchema):
    id = fields.UUID()
    user_id = fields.UUID()
    role = fields.String(validate=validate.OneOf(ROLES))
    centre_id = fields.UUID(allow_none=True)
    valid_from = Instant()
    valid_to = Instant(allow_none=True)


class UserSchema(StrictSchema):
    id = fields.UUID(attribute="user.id")
    login = fields.String(attribute="user.login")
    name = fields.String(attribute="user.name")
    employee_id = fields.UUID(attribute="user.employee_id", allow_none=True)
    active = fields.Boolean(attribute="user.active")
    has_second_factor = fields.Boolean(attribute="has_factor")
    must_change_password = fields.Boolean(attribute="must_change")
    last_seen_at = Instant(attribute="seen_at", allow_none=True)
    grants = fields.List(fields.Nested(GrantSchema))


class NewDeputySchema(StrictSchema):
    deputy_id = fields.UUID(required=True)
    role = fields.String(required=True, validate=validate.OneOf(ROLES))
    centre_id = fields.UUID(
        required=True, allow_none=True, metadata={"description": "null: the whole company"}
    )
    valid_from = Instant(required=True)
    valid_to = Instant(required=True)


class DeputySchema(StrictSchema):
    id = fields.UUID()
    user_id = fields.UUID(metadata={"description": "who is away"})
    deputy_id = fields.UUID(metadata={"description": "who has his right meanwhile"})
    role = fields.String(validate=validate.OneOf(ROLES))
    centre_id = fields.UUID(allow_none=True)
    valid_from = Instant()
    valid_to = Instant()
    created_by = fields.String()
    created_at = Instant()


class OneTimePasswordSchema(StrictSchema):
    user_id = fields.UUID()
    password = fields.String(metadata={"description": "for one sign-in, shown once"})


class MeSchema(StrictSchema):
    user = fields.String(metadata={"description": "as in the audit trail"})
    name = fields.String()
    employee_id = fields.UUID(allow_none=True)
    roles = fields.List(fields.String(validate=validate.OneOf(ROLES)))
    centres = fields.List(fields.UUID(), allow_none=True, metadata={"description": "null: every centre"})
