from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from app.http.api import PageArgs, StrictSchema
from app.http.fields import Instant
from app.tasks.rules import unpack_roles
from app.tasks.service import MAX_NOTE
from app.tasks.states import State


class TaskQuerySchema(PageArgs):
    state = fields.String(
        load_default="open",
        validate=validate.OneOf(["open", "ended"]),
        metadata={"description": "`ended`: done by a person, or closed because its cause is gone"},
    )
    mine = fields.Boolean(
        load_default=False, metadata={"description": "only what the caller's roles are asked"}
    )
    kind = fields.String(load_default=None, validate=validate.Length(1, 40))
    centre_id = fields.UUID(load_default=None)
    q = fields.String(load_default="", validate=validate.Length(max=100))


class TaskDoneSchema(StrictSchema):
    note = fields.String(load_default="", validate=validate.Length(max=MAX_NOTE))


class TaskSchema(StrictSchema):
    id = fields.UUID()
    centre_id = fields.UUID()
    key = fields.String()
    kind = fields.String()
    title = fields.String()
    body = fields.String()
    link = fields.String(allow_none=True)
    handset_id = fields.UUID(allow_none=True)
    roles = fields.Method("_roles", metadata={"type": "array", "items": {"type": "string"}})
    state = fields.String(validate=validate.OneOf([str(s) for s in State]))
    opened_at = Instant()
    due_at = Instant(allow_none=True)
    ended_at = Instant(allow_none=True)
    ended_by = fields.String(allow_none=True)
    how = fields.String(allow_none=True)

    def _roles(self, task: Any) -> list[str]:
        return unpack_roles(task.roles)
