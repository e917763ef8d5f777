from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask.views import MethodView

from app.commands.hooks import tell_ended
from app.commands.model import Command
from app.commands.schemas import CancelSchema, CommandInSchema, CommandQuerySchema, CommandSchema
from app.commands.service import cancel, enqueue, get
from app.commands.views import list_commands
from app.http.access import STAFF, access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.kernel.db import db
from app.kernel.paging import Page
from app.runtime import command_hooks, runtime

commands_api = Blueprint(
    "commands", __name__, url_prefix=API_PREFIX, description="命令队列 / The command queue"
)
_WHO = ("operations", "it", "lead")


@commands_api.route("/handsets/<uuid:handset_id>/commands")
class HandsetCommands(MethodView):
    @access(*_WHO)
    @commands_api.arguments(CommandInSchema)
    @commands_api.response(201, CommandSchema)
    @commands_api.alt_response(
        200, schema=CommandSchema, description="one with this dedup key is not yet done"
    )
    def post(self, body: dict[str, Any], handset_id: uuid.UUID) -> tuple[Command, int]:
        """Queue a command for one phone."""
        expires = body["expires_in_s"]
        command, created = enqueue(
            db.session(),
            current_principal(),
            handset_id,
            body["kind"],
            body["args"],
            dedup_key=body["dedup_key"],
            expires_in=None if expires is None else dt.timedelta(seconds=expires),
            now=runtime().clock.now(),
        )
        return command, 201 if created else 200


@commands_api.route("/commands")
class Commands(MethodView):
    @access(*STAFF)
    @commands_api.arguments(CommandQuerySchema, location="query")
    @commands_api.response(200, page_schema(CommandSchema))
    def get(self, query: dict[str, Any]) -> Page[Command]:
        """The queue, newest first; `state` may be given several times."""
        states = query.pop("state")
        return list_commands(db.session(), current_principal(), states=states, **query)


@commands_api.route("/commands/<uuid:command_id>")
class OneCommand(MethodView):
    @access(*STAFF)
    @commands_api.response(200, CommandSchema)
    def get(self, command_id: uuid.UUID) -> Command:
        """One command with its result."""
        return get(db.session(), current_principal(), command_id)


@commands_api.route("/commands/<uuid:command_id>/cancel")
class CancelCommand(MethodView):
    @access(*_WHO)
    @commands_api.arguments(CancelSchema)
    @commands_api.response(200, CommandSchema)
    def post(self, body: dict[str, Any], command_id: uuid.UUID) -> Command:
        """Take a waiting command back; 409 once an agent holds it or it has ended."""
        now = runtime().clock.now()
        command = cancel(db.session(), current_principal(), command_id, reason=body["reason"], now=now)
        tell_ended(command, command_hooks(), db.session(), now)
        return command
