from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.http.access import STAFF, access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.kernel.db import db
from app.kernel.paging import Page
from app.runtime import runtime
from app.tasks import service
from app.tasks.model import Task
from app.tasks.schemas import TaskDoneSchema, TaskQuerySchema, TaskSchema

tasks_api = Blueprint("tasks", __name__, url_prefix=API_PREFIX, description="待办 / What people have to do")


@tasks_api.route("/tasks")
class Tasks(MethodView):
    @access(*STAFF)
    @tasks_api.arguments(TaskQuerySchema, location="query")
    @tasks_api.response(200, page_schema(TaskSchema))
    def get(self, query: dict[str, Any]) -> Page[Task]:
        """Tasks: the open ones longest overdue first, the ended ones latest first."""
        find = service.open_tasks if query.pop("state") == "open" else service.ended_tasks
        return find(db.session(), current_principal(), words=query.pop("q").strip(), **query)


@tasks_api.route("/tasks/<uuid:task_id>")
class OneTask(MethodView):
    @access(*STAFF)
    @tasks_api.response(200, TaskSchema)
    def get(self, task_id: uuid.UUID) -> Task:
        """One task."""
        return service.get(db.session(), current_principal(), task_id)


@tasks_api.route("/tasks/<uuid:task_id>/complete")
class CompleteTask(MethodView):
    @access(*STAFF)
    @tasks_api.arguments(TaskDoneSchema)
    @tasks_api.response(200, TaskSchema)
    def post(self, body: dict[str, Any], task_id: uuid.UUID) -> Task:
        """It is done; only by the roles that the task is for."""
        now = runtime().clock.now()
        return service.complete(db.session(), current_principal(), task_id, note=body["note"], now=now)


@tasks_api.route("/tasks/<uuid:task_id>/reopen")
class ReopenTask(MethodView):
    @access(*STAFF)
    @tasks_api.response(200, TaskSchema)
    def post(self, task_id: uuid.UUID) -> Task:
        """Take a completion back; 409 once policy's time for it is over."""
        now = runtime().clock.now()
        return service.reopen(
            db.session(), current_principal(), task_id, policies=runtime().policies, now=now
        )
