from __future__ import annotations

import uuid
from typing import Any

from flask import request
from flask.views import MethodView

from app.http.access import SIGNED_IN, access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.http.transaction import answer_is_secret
from app.kernel.db import db
from app.kernel.paging import Page
from app.people import listing, user_service
from app.people.listing import UserLine, Wanted
from app.people.model import Deputy, RoleGrant
from app.people.rules import Right
from app.people.schemas import (
    DeputySchema,
    GrantSchema,
    MeSchema,
    NewDeputySchema,
    NewGrantSchema,
    NewUserSchema,
    OneTimePasswordSchema,
    UserQuerySchema,
    UserSchema,
)
from app.people.service import names_of
from app.people.user_service import By, UserInput
from app.runtime import runtime

users_api = Blueprint("users", __name__, url_prefix=API_PREFIX, description="人员 / Users and their roles")


@users_api.route("/me")
class Me(MethodView):
    @access(*SIGNED_IN)
    @users_api.response(200, MeSchema)
    def get(self) -> dict[str, Any]:
        """Who calls, and what he may."""
        who = current_principal()
        return {
            "user": who.user,
            "name": names_of(db.session(), [who.user])[who.user],
            "employee_id": who.employee,
            "roles": sorted(who.roles),
            "centres": None if who.centres is None else sorted(who.centres),
        }


@users_api.route("/users")
class Users(MethodView):
    @access("admin")
    @users_api.arguments(UserQuerySchema, location="query")
    @users_api.response(200, page_schema(UserSchema))
    def get(self, query: dict[str, Any]) -> Page[UserLine]:
        """Users with the roles that they hold now."""
        wanted = Wanted(query["q"].strip(), query["sort"], query["state"], query["role"], query["centre"])
        now = runtime().clock.now()
        return listing.list_users(db.session(), wanted, now, cursor=query["cursor"], limit=query["limit"])

    @access("admin")
    @users_api.arguments(NewUserSchema)
    @users_api.response(201, OneTimePasswordSchema)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Make a user; the password for his first sign-in comes in this answer and nowhere again."""
        user, password = user_service.create_user(db.session(), UserInput(**body), _by())
        answer_is_secret()
        return {"user_id": user.id, "password": password}


@users_api.route("/users/<uuid:user_id>")
class OneUser(MethodView):
    @access("admin")
    @users_api.response(200, UserSchema)
    def get(self, user_id: uuid.UUID) -> UserLine:
        """One user with the roles that he holds now."""
        user = user_service.get_user(db.session(), user_id)
        return listing.whole_user(db.session(), user, runtime().clock.now()).line


@users_api.route("/users/<uuid:user_id>/grants")
class Grants(MethodView):
    @access("admin")
    @users_api.arguments(NewGrantSchema)
    @users_api.response(201, GrantSchema)
    def post(self, body: dict[str, Any], user_id: uuid.UUID) -> RoleGrant:
        """Give a role from now on."""
        return user_service.grant(db.session(), user_id, body["role"], body["centre_id"], _by())


@users_api.route("/role-grants/<uuid:grant_id>/end")
class EndGrant(MethodView):
    @access("admin")
    @users_api.response(200, GrantSchema)
    def post(self, grant_id: uuid.UUID) -> RoleGrant:
        """End a role now; 409 for the last administrator's."""
        return user_service.end_grant(db.session(), grant_id, _by())


@users_api.route("/users/<uuid:user_id>/deactivate")
class Deactivate(MethodView):
    @access("admin")
    @users_api.response(200, UserSchema)
    def post(self, user_id: uuid.UUID) -> UserLine:
        """He cannot sign in any more; his sessions and tokens end. 409 for the last administrator."""
        user = user_service.set_active(db.session(), user_id, _by(), active=False)
        return listing.whole_user(db.session(), user, runtime().clock.now()).line


@users_api.route("/users/<uuid:user_id>/activate")
class Activate(MethodView):
    @access("admin")
    @users_api.response(200, UserSchema)
    def post(self, user_id: uuid.UUID) -> UserLine:
        """He can sign in again, with the roles that he has."""
        user = user_service.set_active(db.session(), user_id, _by(), active=True)
        return listing.whole_user(db.session(), user, runtime().clock.now()).line


@users_api.route("/users/<uuid:user_id>/deputies")
class Deputies(MethodView):
    @access("admin")
    @users_api.response(200, page_schema(DeputySchema))
    def get(self, user_id: uuid.UUID) -> Page[Deputy]:
        """Who stands or stood in for him, and for whom he does or did, the latest first."""
        user_service.get_user(db.session(), user_id)
        return Page(listing.deputies(db.session(), user_id), None)

    @access("admin")
    @users_api.arguments(NewDeputySchema)
    @users_api.response(201, DeputySchema)
    def post(self, body: dict[str, Any], user_id: uuid.UUID) -> Deputy:
        """Somebody stands in for him with one of his roles, for a time that has an end."""
        right = Right(body["role"], body["centre_id"])
        return user_service.send_deputy(
            db.session(), user_id, body["deputy_id"], right, body["valid_from"], body["valid_to"], _by()
        )


@users_api.route("/deputies/<uuid:deputy_id>/end")
class EndDeputy(MethodView):
    @access("admin")
    @users_api.response(200, DeputySchema)
    def post(self, deputy_id: uuid.UUID) -> Deputy:
        """End it now; 404 for one that is over."""
        return user_service.end_deputy(db.session(), deputy_id, _by())


@users_api.route("/users/<uuid:user_id>/reset-password")
class ResetPassword(MethodView):
    @access("admin")
    @users_api.response(200, OneTimePasswordSchema)
    def post(self, user_id: uuid.UUID) -> dict[str, Any]:
        """A password for one sign-in, in this answer and nowhere again. His sessions and tokens end."""
        password = user_service.reset_password(db.session(), user_id, _by())
        answer_is_secret()
        return {"user_id": user_id, "password": password}


@users_api.route("/users/<uuid:user_id>/reset-factor")
class ResetFactor(MethodView):
    @access("admin")
    @users_api.response(200, UserSchema)
    def post(self, user_id: uuid.UUID) -> UserLine:
        """For a lost authenticator: he sets one up at his next sign-in. His sessions and tokens end."""
        user_service.reset_factor(db.session(), user_id, _by())
        user = user_service.get_user(db.session(), user_id)
        return listing.whole_user(db.session(), user, runtime().clock.now()).line


def _by() -> By:
    return By(current_principal().user, runtime().clock.now(), request.remote_addr or "")
